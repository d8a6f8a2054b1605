import { PostroomError } from '../platform/errors.ts';
import { listAll, type Row, type Tables } from '../platform/tables.ts';
import { type ConnectionTest, isWaiting } from './connection-test.ts';

// ConnectionTests: mailbox / protocol    the last test of each protocol; a new one takes its place
//                  `waiting` / mailbox    of which a test waits for its mail, so that one request finds them
//                  `mark` / mark          an email to oneself that was sent; the intake notes there that it arrived
// The transcript has a column of its own: each takes 32 Ki characters.
const MOST_CHARACTERS = 30_000;

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

const WAITING = 'waiting';
const MARK = 'mark';
/** An email that has not arrived after so many days has long been given up by its mail servers. */
const MARK_DAYS = 7;
const DAY_MS = 86_400_000;

export function createConnectionTestStore(tables: Tables): ConnectionTestStore {
  const table = tables.open('ConnectionTests');
  return {
    async of(mailboxId) {
      return (await listAll(table, mailboxId)).map(testOf);
    },
    async save(mailboxId, tests) {
      const tested = new Set<string>(tests.map(({ protocol }) => protocol));
      const gone = (await listAll(table, mailboxId)).filter(({ rowKey }) => !tested.has(rowKey));
      for (const { rowKey } of gone) await table.commit(mailboxId, [{ kind: 'remove', rowKey }]);
      const puts = tests.map((test) => ({ kind: 'put' as const, row: rowOf(mailboxId, test) }));
      if (puts.length > 0) await table.commit(mailboxId, puts);
      // After the tests: whoever finds them waiting finds them there.
      const row: Row = { partitionKey: WAITING, rowKey: mailboxId };
      if (tests.some(isWaiting)) await table.commit(WAITING, [{ kind: 'put', row }]);
    },
    async saveResult(mailboxId, test) {
      const row = await table.get(mailboxId, test.protocol);
      if (row?.etag === undefined || testOf(row).startedAt !== test.startedAt) return;
      await table.commit(mailboxId, [{ kind: 'replace', row: rowOf(mailboxId, test), etag: row.etag }]);
    },
    async waiting() {
      const rows = await listAll(table, WAITING);
      return rows.map(({ rowKey, etag = '' }) => ({ mailboxId: rowKey, etag }));
    },
    async endWait({ mailboxId, etag }) {
      await table.commit(WAITING, [{ kind: 'remove', rowKey: mailboxId, etag }]);
    },
    async remove(mailboxId) {
      for (const { rowKey } of await listAll(table, mailboxId))
        await table.commit(mailboxId, [{ kind: 'remove', rowKey }]);
      await table.commit(WAITING, [{ kind: 'remove', rowKey: mailboxId }]);
    },
    async expectMark(mark, now) {
      const isOld = ({ sentAt }: Row): boolean =>
        typeof sentAt !== 'string' || now - Date.parse(sentAt) > MARK_DAYS * DAY_MS;
      for (const { rowKey } of (await listAll(table, MARK)).filter(isOld))
        await table.commit(MARK, [{ kind: 'remove', rowKey }]);
      const row: Row = { partitionKey: MARK, rowKey: mark, sentAt: new Date(now).toISOString() };
      await table.commit(MARK, [{ kind: 'put', row }]);
    },
    async takeMark(mark) {
      const row = await table.get(MARK, mark);
      if (row === undefined) return false;
      const { sentAt, taken } = row;
      const noted: Row = { partitionKey: MARK, rowKey: mark, sentAt, taken: true };
      if (taken !== true) await table.commit(MARK, [{ kind: 'put', row: noted }]);
      return true;
    },
    async isTaken(mark) {
      return (await table.get(MARK, mark))?.['taken'] === true;
    },
  };
}

function rowOf(mailboxId: string, { transcript, ...test }: ConnectionTest): Row {
  return {
    partitionKey: mailboxId,
    rowKey: test.protocol,
    json: JSON.stringify(test),
    transcript: transcript.join('\n').slice(0, MOST_CHARACTERS),
  };
}

function testOf(row: Row): ConnectionTest {
  const { json, transcript } = row;
  if (typeof json !== 'string' || typeof transcript !== 'string')
    throw new PostroomError('bad-row', `The test ${row.rowKey} of mailbox ${row.partitionKey} has no result`);
  return { ...(JSON.parse(json) as Omit<ConnectionTest, 'transcript'>), transcript: transcript.split('\n') };
}
