import { BadCommand, listOf, readSet, type Token, textOfToken } from './imap-command.ts';
import { type Candidate, readCriteria } from './imap-search.ts';
import { bodyStructure, envelope, section } from './imap-structure.ts';
import type { StoredMail } from './journal.ts';
import type { Folder, MailStore } from './mail-store.ts';
import { type Entity, readEntity } from './mime-structure.ts';

/** A folder as one connection sees it: sequence numbers change only when the client has been told. */
export interface Selected {
  readonly folder: Folder;
  readonly readOnly: boolean;
  /** UIDs in the order of their sequence numbers. */
  view: number[];
  /** UIDs whose flags somebody else changed. */
  readonly changed: Set<number>;
}

export interface Numbered {
  readonly mail: StoredMail;
  readonly number: number;
}

/** The emails a set names, in their order; those already gone are left out. */
export function chosenMails(selected: Selected, set: string, byUid: boolean): Numbered[] {
  const inSet = readSet(set, byUid ? (selected.view.at(-1) ?? 0) : selected.view.length);
  const present = new Map(selected.folder.mails.map((mail) => [mail.uid, mail]));
  return selected.view.flatMap((uid, index) => {
    const mail = present.get(uid);
    return mail !== undefined && inSet(byUid ? uid : index + 1) ? [{ mail, number: index + 1 }] : [];
  });
}

/** Numbers (or UIDs) of the emails that match. */
export function search(
  store: MailStore,
  selected: Selected,
  keys: readonly Token[],
  byUid: boolean,
): number[] {
  const all = chosenMails(selected, '1:*', true);
  const matches = readCriteria(keys, { number: selected.view.length, uid: selected.view.at(-1) ?? 0 });
  return all
    .filter(({ mail, number }) => {
      let raw: Buffer | undefined;
      const candidate: Candidate = {
        mail,
        number,
        raw() {
          raw ??= store.read(mail);
          return raw;
        },
      };
      return matches(candidate);
    })
    .map(({ mail, number }) => (byUid ? mail.uid : number));
}

interface FetchItem {
  /** As the answer names it. */
  readonly label: string;
  readonly value: (mail: OpenMail) => string | Buffer;
  readonly setsSeen?: boolean;
}

interface OpenMail {
  readonly mail: StoredMail;
  readonly range: (start: number, length: number) => Buffer;
  readonly raw: () => Buffer;
  readonly entity: () => Entity;
}

const macros: Record<string, readonly string[]> = {
  FAST: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE'],
  ALL: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE'],
  FULL: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE', 'BODY'],
};

export interface FetchPlan {
  readonly setsSeen: boolean;
  /** One mail's items as they stand between the parentheses of `* n FETCH (…)`. */
  answer(store: MailStore, mail: StoredMail): Buffer;
}

/** Reads what FETCH asks for (RFC 3501 §6.4.5). */
export function readFetchPlan(token: Token | undefined, byUid: boolean): FetchPlan {
  const words = token?.kind === 'list' ? listOf(token).map(textOfToken) : [textOfToken(token)];
  const [only = ''] = words;
  const names = words.length === 1 ? (macros[only.toUpperCase()] ?? words) : words;
  const items = names.map(readItem);
  if (byUid && !items.some(({ label }) => label === 'UID')) items.unshift(readItem('UID'));
  const setsSeen = items.some((item) => item.setsSeen === true);
  if (setsSeen && !items.some(({ label }) => label === 'FLAGS')) items.push(readItem('FLAGS'));
  return {
    setsSeen,
    answer(store, mail) {
      const open = openMail(store, mail);
      const pieces: Buffer[] = [];
      for (const [index, { label, value }] of items.entries()) {
        const data = value(open);
        const lead = `${index === 0 ? '' : ' '}${label} `;
        if (typeof data === 'string') pieces.push(Buffer.from(lead + data, 'latin1'));
        else pieces.push(Buffer.from(`${lead}{${data.length}}\r\n`, 'latin1'), data);
      }
      return Buffer.concat(pieces);
    },
  };
}

function openMail(store: MailStore, mail: StoredMail): OpenMail {
  let raw: Buffer | undefined;
  let entity: Entity | undefined;
  const all = () => {
    raw ??= store.read(mail);
    return raw;
  };
  return {
    mail,
    raw: all,
    range: (start, length) => store.read(mail, start, length),
    entity() {
      entity ??= readEntity(all());
      return entity;
    },
  };
}

function readItem(word: string): FetchItem {
  const label = word.toUpperCase();
  switch (label) {
    case 'UID':
      return { label, value: ({ mail }) => String(mail.uid) };
    case 'FLAGS':
      return { label, value: ({ mail }) => flagList(mail.flags) };
    case 'RFC822.SIZE':
      return { label, value: ({ mail }) => String(mail.size) };
    case 'INTERNALDATE':
      return { label, value: ({ mail }) => `"${internalDate(mail.date)}"` };
    case 'ENVELOPE':
      return { label, value: ({ entity }) => envelope(entity()) };
    case 'BODY':
    case 'BODYSTRUCTURE':
      return { label, value: ({ raw, entity }) => bodyStructure(raw(), entity(), label === 'BODYSTRUCTURE') };
    case 'RFC822':
      return { ...sectionItem('', undefined, true), label };
    case 'RFC822.HEADER':
      return { ...sectionItem('HEADER', undefined, false), label };
    case 'RFC822.TEXT':
      return { ...sectionItem('TEXT', undefined, true), label };
    default: {
      const body = /^BODY(\.PEEK)?\[([^\]]*)\](?:<(\d+)\.(\d+)>)?$/i.exec(word);
      if (body === null) throw new BadCommand('Command Argument Error. 11');
      const [, peek, name = '', start, length] = body;
      const partial = start === undefined ? undefined : { start: Number(start), length: Number(length) };
      return sectionItem(name, partial, peek === undefined);
    }
  }
}

function sectionItem(
  name: string,
  partial: { start: number; length: number } | undefined,
  setsSeen: boolean,
): FetchItem {
  const label = `BODY[${name}]${partial === undefined ? '' : `<${partial.start}>`}`;
  const value = (mail: OpenMail): string | Buffer => {
    // A partial FETCH of a large email reads only that part from disk.
    if (name === '' && partial !== undefined) return mail.range(partial.start, partial.length);
    const bytes = section(mail.raw(), mail.entity(), name);
    if (bytes === undefined) return 'NIL';
    return partial === undefined ? bytes : bytes.subarray(partial.start, partial.start + partial.length);
  };
  return { label, value, setsSeen };
}

/** The flags after STORE; undefined when nothing changes. */
export function readStore(name: string, token: readonly Token[]): (flags: readonly string[]) => string[] {
  const [first] = token;
  const words = (first?.kind === 'list' ? first.items : token).map(textOfToken).map(canonicalFlag);
  const lower = new Set(words.map((word) => word.toLowerCase()));
  switch (/^([+-]?)FLAGS(\.SILENT)?$/i.exec(name)?.[1]) {
    case '+':
      return (flags) => [...new Set([...flags, ...words])];
    case '-':
      return (flags) => flags.filter((flag) => !lower.has(flag.toLowerCase()));
    case '':
      return () => [...new Set(words)];
    default:
      throw new BadCommand('Command Argument Error. 11');
  }
}

const systemFlags = ['\\Seen', '\\Answered', '\\Flagged', '\\Deleted', '\\Draft'];

/** Flag names are case-insensitive: `\seen` is `\Seen`. */
export function canonicalFlag(flag: string): string {
  return systemFlags.find((known) => known.toLowerCase() === flag.toLowerCase()) ?? flag;
}

export function flagList(flags: readonly string[]): string {
  return `(${flags.join(' ')})`;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function internalDate(time: number): string {
  const date = new Date(time);
  const day = String(date.getUTCDate()).padStart(2, ' ');
  return `${day}-${months[date.getUTCMonth()]}-${date.getUTCFullYear()} ${date.toISOString().slice(11, 19)} +0000`;
}

/** `3,5:7` from `3 5 6 7`, in the order given. */
export function compactSet(numbers: readonly number[]): string {
  const ranges: { from: number; to: number }[] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last !== undefined && last.to + 1 === number) last.to = number;
    else ranges.push({ from: number, to: number });
  }
  return ranges.map(({ from, to }) => (from === to ? String(from) : `${from}:${to}`)).join(',');
}

/** Mails of the open folder that are marked to be expunged. */
export function deletedUids({ folder, view }: Selected): number[] {
  const known = new Set(view);
  return folder.mails
    .filter(({ uid, flags }) => known.has(uid) && flags.includes('\\Deleted'))
    .map(({ uid }) => uid);
}

/** Changes by other connections since the last report: first removals, then additions, then flags. */
export function takeNews(selected: Selected, mayRenumber: boolean): string {
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
  return text;
}
