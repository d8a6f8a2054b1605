import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

export interface StoredMail {
  readonly uid: number;
  /** Name of the file with the raw mail; copies share it. */
  readonly file: string;
  /** Bytes. */
  readonly size: number;
  /** INTERNALDATE, milliseconds since the epoch. */
  readonly date: number;
  /** Tells the copies of an email apart, which share their file: `UIDVALIDITY.UID` of the folder where it was made. */
  readonly copy?: string;
  flags: readonly string[];
}

/** What happened to a mailbox, one line of JSON each. */
export type Entry =
  | { readonly op: 'folder'; readonly folder: string; readonly uidValidity: number; readonly uidNext: number }
  | {
      readonly op: 'add';
      readonly folder: string;
      readonly mails: readonly StoredMail[];
      /** A move: these left their folder by the same entry. */
      readonly gone?: { readonly from: string; readonly uids: readonly number[] };
    }
  | {
      readonly op: 'flags';
      readonly folder: string;
      readonly changes: readonly { readonly uid: number; readonly flags: readonly string[] }[];
    }
  | { readonly op: 'gone'; readonly folder: string; readonly uids: readonly number[] };

/** All complete entries. A last line without a line end was truncated by a crash and never acknowledged. */
export function readJournal(file: string): Entry[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Entry);
}

/** Replaces the journal by one rename: either the old or the new one exists. */
export function writeJournal(file: string, entries: readonly Entry[]): void {
  const fresh = `${file}.new`;
  writeFileSync(fresh, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''), { mode: 0o600 });
  renameSync(fresh, file);
}
