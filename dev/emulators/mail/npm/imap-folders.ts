import { BadCommand, quoted, type Token, textOfToken } from './imap-command.ts';
import { canonicalFlag, chosenMails, compactSet, type Selected } from './imap-messages.ts';
import type { Folder, MailStore, UidPair } from './mail-store.ts';

/** Untagged lines, then the completion: `OK`, `NO` or `BAD` with its text. */
export interface Answer {
  readonly lines: readonly string[];
  readonly outcome: string;
}

export function listFolders(store: MailStore, name: string, reference: string, pattern: string): Answer {
  const outcome = `OK ${name} completed.`;
  if (pattern === '') return { lines: [`* ${name} (\\Noselect) "/" ""`], outcome };
  const expression = `${reference}${pattern}`
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('%', '[^/]*');
  const matches = new RegExp(`^${expression}$`, 'i');
  const names = store.folders().map((folder) => folder.name);
  const lines = names
    .filter((one) => matches.test(one))
    .map((one) => {
      const children = names.some((other) => other.startsWith(`${one}/`));
      return `* ${name} (\\${children ? 'HasChildren' : 'HasNoChildren'}) "/" ${quoted(one)}`;
    });
  return { lines, outcome };
}

export function openFolder(folder: Folder, readOnly: boolean): Selected {
  return { folder, readOnly, view: folder.mails.map(({ uid }) => uid), changed: new Set() };
}

/** The response data of SELECT and EXAMINE; undefined: no folder of that name. */
export function described(selected: Selected | undefined, name: string, folderName: string): Answer {
  if (selected === undefined) return { lines: [], outcome: `NO ${folderName} doesn't exist.` };
  const { folder, readOnly, view } = selected;
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
  return { lines, outcome: `OK [READ-${readOnly ? 'ONLY' : 'WRITE'}] ${name} completed.` };
}

export function status(store: MailStore, name: string, wanted: readonly Token[]): Answer {
  const folder = store.folder(name);
  if (folder === undefined) return { lines: [], outcome: `NO ${name} doesn't exist.` };
  const values: Record<string, () => number> = {
    MESSAGES: () => folder.mails.length,
    RECENT: () => 0,
    UIDNEXT: () => folder.uidNext,
    UIDVALIDITY: () => folder.uidValidity,
    UNSEEN: () => folder.mails.filter(({ flags }) => !flags.includes('\\Seen')).length,
  };
  const items = wanted.map(textOfToken).map((item) => {
    const value = values[item.toUpperCase()];
    if (value === undefined) throw new BadCommand('Command Argument Error. 11');
    return `${item.toUpperCase()} ${value()}`;
  });
  return { lines: [`* STATUS ${quoted(folder.name)} (${items.join(' ')})`], outcome: 'OK STATUS completed.' };
}

/** `now` in milliseconds is the date of an email that comes without one. */
export function append(store: MailStore, args: readonly Token[], now: number): string {
  const [name, ...rest] = args;
  const mail = rest.pop();
  const folder = store.folder(textOfToken(name));
  if (folder === undefined) return `NO [TRYCREATE] ${textOfToken(name)} doesn't exist.`;
  if (mail?.kind !== 'string') throw new BadCommand('Command Argument Error. 11');
  let flags: string[] = [];
  let date = now;
  for (const option of rest) {
    if (option.kind === 'list') flags = option.items.map(textOfToken).map(canonicalFlag);
    else date = readInternalDate(textOfToken(option));
  }
  const { uid } = store.append(folder, mail.bytes, { flags, date });
  return `OK [APPENDUID ${folder.uidValidity} ${uid}] APPEND completed.`;
}

export function transfer(
  store: MailStore,
  selected: Selected,
  verb: 'COPY' | 'MOVE',
  args: readonly Token[],
  byUid: boolean,
): Answer {
  const target = store.folder(textOfToken(args[1]));
  if (target === undefined)
    return { lines: [], outcome: `NO [TRYCREATE] ${textOfToken(args[1])} doesn't exist.` };
  const uids = chosenMails(selected, textOfToken(args[0]), byUid).map(({ mail }) => mail.uid);
  if (verb === 'COPY') {
    return {
      lines: [],
      outcome: `OK ${copyUid(target, store.copy(selected.folder, uids, target))}COPY completed.`,
    };
  }
  const code = copyUid(target, store.move(selected.folder, uids, target));
  // RFC 6851 §4.3: the map comes before the EXPUNGEs.
  return { lines: code === '' ? [] : [`* OK ${code}Moved`], outcome: 'OK MOVE completed.' };
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
