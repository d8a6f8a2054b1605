import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { standardFolders } from '../mail-world.ts';
import { type Entry, readJournal, type StoredMail, writeJournal } from './journal.ts';

export interface Folder {
  readonly name: string;
  readonly uidValidity: number;
  uidNext: number;
  /** In the order of their UIDs. */
  mails: StoredMail[];
}

export interface Change {
  readonly folder: Folder;
  /** UIDs whose flags are new; absent when emails came or went. */
  readonly flags?: readonly number[];
}

export type UidPair = readonly [from: number, to: number];

/**
 * One mailbox on disk: `messages/*.eml` and an append-only journal (compacted at each start). A change is
 * in the journal before the caller is notified, by one synchronous write: acknowledged changes survive the
 * death of the process at any moment.
 */
export class MailStore {
  readonly #messages: string;
  readonly #folders = new Map<string, Folder>();
  readonly #uses = new Map<string, number>();
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #journal: number;
  #nextFile = 1;

  /** Opens or makes the mailbox. `now` in milliseconds gives new folders their UIDVALIDITY. */
  constructor(directory: string, now: number) {
    this.#messages = path.join(directory, 'messages');
    mkdirSync(this.#messages, { recursive: true, mode: 0o700 });
    const journalFile = path.join(directory, 'journal.jsonl');
    for (const entry of readJournal(journalFile)) this.#apply(entry);
    for (const file of readdirSync(this.#messages)) {
      this.#nextFile = Math.max(this.#nextFile, Number.parseInt(file, 10) + 1);
      // Written but never acknowledged: the process ended before the journal entry.
      if (!this.#uses.has(file)) rmSync(path.join(this.#messages, file));
    }
    writeJournal(journalFile, [...this.#folders.values()].flatMap(entriesOf));
    this.#journal = openSync(journalFile, 'a', 0o600);
    for (const name of ['INBOX', ...standardFolders]) {
      if (this.folder(name) === undefined) this.create(name, now);
    }
  }

  folders(): readonly Folder[] {
    return [...this.#folders.values()];
  }

  folder(name: string): Folder | undefined {
    return this.#folders.get(name.toUpperCase() === 'INBOX' ? 'INBOX' : name);
  }

  /** A re-created name gets a higher UIDVALIDITY (RFC 3501 §2.3.1.1). */
  create(name: string, now: number): void {
    const highest = Math.max(0, ...this.folders().map(({ uidValidity }) => uidValidity));
    const uidValidity = Math.max(Math.floor(now / 1000), highest + 1);
    this.#record({ op: 'folder', folder: name, uidValidity, uidNext: 1 });
  }

  append(folder: Folder, raw: Uint8Array, options: { flags?: readonly string[]; date: number }): StoredMail {
    const file = `${String(this.#nextFile++).padStart(8, '0')}.eml`;
    writeFileSync(path.join(this.#messages, file), raw, { mode: 0o600 });
    const { flags = [], date } = options;
    const mail = { uid: folder.uidNext, file, size: raw.length, date, flags };
    this.#record({ op: 'add', folder: folder.name, mails: [mail] });
    this.#tell({ folder });
    return mail;
  }

  setFlags(folder: Folder, changes: readonly { uid: number; flags: readonly string[] }[]): void {
    if (changes.length === 0) return;
    this.#record({ op: 'flags', folder: folder.name, changes });
    this.#tell({ folder, flags: changes.map(({ uid }) => uid) });
  }

  remove(folder: Folder, uids: readonly number[]): void {
    if (uids.length === 0) return;
    const files = this.#filesOf(folder, uids);
    this.#record({ op: 'gone', folder: folder.name, uids });
    this.#dropUnused(files);
    this.#tell({ folder });
  }

  copy(folder: Folder, uids: readonly number[], target: Folder): UidPair[] {
    return this.#transfer(folder, uids, target, false);
  }

  /** One journal entry: after a crash an email is in one of the folders, never in both or neither. */
  move(folder: Folder, uids: readonly number[], target: Folder): UidPair[] {
    return this.#transfer(folder, uids, target, true);
  }

  /** The raw mail, or `length` bytes from `start`. */
  read(mail: StoredMail, start = 0, length = mail.size): Buffer {
    const wanted = Math.max(0, Math.min(length, mail.size - start));
    const bytes = Buffer.alloc(wanted);
    const descriptor = openSync(path.join(this.#messages, mail.file), 'r');
    try {
      for (let have = 0; have < wanted; ) {
        const got = readSync(descriptor, bytes, have, wanted - have, start + have);
        if (got === 0) throw new Error(`The stored mail ${mail.file} is shorter than its journal says.`);
        have += got;
      }
    } finally {
      closeSync(descriptor);
    }
    return bytes;
  }

  /** Calls back after each change; the result ends it. */
  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    closeSync(this.#journal);
  }

  #transfer(folder: Folder, uids: readonly number[], target: Folder, leave: boolean): UidPair[] {
    const wanted = new Set(uids);
    const chosen = folder.mails.filter(({ uid }) => wanted.has(uid));
    if (chosen.length === 0) return [];
    const mails = chosen.map((mail, index) => {
      const uid = target.uidNext + index;
      return { ...mail, uid, ...(leave ? {} : { copy: `${target.uidValidity}.${uid}` }) };
    });
    const gone = leave ? { from: folder.name, uids: chosen.map(({ uid }) => uid) } : undefined;
    this.#record({ op: 'add', folder: target.name, mails, ...(gone === undefined ? {} : { gone }) });
    this.#tell({ folder: target });
    if (leave) this.#tell({ folder });
    return chosen.map(({ uid }, index) => [uid, mails[index]?.uid ?? 0]);
  }

  #record(entry: Entry): void {
    writeSync(this.#journal, `${JSON.stringify(entry)}\n`);
    this.#apply(entry);
  }

  #apply(entry: Entry): void {
    const { op } = entry;
    if (op === 'folder') {
      const { folder: name, uidValidity, uidNext } = entry;
      this.#folders.set(name, { name, uidValidity, uidNext, mails: [] });
      return;
    }
    const folder = this.#folders.get(entry.folder);
    if (folder === undefined) throw new Error(`The journal names a folder before making it: ${entry.folder}`);
    if (op === 'add') {
      for (const mail of entry.mails) {
        folder.mails.push({ ...mail });
        folder.uidNext = Math.max(folder.uidNext, mail.uid + 1);
        this.#use(mail.file, 1);
      }
      const source = entry.gone === undefined ? undefined : this.#folders.get(entry.gone.from);
      if (source !== undefined) this.#forget(source, entry.gone?.uids ?? []);
    } else if (op === 'flags') {
      const flagsOf = new Map(entry.changes.map(({ uid, flags }) => [uid, flags]));
      for (const mail of folder.mails) mail.flags = flagsOf.get(mail.uid) ?? mail.flags;
    } else {
      this.#forget(folder, entry.uids);
    }
  }

  #forget(folder: Folder, uids: readonly number[]): void {
    for (const file of this.#filesOf(folder, uids)) this.#use(file, -1);
    const gone = new Set(uids);
    folder.mails = folder.mails.filter(({ uid }) => !gone.has(uid));
  }

  #filesOf(folder: Folder, uids: readonly number[]): string[] {
    const wanted = new Set(uids);
    return folder.mails.filter(({ uid }) => wanted.has(uid)).map(({ file }) => file);
  }

  #use(file: string, change: 1 | -1): void {
    const uses = (this.#uses.get(file) ?? 0) + change;
    if (uses > 0) this.#uses.set(file, uses);
    else this.#uses.delete(file);
  }

  #dropUnused(files: readonly string[]): void {
    for (const file of files) {
      if (!this.#uses.has(file)) rmSync(path.join(this.#messages, file), { force: true });
    }
  }

  #tell(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }
}

function entriesOf(folder: Folder): Entry[] {
  const { name, uidValidity, uidNext, mails } = folder;
  const made: Entry = { op: 'folder', folder: name, uidValidity, uidNext };
  return mails.length === 0 ? [made] : [made, { op: 'add', folder: name, mails }];
}
