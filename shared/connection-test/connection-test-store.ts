import { openRecords } from '../platform/records.ts';
import { listAll, type Row, type Tables } from '../platform/tables.ts';
import { readRows } from '../platform/unreadable-rows.ts';
import { type ConnectionTest, isWaiting } from './connection-test.ts';
import {
  connectionTestKind,
  type MailboxTest,
  MARKS,
  markKind,
  WAITING,
  waitingKind,
} from './connection-test-records.ts';

export interface WaitingMailbox {
  mailboxId: string;
  etag: string;
}

export interface ConnectionTestStore {
  /** The last tests of a mailbox, IMAP first. */
  of(mailboxId: string): Promise<ConnectionTest[]>;
  /** Takes the place of all tests there were. */
  save(mailboxId: string, tests: readonly ConnectionTest[]): Promise<void>;
  /** What became of a test that waited; nothing where another test has begun meanwhile. */
  saveResult(mailboxId: string, test: ConnectionTest): Promise<void>;
  /** Mailboxes of which a test waits for its mail; some may have been settled meanwhile. */
  waiting(): Promise<WaitingMailbox[]>;
  /** Takes a mailbox off that list, unless another test has begun to wait since it was read. */
  endWait(waiting: WaitingMailbox): Promise<void>;
  remove(mailboxId: string): Promise<void>;
  /** An email to oneself with this mark is about to be sent. @param now milliseconds since the epoch */
  expectMark(mark: string, now: number): Promise<void>;
  /** True for the mark of an email that was sent in the last days; notes that it arrived. */
  takeMark(mark: string): Promise<boolean>;
  /** True once the intake has taken the email with this mark. */
  isTaken(mark: string): Promise<boolean>;
}

/** An email that has not arrived after so many days has long been given up by its mail servers. */
const MARK_DAYS = 7;
const DAY_MS = 86_400_000;

export function createConnectionTestStore(tables: Tables): ConnectionTestStore {
  const table = tables.open('ConnectionTests');
  const tests = openRecords(tables, connectionTestKind);
  const waits = openRecords(tables, waitingKind);
  const marks = openRecords(tables, markKind);
  return {
    of: async (mailboxId) => (await tests.list(mailboxId)).map(testOf),
    async save(mailboxId, next) {
      const tested = new Set<string>(next.map(({ protocol }) => protocol));
      const gone = (await listAll(table, mailboxId)).filter(({ rowKey }) => !tested.has(rowKey));
      for (const { rowKey } of gone) await tests.remove(mailboxId, rowKey);
      const puts = next.map((test) => ({
        kind: 'put' as const,
        row: connectionTestKind.toRow({ mailboxId, ...test }),
      }));
      if (puts.length > 0) await table.commit(mailboxId, puts);
      // After the tests: whoever finds them waiting finds them there.
      if (next.some(isWaiting)) await waits.put({ mailboxId });
    },
    async saveResult(mailboxId, test) {
      const stored = await tests.get(mailboxId, test.protocol);
      if (stored?.record.startedAt !== test.startedAt) return;
      await tests.replace({ mailboxId, ...test }, stored.etag);
    },
    async waiting() {
      const place = { table: 'ConnectionTests', partition: WAITING } as const;
      return readRows(tables, place, await listAll(table, WAITING), (row) => ({
        ...waitingKind.fromRow(row),
        etag: row.etag ?? '',
      }));
    },
    async endWait({ mailboxId, etag }) {
      await waits.remove(WAITING, mailboxId, etag);
    },
    async remove(mailboxId) {
      for (const { rowKey } of await listAll(table, mailboxId)) await tests.remove(mailboxId, rowKey);
      await waits.remove(WAITING, mailboxId);
    },
    async expectMark(mark, now) {
      // One without a time goes, too.
      const isRecent = ({ sentAt }: Row): boolean =>
        typeof sentAt === 'string' && now - Date.parse(sentAt) <= MARK_DAYS * DAY_MS;
      for (const row of await listAll(table, MARKS))
        if (!isRecent(row)) await marks.remove(MARKS, row.rowKey);
      await marks.put({ mark, sentAt: new Date(now).toISOString(), taken: false });
    },
    // A mark that cannot be read is none: its email becomes a ticket like any other, and stops no fetch.
    async takeMark(mark) {
      const sent = await marks.find(MARKS, mark);
      if (sent?.taken === false) await marks.put({ ...sent, taken: true });
      return sent !== undefined;
    },
    isTaken: async (mark) => (await marks.find(MARKS, mark))?.taken === true,
  };
}

const testOf = ({ mailboxId: _, ...test }: MailboxTest): ConnectionTest => test;
