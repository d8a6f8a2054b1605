import type { Duplex } from 'node:stream';
import { LineReader, writeAll } from '../line-reader.ts';
import { readXoauth2, type TokenCheck } from './access-token.ts';
import type { StoredMail } from './journal.ts';
import type { Folder, MailStore } from './mail-store.ts';

export interface Pop3World {
  readonly check: TokenCheck;
  readonly stores: ReadonlyMap<string, MailStore>;
}

interface Opened {
  readonly store: MailStore;
  readonly inbox: Folder;
  /** The emails as they were at sign-in; numbers do not change in a session. */
  readonly mails: readonly StoredMail[];
  readonly deleted: Set<number>;
}

const refused = '-ERR Authentication failure: unknown user name or bad password.';

/** Serves one POP3 connection (RFC 1939, AUTH of RFC 5034) until it ends. Deletions count after QUIT only. */
export async function servePop3(socket: Duplex, world: Pop3World): Promise<void> {
  const reader = new LineReader(socket);
  const send = (text: string) => writeAll(socket, `${text}\r\n`);
  let opened: Opened | undefined;
  await send('+OK The Microsoft Exchange POP3 service is ready. [DEMO]');
  for (;;) {
    const line = (await reader.line())?.toString('latin1');
    if (line === undefined) break;
    const [verb = '', ...args] = line.trim().split(/ +/);
    const name = verb.toUpperCase();
    if (name === 'QUIT') {
      if (opened !== undefined) opened.store.remove(opened.inbox, [...opened.deleted]);
      await send('+OK Microsoft Exchange Server POP3 server signing off.');
      break;
    }
    if (name === 'CAPA') {
      await send('+OK\r\nTOP\r\nUIDL\r\nSASL XOAUTH2\r\n.');
    } else if (name === 'AUTH' && args[0]?.toUpperCase() === 'XOAUTH2' && opened === undefined) {
      const initial = args[1];
      if (initial === undefined) await send('+ ');
      const response = initial ?? (await reader.line())?.toString('latin1') ?? '';
      opened = await signIn(world, response);
      await send(opened === undefined ? refused : '+OK User successfully authenticated.');
    } else if (opened === undefined) {
      await send(name === 'USER' || name === 'PASS' ? refused : '-ERR Command is not valid in this state.');
    } else {
      await writeAll(socket, answer(opened, name, args));
    }
  }
  socket.end();
}

async function signIn(world: Pop3World, response: string): Promise<Opened | undefined> {
  const sasl = readXoauth2(response);
  if (sasl === undefined || !(await world.check(sasl, 'pop3'))) return undefined;
  const store = world.stores.get(sasl.mailbox);
  const inbox = store?.folder('INBOX');
  if (store === undefined || inbox === undefined) return undefined;
  return { store, inbox, mails: [...inbox.mails], deleted: new Set() };
}

function answer(opened: Opened, name: string, args: readonly string[]): string | Buffer {
  const { store, inbox, mails, deleted } = opened;
  const left = mails
    .map((mail, index) => ({ mail, number: index + 1 }))
    .filter(({ mail }) => !deleted.has(mail.uid));
  const chosen = left.find(({ number }) => String(number) === args[0]);
  const outOfRange = '-ERR The specified message is out of range.\r\n';
  const listing = (describe: (mail: StoredMail) => string) => {
    if (args[0] === undefined) {
      return `+OK\r\n${left.map(({ mail, number }) => `${number} ${describe(mail)}\r\n`).join('')}.\r\n`;
    }
    return chosen === undefined ? outOfRange : `+OK ${chosen.number} ${describe(chosen.mail)}\r\n`;
  };
  switch (name) {
    case 'NOOP':
      return '+OK\r\n';
    case 'STAT':
      return `+OK ${left.length} ${left.reduce((sum, { mail }) => sum + mail.size, 0)}\r\n`;
    case 'UIDL':
      return listing((mail) => `${inbox.uidValidity}-${mail.uid}`);
    case 'LIST':
      return listing((mail) => String(mail.size));
    case 'RSET':
      deleted.clear();
      return '+OK\r\n';
    case 'DELE':
      if (chosen === undefined) return outOfRange;
      deleted.add(chosen.mail.uid);
      return '+OK\r\n';
    case 'RETR':
    case 'TOP': {
      // Another connection may have deleted it since.
      if (chosen === undefined || !inbox.mails.includes(chosen.mail)) return outOfRange;
      const raw = store.read(chosen.mail).toString('latin1');
      const text = name === 'TOP' ? top(raw, Number(args[1] ?? 0)) : raw;
      return Buffer.from(`+OK\r\n${stuffed(text)}.\r\n`, 'latin1');
    }
    default:
      return '-ERR Protocol error. 14\r\n';
  }
}

/** A dot at the start of a line is doubled (RFC 1939 §3), and the last line ended. */
function stuffed(text: string): string {
  return text.replace(/^\./gm, '..') + (text.endsWith('\n') ? '' : '\r\n');
}

function top(raw: string, lines: number): string {
  const end = /\r?\n\r?\n/.exec(raw);
  if (end === null) return raw;
  const body = raw.slice(end.index + end[0].length).split(/(?<=\n)/);
  return raw.slice(0, end.index + end[0].length) + body.slice(0, Math.max(0, lines)).join('');
}
