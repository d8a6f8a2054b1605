import type { Duplex } from 'node:stream';
import { LineReader, writeAll } from '../line-reader.ts';
import { exchangeCapabilities } from '../mail-world.ts';
import { readXoauth2, type TokenCheck } from './access-token.ts';
import { BadCommand, type Command, listOf, quoted, readCommand, type Token, textOf } from './imap-command.ts';
import {
  canonicalFlag,
  chosenMails,
  compactSet,
  flagList,
  readFetchPlan,
  readStore,
  type Selected,
  search,
} from './imap-messages.ts';
import type { Change, Folder, MailStore, UidPair } from './mail-store.ts';

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
    await this.#send('* OK The Microsoft Exchange IMAP4 service is ready. [PRACTICE]\r\n');
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
        await this.#send('* ID ("name" "Postroom practice mail server")\r\n');
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
        return this.#list(store, name, textOf(first), textOf(second));
      case 'SUBSCRIBE':
      case 'UNSUBSCRIBE':
        return `OK ${name} completed.`;
      case 'CREATE': {
        const folder = textOf(first);
        if (store.folder(folder) !== undefined) return 'NO Mailbox already exists.';
        store.create(folder, this.#world.now());
        return 'OK CREATE completed.';
      }
      case 'SELECT':
      case 'EXAMINE':
        return this.#select(store, name, textOf(first));
      case 'STATUS':
        return this.#status(store, textOf(first), listOf(second));
      case 'APPEND':
        return this.#append(store, args);
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
        this.#leave();
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
        return this.#transfer(store, selected, verb, args, byUid);
      case 'EXPUNGE': {
        const within = byUid
          ? new Set(chosenMails(selected, textOf(args[0]), true).map(({ mail }) => mail.uid))
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
    if (textOf(args[0]).toUpperCase() !== 'XOAUTH2') return 'NO AUTHENTICATE failed.';
    let response = args[1] === undefined ? undefined : textOf(args[1]);
    if (response === undefined) {
      await this.#send('+ \r\n');
      response = (await this.#reader.line())?.toString('latin1') ?? '';
    }
    const sasl = readXoauth2(response);
    if (sasl === undefined || !(await this.#world.check(sasl, 'imap'))) return 'NO AUTHENTICATE failed.';
    this.#store = this.#world.stores.get(sasl.mailbox);
    this.#unsubscribe = this.#store?.onChange((change) => this.#notice(change)) ?? this.#unsubscribe;
    return 'OK AUTHENTICATE completed.';
  }

  async #list(store: MailStore, name: string, reference: string, pattern: string): Promise<Outcome> {
    if (pattern === '') {
      await this.#send(`* ${name} (\\Noselect) "/" ""\r\n`);
      return `OK ${name} completed.`;
    }
    const expression = `${reference}${pattern}`
      .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('%', '[^/]*');
    const matches = new RegExp(`^${expression}$`, 'i');
    const names = store.folders().map((folder) => folder.name);
    for (const folder of names.filter((one) => matches.test(one))) {
      const parent = names.some((one) => one.startsWith(`${folder}/`));
      await this.#send(`* ${name} (\\${parent ? 'HasChildren' : 'HasNoChildren'}) "/" ${quoted(folder)}\r\n`);
    }
    return `OK ${name} completed.`;
  }

  async #select(store: MailStore, name: string, folderName: string): Promise<Outcome> {
    // A failed SELECT leaves no folder open (RFC 3501 §6.3.1).
    this.#leave();
    const folder = store.folder(folderName);
    if (folder === undefined) return `NO ${folderName} doesn't exist.`;
    const readOnly = name === 'EXAMINE';
    const view = folder.mails.map(({ uid }) => uid);
    this.#selected = { folder, readOnly, view, changed: new Set() };
    const flags = '\\Seen \\Answered \\Flagged \\Deleted \\Draft';
    const unseen = folder.mails.findIndex((mail) => !mail.flags.includes('\\Seen'));
    const lines = [
      `* ${view.length} EXISTS`,
      '* 0 RECENT',
      `* FLAGS (${flags})`,
      `* OK [PERMANENTFLAGS (${readOnly ? '' : `${flags} \\*`})] Permanent flags`,
      ...(unseen < 0 ? [] : [`* OK [UNSEEN ${unseen + 1}] Is the first unseen message`]),
      `* OK [UIDVALIDITY ${folder.uidValidity}] UIDVALIDITY value`,
      `* OK [UIDNEXT ${folder.uidNext}] The next unique identifier value`,
    ];
    await this.#send(`${lines.join('\r\n')}\r\n`);
    return `OK [READ-${readOnly ? 'ONLY' : 'WRITE'}] ${name} completed.`;
  }

  async #status(store: MailStore, name: string, wanted: readonly Token[]): Promise<Outcome> {
    const folder = store.folder(name);
    if (folder === undefined) return `NO ${name} doesn't exist.`;
    const values: Record<string, () => number> = {
      MESSAGES: () => folder.mails.length,
      RECENT: () => 0,
      UIDNEXT: () => folder.uidNext,
      UIDVALIDITY: () => folder.uidValidity,
      UNSEEN: () => folder.mails.filter(({ flags }) => !flags.includes('\\Seen')).length,
    };
    const items = wanted.map(textOf).map((item) => {
      const value = values[item.toUpperCase()];
      if (value === undefined) throw new BadCommand('Command Argument Error. 11');
      return `${item.toUpperCase()} ${value()}`;
    });
    await this.#send(`* STATUS ${quoted(folder.name)} (${items.join(' ')})\r\n`);
    return 'OK STATUS completed.';
  }

  async #append(store: MailStore, args: readonly Token[]): Promise<Outcome> {
    const [name, ...rest] = args;
    const mail = rest.pop();
    const folder = store.folder(textOf(name));
    if (folder === undefined) return `NO [TRYCREATE] ${textOf(name)} doesn't exist.`;
    if (mail?.kind !== 'string') throw new BadCommand('Command Argument Error. 11');
    let flags: string[] = [];
    let date = this.#world.now();
    for (const option of rest) {
      if (option.kind === 'list') flags = option.items.map(textOf).map(canonicalFlag);
      else date = readInternalDate(textOf(option));
    }
    const { uid } = store.append(folder, mail.bytes, { flags, date });
    return `OK [APPENDUID ${folder.uidValidity} ${uid}] APPEND completed.`;
  }

  async #fetch(
    store: MailStore,
    selected: Selected,
    args: readonly Token[],
    byUid: boolean,
  ): Promise<Outcome> {
    const plan = readFetchPlan(args[1], byUid);
    for (const { mail, number } of chosenMails(selected, textOf(args[0]), byUid)) {
      // A mail that went while this stream ran is left out; its EXPUNGE follows.
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
    const change = readStore(textOf(item), flags);
    const chosen = chosenMails(selected, textOf(set), byUid);
    store.setFlags(
      selected.folder,
      chosen.map(({ mail }) => ({ uid: mail.uid, flags: change(mail.flags) })),
    );
    for (const { mail, number } of chosen) {
      selected.changed.delete(mail.uid);
      if (/\.SILENT$/i.test(textOf(item))) continue;
      await this.#send(
        `* ${number} FETCH (${byUid ? `UID ${mail.uid} ` : ''}FLAGS ${flagList(mail.flags)})\r\n`,
      );
    }
    return 'OK STORE completed.';
  }

  async #transfer(
    store: MailStore,
    selected: Selected,
    verb: 'COPY' | 'MOVE',
    args: readonly Token[],
    byUid: boolean,
  ): Promise<Outcome> {
    const target = store.folder(textOf(args[1]));
    if (target === undefined) return `NO [TRYCREATE] ${textOf(args[1])} doesn't exist.`;
    const uids = chosenMails(selected, textOf(args[0]), byUid).map(({ mail }) => mail.uid);
    if (verb === 'COPY') {
      const code = copyUid(target, store.copy(selected.folder, uids, target));
      return `OK ${code}COPY completed.`;
    }
    const code = copyUid(target, store.move(selected.folder, uids, target));
    // RFC 6851 §4.3: the map comes before the EXPUNGEs.
    if (code !== '') await this.#send(`* OK ${code}Moved\r\n`);
    return 'OK MOVE completed.';
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

  #notice({ folder, flags = [] }: Change): void {
    if (this.#selected?.folder !== folder) return;
    for (const uid of flags) this.#selected.changed.add(uid);
    if (!this.#idle) return;
    this.#tellNews(true).catch(() => this.#socket.destroy());
  }

  /** Tells what others did to the open folder: first what is gone, then what is new, then flags. */
  async #tellNews(mayRenumber: boolean): Promise<void> {
    const selected = this.#selected;
    if (selected === undefined) return;
    const { folder, view, changed } = selected;
    const present = new Map(folder.mails.map((mail) => [mail.uid, mail]));
    let text = '';
    if (mayRenumber) {
      const kept: number[] = [];
      for (const uid of view) {
        if (present.has(uid)) kept.push(uid);
        else text += `* ${kept.length + 1} EXPUNGE\r\n`;
      }
      selected.view = kept;
    }
    const highest = view.at(-1) ?? 0;
    const added = folder.mails.filter(({ uid }) => uid > highest).map(({ uid }) => uid);
    if (added.length > 0) {
      selected.view = [...selected.view, ...added];
      text += `* ${selected.view.length} EXISTS\r\n`;
    }
    for (const uid of changed) {
      const mail = present.get(uid);
      const number = selected.view.indexOf(uid) + 1;
      if (mail !== undefined && number > 0)
        text += `* ${number} FETCH (UID ${uid} FLAGS ${flagList(mail.flags)})\r\n`;
    }
    changed.clear();
    if (text !== '') await this.#send(text);
  }

  #leave(): void {
    this.#selected = undefined;
  }

  #send(data: string | Uint8Array): Promise<void> {
    return writeAll(this.#socket, data);
  }
}

function deletedUids({ folder, view }: Selected): number[] {
  const known = new Set(view);
  return folder.mails
    .filter(({ uid, flags }) => known.has(uid) && flags.includes('\\Deleted'))
    .map(({ uid }) => uid);
}

/** The response code of RFC 4315, or nothing when no mail was meant. */
function copyUid(target: Folder, pairs: readonly UidPair[]): string {
  if (pairs.length === 0) return '';
  const [from, to] = [pairs.map(([uid]) => uid), pairs.map(([, uid]) => uid)];
  return `[COPYUID ${target.uidValidity} ${compactSet(from)} ${compactSet(to)}] `;
}

/** `24-Nov-2026 09:00:00 +0100`, milliseconds since the epoch. */
function readInternalDate(text: string): number {
  const parts = /^\s?(\d{1,2})-(\w{3})-(\d{4}) (\d\d:\d\d:\d\d) ([+-]\d{4})$/.exec(text);
  const [, day, month, year, clock, zone] = parts ?? [];
  const time = Date.parse(`${day} ${month} ${year} ${clock} GMT${zone}`);
  if (Number.isNaN(time)) throw new BadCommand('Command Argument Error. 11');
  return time;
}
