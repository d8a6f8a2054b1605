import { openRecords } from '../platform/open-records.ts';
import { listAll, type Row, type Tables } from '../platform/tables.ts';
import { readRows } from '../platform/unreadable-rows.ts';
import { type ConnectionTest, isWaiting } from './connection-test.ts';
import {
  connectionTestKind,
  MARKS,
  type MailboxTest,
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
  /** Replaces all earlier tests. */
  save(mailboxId: string, tests: readonly ConnectionTest[]): Promise<void>;
  /** Stores the result of a waiting test; ignored when another test has started since. */
  saveResult(mailboxId: string, test: ConnectionTest): Promise<void>;
  /** Mailboxes with a test that waits for its email; some may have a result by now. */
  waiting(): Promise<WaitingMailbox[]>;
  /** Removes a mailbox from that list, unless another test has started to wait since it was read. */
  endWait(waiting: WaitingMailbox): Promise<void>;
  remove(mailboxId: string): Promise<void>;
  /**
   * Registers the mark of a test email before it is sent.
   * @param now milliseconds since the epoch
   */
  expectMark(mark: string, now: number): Promise<void>;
  /** True for the mark of a recently sent email; records its arrival. */
  takeMark(mark: string): Promise<boolean>;
  /** True once the intake has processed the email with this mark. */
  isTaken(mark: string): Promise<boolean>;
}

/** Mail servers give up delivery long before this many days. */
const MARK_DAYS = 7;
const DAY_MS = 86_400_000;

/**
 * The last connection test of each mailbox, in the table ConnectionTests. Every method throws PostroomError
 * if storage is unavailable.
 */
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
      // Written after the tests, so that a reader of this row finds them.
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
      // Marks without a time are purged too.
      const isRecent = ({ sentAt }: Row): boolean =>
        typeof sentAt === 'string' && now - Date.parse(sentAt) <= MARK_DAYS * DAY_MS;
      for (const row of await listAll(table, MARKS))
        if (!isRecent(row)) await marks.remove(MARKS, row.rowKey);
      await marks.put({ mark, sentAt: new Date(now).toISOString(), taken: false });
    },
    // An unreadable mark is ignored: its email becomes a normal ticket and stops no fetch.
    async takeMark(mark) {
      const sent = await marks.find(MARKS, mark);
      if (sent?.taken === false) await marks.put({ ...sent, taken: true });
      return sent !== undefined;
    },
    isTaken: async (mark) => (await marks.find(MARKS, mark))?.taken === true,
  };
}

const testOf = ({ mailboxId: _, ...test }: MailboxTest): ConnectionTest => test;
