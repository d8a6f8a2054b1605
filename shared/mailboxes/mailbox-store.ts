import { PostroomError } from '../platform/errors.ts';
import { listAll, type Row, type Tables } from '../platform/tables.ts';
import { isFromFuture } from '../platform/trusted-time.ts';
import { readRows } from '../platform/unreadable-rows.ts';
import { type Cursor, cursorColumns, cursorOf } from './cursor.ts';
import { type MailHour, summed } from './mail-hours.ts';
import { type MailLoop, mailLoopOf } from './mail-loops.ts';
import type { Mailbox, MailboxHealth } from './mailbox.ts';

// Mailboxes:    `mailbox` / id                    the mailbox as a person set it up
//               `removed` / id                    its address, once it is deleted: what was kept of its mail stays
// MailboxState: `state` / `<mailboxId>|cursor`    how far its folder was read; written when a fetch found something
//               `state` / `<mailboxId>|health`    what stops it, when something does; written on change
//               `state` / `shard|<n>`             last success of every mailbox of a shard, and its emails of the last
//                                                 hours; one write a shard run
//               `state` / `loop|<mailboxId>`      see mail-loops.ts
//               `state` / `over|<shared cause>`   when something that stopped many mailboxes was seen to be over
// One query over `state` therefore tells all there is to know about a shard.
const MAILBOX = 'mailbox';
const REMOVED = 'removed';
const STATE = 'state';

export interface Trouble {
  state: 'retrying' | 'needs-person';
  code: string;
  problem: string;
  /** The mail server's own words, where it is the one that fails. */
  said?: string | undefined;
  since: string;
  failures: number;
  /** ISO time of the fetch that failed last. */
  triedAt: string;
  nextTryAt: string;
}

export interface FetchState {
  cursors: ReadonlyMap<string, Cursor>;
  troubles: ReadonlyMap<string, Trouble>;
  /** Mailbox id → ISO time of the last fetch that worked. */
  successes: ReadonlyMap<string, string>;
  /** The same as each shard's row has it. */
  shards: ReadonlyMap<number, ReadonlyMap<string, string>>;
  /** Mails by the hour, as each shard's row has them. */
  hours: ReadonlyMap<number, readonly MailHour[]>;
  /** Shared cause (see `sharedCauseOf`) → ISO time at which a fetch showed that it was over. */
  recoveries: ReadonlyMap<string, string>;
  /** The last automatic mail that was folded away, a mailbox each. */
  loops: readonly MailLoop[];
}

/**
 * ISO time of the last fetch of a mailbox that worked. A time that a clock wrote which has been set back since counts for
 * nothing, else the mailbox would stay unfetched, and unmissed, until that time comes. Pure.
 * @param now milliseconds since the epoch
 */
export function lastSuccessOf(
  { successes, shards }: Pick<FetchState, 'successes' | 'shards'>,
  mailboxId: string,
  now: number,
): string | undefined {
  const all = [successes, ...shards.values()].flatMap((shard) => shard.get(mailboxId) ?? []);
  return all.filter((at) => !isFromFuture(at, now)).reduce<string | undefined>(later, undefined);
}

const later = (one: string | undefined, other: string): string =>
  one === undefined || other > one ? other : one;

/** Mails by the hour of all shards, oldest first. */
export const mailHours = ({ hours }: Pick<FetchState, 'hours'>): MailHour[] =>
  summed([...hours.values()].flat());

export interface MailboxStore {
  list(): Promise<Mailbox[]>;
  get(id: string): Promise<Mailbox | undefined>;
  save(mailbox: Mailbox): Promise<void>;
  /** Its mail stays where it is, on the server and in storage. */
  remove(id: string): Promise<void>;
  /** Mailboxes that were deleted. */
  removed(): Promise<{ id: string; address: string }[]>;
  health(): Promise<ReadonlyMap<string, MailboxHealth>>;
  fetchState(): Promise<FetchState>;
  saveCursor(mailboxId: string, cursor: Cursor): Promise<void>;
  saveTrouble(mailboxId: string, trouble: Trouble | undefined): Promise<void>;
  /** A shared cause is over: everything that waited for it is due. @param at ISO time */
  saveRecovery(cause: string, at: string): Promise<void>;
  saveSuccesses(
    shard: number,
    successes: ReadonlyMap<string, string>,
    hours?: readonly MailHour[],
  ): Promise<void>;
}

/** Mailboxes and their state on the tables of these names. Every method throws PostroomError where storage is away. */
export function createMailboxStore(tables: Tables): MailboxStore {
  const mailboxes = tables.open('Mailboxes');
  const state = tables.open('MailboxState');
  const list = async (): Promise<Mailbox[]> =>
    readRows(
      tables,
      { table: 'Mailboxes', partition: MAILBOX },
      await listAll(mailboxes, MAILBOX),
      mailboxOf,
    );
  const fetchState = async (): Promise<FetchState> => stateOf(tables, await listAll(state, STATE));
  const put = async (rowKey: string, columns: Record<string, string | number | undefined>): Promise<void> => {
    await state.commit(STATE, [{ kind: 'put', row: { partitionKey: STATE, rowKey, ...columns } }]);
  };

  return {
    list,
    fetchState,
    async get(id) {
      const row = await mailboxes.get(MAILBOX, id);
      return row === undefined ? undefined : mailboxOf(row);
    },
    async save(mailbox) {
      const { id, ...rest } = mailbox;
      const row = { partitionKey: MAILBOX, rowKey: id, json: JSON.stringify(rest) };
      await mailboxes.commit(MAILBOX, [{ kind: 'put', row }]);
    },
    async remove(id) {
      const row = await mailboxes.get(MAILBOX, id);
      // First of all, so that no moment leaves its quarantine without a name.
      if (row !== undefined) {
        const { address } = mailboxOf(row);
        await mailboxes.commit(REMOVED, [
          { kind: 'put', row: { partitionKey: REMOVED, rowKey: id, address } },
        ]);
      }
      await mailboxes.commit(MAILBOX, [{ kind: 'remove', rowKey: id }]);
      await state.commit(STATE, [{ kind: 'remove', rowKey: `${id}|health` }]);
    },
    async removed() {
      const rows = await listAll(mailboxes, REMOVED);
      return rows.map((row) => ({ id: row.rowKey, address: text(row, 'address') }));
    },
    async health() {
      const [all, known] = await Promise.all([list(), fetchState()]);
      return new Map(all.map((mailbox) => [mailbox.id, healthOf(mailbox, known)]));
    },
    saveCursor: (mailboxId, cursor) => put(`${mailboxId}|cursor`, cursorColumns(cursor)),
    async saveTrouble(mailboxId, trouble) {
      const rowKey = `${mailboxId}|health`;
      if (trouble === undefined) await state.commit(STATE, [{ kind: 'remove', rowKey }]);
      else await put(rowKey, { ...trouble });
    },
    saveRecovery: (cause, at) => put(`over|${cause}`, { at }),
    saveSuccesses: (shard, successes, hours = []) =>
      put(`shard|${String(shard).padStart(5, '0')}`, {
        successes: JSON.stringify([...successes]),
        hours: JSON.stringify(hours.map(({ hour, mails, quarantined }) => [hour, mails, quarantined])),
      }),
  };
}

function mailboxOf(row: Row): Mailbox {
  const json = row['json'];
  const settings: unknown = typeof json === 'string' ? JSON.parse(json) : undefined;
  if (!hasSettings(settings))
    throw new PostroomError('bad-row', `Mailbox ${row.rowKey} does not hold the settings of a mailbox`);
  return { ...settings, id: row.rowKey };
}

const TEXTS = ['address', 'protocol', 'host', 'folder', 'providerId', 'accountId', 'createdAt'];

/** Whether everything is there without which a mailbox can be neither fetched nor shown. */
function hasSettings(value: unknown): value is Omit<Mailbox, 'id'> {
  if (typeof value !== 'object' || value === null) return false;
  const of = new Map<string, unknown>(Object.entries(value));
  const after = of.get('afterFetch');
  return (
    TEXTS.every((name) => typeof of.get(name) === 'string') &&
    typeof of.get('port') === 'number' &&
    typeof of.get('intervalMinutes') === 'number' &&
    typeof of.get('enabled') === 'boolean' &&
    typeof after === 'object' &&
    after !== null &&
    'kind' in after &&
    ['mark-seen', 'move', 'delete'].includes(String(after.kind))
  );
}

const text = (row: Row, column: string): string => {
  const value = row[column];
  return typeof value === 'string' ? value : '';
};

function stateOf(tables: Tables, rows: readonly Row[]): FetchState {
  const cursors = new Map<string, Cursor>();
  const troubles = new Map<string, Trouble>();
  const successes = new Map<string, string>();
  const shards = new Map<number, ReadonlyMap<string, string>>();
  const hours = new Map<number, readonly MailHour[]>();
  const recoveries = new Map<string, string>();
  const loops: MailLoop[] = [];
  readRows(tables, { table: 'MailboxState', partition: STATE }, rows, (row) => {
    const [first = '', second = ''] = row.rowKey.split('|');
    if (first === 'loop') loops.push(mailLoopOf(row));
    else if (first === 'over') recoveries.set(row.rowKey.slice('over|'.length), text(row, 'at'));
    else if (first === 'shard') {
      const shard = new Map(pairsOf(row));
      const ofShard = hoursOf(row);
      shards.set(Number(second), shard);
      hours.set(Number(second), ofShard);
      for (const [id, at] of shard) successes.set(id, later(successes.get(id), at));
    } else if (second === 'cursor') cursors.set(first, cursorOf(row));
    else if (second === 'health') troubles.set(first, troubleOf(row));
  });
  return { cursors, troubles, successes, shards, hours, recoveries, loops };
}

const bad = (row: Row, what: string): PostroomError =>
  new PostroomError('bad-row', `MailboxState/${row.rowKey} does not hold ${what}`);

function pairsOf(row: Row): [string, string][] {
  const pairs: unknown = JSON.parse(text(row, 'successes'));
  const isPair = (pair: unknown): boolean =>
    Array.isArray(pair) && pair.length === 2 && pair.every((one) => typeof one === 'string');
  if (!Array.isArray(pairs) || !pairs.every(isPair)) throw bad(row, 'the last successes of a shard');
  return pairs as [string, string][];
}

function hoursOf(row: Row): MailHour[] {
  const entries: unknown = JSON.parse(text(row, 'hours') || '[]');
  const isEntry = (entry: unknown): boolean =>
    Array.isArray(entry) && typeof entry[0] === 'string' && typeof entry[1] === 'number';
  if (!Array.isArray(entries) || !entries.every(isEntry)) throw bad(row, 'emails by the hour');
  return (entries as [string, number, number][]).map(([hour, mails, quarantined]) => ({
    hour,
    mails,
    quarantined,
  }));
}

/** A time that cannot be read is long ago: the next fetch comes at once and writes the row anew, or takes it away. */
function time(row: Row, column: string): string {
  const value = text(row, column);
  return Number.isNaN(Date.parse(value)) ? new Date(0).toISOString() : value;
}

function troubleOf(row: Row): Trouble {
  return {
    state: row['state'] === 'needs-person' ? 'needs-person' : 'retrying',
    code: text(row, 'code'),
    problem: text(row, 'problem'),
    ...(typeof row['said'] === 'string' && { said: row['said'] }),
    since: time(row, 'since'),
    failures: typeof row['failures'] === 'number' ? row['failures'] : 1,
    triedAt: time(row, 'triedAt'),
    nextTryAt: time(row, 'nextTryAt'),
  };
}

/** What the last fetches said of a mailbox. Pure. */
export function healthOf(mailbox: Mailbox, known: FetchState): MailboxHealth {
  const trouble = known.troubles.get(mailbox.id);
  const lastSuccessAt = known.successes.get(mailbox.id);
  return {
    mailboxId: mailbox.id,
    state: trouble?.state ?? 'works',
    since: trouble?.since ?? lastSuccessAt ?? mailbox.createdAt,
    problem: trouble?.problem,
    code: trouble?.code,
    lastSuccessAt,
    lastMailAt: known.cursors.get(mailbox.id)?.lastMailAt,
    nextTryAt: trouble?.nextTryAt,
    backlog: known.cursors.get(mailbox.id)?.backlog,
  };
}
