import type { Duplex } from 'node:stream';
import { LineReader, writeAll } from '../line-reader.ts';
import { exchangeCapabilities } from '../mail-world.ts';
import { readXoauth2, type TokenCheck } from './access-token.ts';
import { BadCommand, type Command, listOf, readCommand, type Token, textOfToken } from './imap-command.ts';
import { type Answer, append, described, listFolders, openFolder, status, transfer } from './imap-folders.ts';
import {
  chosenMails,
  deletedUids,
  flagList,
  readFetchPlan,
  readStore,
  type Selected,
  search,
  takeNews,
} from './imap-messages.ts';
import type { Change, MailStore } from './mail-store.ts';

export interface ImapWorld {
  readonly check: TokenCheck;
  readonly stores: ReadonlyMap<string, MailStore>;
  now(): number;
}

/** The end of a command: `OK`, `NO` or `BAD` with its text. */
type Outcome = string;

const capabilities = exchangeCapabilities.join(' ');

/** Serves one IMAP connection (RFC 3501 and the extensions it announces) until it ends. */
export async function serveImap(socket: Duplex, world: ImapWorld): Promise<void> {
  await new ImapSession(socket, world).run();
}

class ImapSession {
  readonly #socket: Duplex;
  readonly #world: ImapWorld;
  readonly #reader: LineReader;
  #store: MailStore | undefined;
  #selected: Selected | undefined;
  #idle = false;
  #over = false;
  #unsubscribe = () => {};

  constructor(socket: Duplex, world: ImapWorld) {
    this.#socket = socket;
    this.#world = world;
    this.#reader = new LineReader(socket);
  }

  async run(): Promise<void> {
    await this.#send('* OK The Microsoft Exchange IMAP4 service is ready. [DEMO]\r\n');
    try {
      while (!this.#over) {
        const read = await readCommand(this.#reader, () =>
          this.#send('+ Ready for additional command text.\r\n'),
        );
        if (read === undefined) break;
        const { tag, command } = read;
        const outcome =
          command === undefined ? 'BAD Command Argument Error. 11' : await this.#answer(command);
        await this.#send(`${tag} ${outcome}\r\n`);
      }
    } finally {
      this.#unsubscribe();
      this.#socket.end();
    }
  }

  async #answer(command: Command): Promise<Outcome> {
    try {
      const outcome = await this.#carryOut(command);
      // Sequence numbers may not change under a command that uses them (RFC 3501 §7.4.1).
      const numbersInUse = ['FETCH', 'STORE', 'SEARCH'].includes(command.name);
      await this.#tellNews(!numbersInUse);
      return outcome;
    } catch (error) {
      if (error instanceof BadCommand) return `BAD ${error.message}`;
      throw error;
    }
  }

  async #carryOut({ name, args }: Command): Promise<Outcome> {
    switch (name) {
      case 'CAPABILITY':
        await this.#send(
          `* CAPABILITY ${capabilities}${this.#store === undefined ? ' AUTH=XOAUTH2' : ''}\r\n`,
        );
        return 'OK CAPABILITY completed.';
      case 'NOOP':
        return 'OK NOOP completed.';
      case 'ID':
        await this.#send('* ID ("name" "Postroom mail server emulator" "version" "15.20")\r\n');
        return 'OK ID completed';
      case 'LOGOUT':
        this.#over = true;
        await this.#send('* BYE Microsoft Exchange Server IMAP4 server signing off.\r\n');
        return 'OK LOGOUT completed.';
      case 'AUTHENTICATE':
        return this.#authenticate(args);
      case 'LOGIN':
        return 'NO LOGIN failed.';
    }
    if (this.#store === undefined) return 'BAD Command received in Invalid state.';
    return this.#carryOutSignedIn(this.#store, name, args);
  }

  async #carryOutSignedIn(store: MailStore, name: string, args: readonly Token[]): Promise<Outcome> {
    const [first, second] = args;
    switch (name) {
      case 'NAMESPACE':
        await this.#send('* NAMESPACE (("" "/")) NIL NIL\r\n');
        return 'OK NAMESPACE completed.';
      case 'LIST':
      case 'LSUB':
        return this.#reply(listFolders(store, name, textOfToken(first), textOfToken(second)));
      case 'SUBSCRIBE':
      case 'UNSUBSCRIBE':
        return `OK ${name} completed.`;
      case 'CREATE': {
        const folder = textOfToken(first);
        if (store.folder(folder) !== undefined) return 'NO Mailbox already exists.';
        store.create(folder, this.#world.now());
        return 'OK CREATE completed.';
      }
      case 'SELECT':
      case 'EXAMINE': {
        // A failed SELECT leaves no folder open (RFC 3501 §6.3.1).
        const folder = store.folder(textOfToken(first));
        this.#selected = folder === undefined ? undefined : openFolder(folder, name === 'EXAMINE');
        return this.#reply(described(this.#selected, name, textOfToken(first)));
      }
      case 'STATUS':
        return this.#reply(status(store, textOfToken(first), listOf(second)));
      case 'APPEND':
        return append(store, args, this.#world.now());
      case 'IDLE':
        return this.#waitIdle();
    }
    if (this.#selected === undefined) return 'BAD Command received in Invalid state.';
    return this.#carryOutSelected(store, this.#selected, name, args);
  }

  async #carryOutSelected(
    store: MailStore,
    selected: Selected,
    name: string,
    args: readonly Token[],
  ): Promise<Outcome> {
    const byUid = name.startsWith('UID ');
    const verb = byUid ? name.slice(4) : name;
    const changes = ['STORE', 'MOVE', 'EXPUNGE'].includes(verb);
    if (changes && selected.readOnly) return `NO ${verb} failed: the folder is open read-only.`;
    switch (verb) {
      case 'CHECK':
        return 'OK CHECK completed.';
      case 'UNSELECT':
      case 'CLOSE':
        if (verb === 'CLOSE' && !selected.readOnly) store.remove(selected.folder, deletedUids(selected));
        this.#selected = undefined;
        return `OK ${verb} completed.`;
      case 'SEARCH': {
        const found = search(store, selected, args, byUid);
        await this.#send(`* SEARCH${found.map((number) => ` ${number}`).join('')}\r\n`);
        return 'OK SEARCH completed.';
      }
      case 'FETCH':
        return this.#fetch(store, selected, args, byUid);
      case 'STORE':
        return this.#storeFlags(store, selected, args, byUid);
      case 'COPY':
      case 'MOVE':
        return this.#reply(transfer(store, selected, verb, args, byUid));
      case 'EXPUNGE': {
        const within = byUid
          ? new Set(chosenMails(selected, textOfToken(args[0]), true).map(({ mail }) => mail.uid))
          : undefined;
        store.remove(
          selected.folder,
          deletedUids(selected).filter((uid) => within?.has(uid) ?? true),
        );
        return 'OK EXPUNGE completed.';
      }
      default:
        return 'BAD Command Error. 10';
    }
  }

  async #authenticate(args: readonly Token[]): Promise<Outcome> {
    if (this.#store !== undefined) return 'BAD Command received in Invalid state.';
    if (textOfToken(args[0]).toUpperCase() !== 'XOAUTH2') return 'NO AUTHENTICATE failed.';
    let response = args[1] === undefined ? undefined : textOfToken(args[1]);
    if (response === undefined) {
      await this.#send('+ \r\n');
      response = (await this.#reader.line())?.toString('latin1') ?? '';
    }
    const sasl = readXoauth2(response);
    if (sasl === undefined || !(await this.#world.check(sasl, 'imap'))) return 'NO AUTHENTICATE failed.';
    this.#store = this.#world.stores.get(sasl.mailbox);
    this.#unsubscribe = this.#store?.onChange((change) => this.#alert(change)) ?? this.#unsubscribe;
    return 'OK AUTHENTICATE completed.';
  }

  async #fetch(
    store: MailStore,
    selected: Selected,
    args: readonly Token[],
    byUid: boolean,
  ): Promise<Outcome> {
    const plan = readFetchPlan(args[1], byUid);
    for (const { mail, number } of chosenMails(selected, textOfToken(args[0]), byUid)) {
      // An email that went while this stream ran is left out; its EXPUNGE follows.
      if (this.#socket.destroyed || !selected.folder.mails.includes(mail)) continue;
      if (plan.setsSeen && !selected.readOnly && !mail.flags.includes('\\Seen')) {
        store.setFlags(selected.folder, [{ uid: mail.uid, flags: [...mail.flags, '\\Seen'] }]);
        selected.changed.delete(mail.uid);
      }
      const items = plan.answer(store, mail);
      await this.#send(Buffer.concat([Buffer.from(`* ${number} FETCH (`), items, Buffer.from(')\r\n')]));
    }
    return 'OK FETCH completed.';
  }

  async #storeFlags(
    store: MailStore,
    selected: Selected,
    args: readonly Token[],
    byUid: boolean,
  ): Promise<Outcome> {
    const [set, item, ...flags] = args;
    const change = readStore(textOfToken(item), flags);
    const chosen = chosenMails(selected, textOfToken(set), byUid);
    store.setFlags(
      selected.folder,
      chosen.map(({ mail }) => ({ uid: mail.uid, flags: change(mail.flags) })),
    );
    for (const { mail, number } of chosen) {
      selected.changed.delete(mail.uid);
      if (/\.SILENT$/i.test(textOfToken(item))) continue;
      await this.#send(
        `* ${number} FETCH (${byUid ? `UID ${mail.uid} ` : ''}FLAGS ${flagList(mail.flags)})\r\n`,
      );
    }
    return 'OK STORE completed.';
  }

  async #waitIdle(): Promise<Outcome> {
    await this.#send('+ IDLE accepted, awaiting DONE command.\r\n');
    this.#idle = true;
    await this.#tellNews(true);
    const line = await this.#reader.line();
    this.#idle = false;
    if (line === undefined) this.#over = true;
    return line?.toString('latin1').toUpperCase() === 'DONE' ? 'OK IDLE completed.' : 'BAD Expected DONE.';
  }

  #alert({ folder, flags = [] }: Change): void {
    if (this.#selected?.folder !== folder) return;
    for (const uid of flags) this.#selected.changed.add(uid);
    if (!this.#idle) return;
    this.#tellNews(true).catch(() => this.#socket.destroy());
  }

  async #tellNews(mayRenumber: boolean): Promise<void> {
    const text = this.#selected === undefined ? '' : takeNews(this.#selected, mayRenumber);
    if (text !== '') await this.#send(text);
  }

  /** Untagged lines, then the end of the command. */
  async #reply({ lines, outcome }: Answer): Promise<Outcome> {
    if (lines.length > 0) await this.#send(`${lines.join('\r\n')}\r\n`);
    return outcome;
  }

  #send(data: string | Uint8Array): Promise<void> {
    return writeAll(this.#socket, data);
  }
}
