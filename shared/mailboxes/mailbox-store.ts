import { openRecords } from '../platform/open-records.ts';
import { listAll, type Row, type Tables } from '../platform/tables.ts';
import { isFromFuture } from '../platform/trusted-time.ts';
import { readRows } from '../platform/unreadable-rows.ts';
import type { Cursor } from './cursor.ts';
import { type MailHour, summed } from './mail-hours.ts';
import type { MailLoop } from './mail-loops.ts';
import type { FetchFailure, Mailbox, MailboxHealth } from './mailbox.ts';
import {
  MAILBOXES,
  mailboxKind,
  REMOVED,
  type RemovedMailbox,
  removedMailboxKind,
} from './mailbox-records.ts';
import {
  announcedKind,
  cursorKind,
  failureKind,
  mailLoopKind,
  recoveryKind,
  STATE,
  shardKind,
} from './mailbox-state-records.ts';

export interface FetchState {
  cursors: ReadonlyMap<string, Cursor>;
  failing: ReadonlyMap<string, FetchFailure>;
  /** Mailbox ID → ISO time of the last successful fetch. */
  successes: ReadonlyMap<string, string>;
  /** The same, by shard. */
  shards: ReadonlyMap<number, ReadonlyMap<string, string>>;
  /** Emails per hour, by shard. */
  hours: ReadonlyMap<number, readonly MailHour[]>;
  /** Shared cause (see `sharedCauseOf`) → ISO time at which a fetch showed that it was over. */
  recoveries: ReadonlyMap<string, string>;
  /** The last collapsed automatic email of each mailbox. */
  loops: readonly MailLoop[];
  /** Mailbox ID → ISO time until which its mail server announces new email. Absent: none does. */
  announced?: ReadonlyMap<string, string>;
}

/**
 * ISO time of a mailbox's last successful fetch. A time in the future, written before the clock was set
 * back, is ignored; otherwise the mailbox would not be fetched, or missed, until then. Pure.
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

/** Emails per hour of all shards, oldest first. */
export const mailHours = ({ hours }: Pick<FetchState, 'hours'>): MailHour[] =>
  summed([...hours.values()].flat());

export interface MailboxStore {
  list(): Promise<Mailbox[]>;
  get(id: string): Promise<Mailbox | undefined>;
  save(mailbox: Mailbox): Promise<void>;
  /** Its email stays, on the server and in storage. */
  remove(id: string): Promise<void>;
  /** Deleted mailboxes. */
  removed(): Promise<RemovedMailbox[]>;
  health(): Promise<ReadonlyMap<string, MailboxHealth>>;
  fetchState(): Promise<FetchState>;
  saveCursor(mailboxId: string, cursor: Cursor): Promise<void>;
  setFailure(mailboxId: string, failure: FetchFailure | undefined): Promise<void>;
  /**
   * A shared cause is over: every mailbox that waited for it is due.
   * @param at ISO time
   */
  saveRecovery(cause: string, at: string): Promise<void>;
  /**
   * The mail server announces new email of this mailbox until `until` (ISO time), or no longer if undefined.
   */
  saveAnnounced(mailboxId: string, until: string | undefined): Promise<void>;
  saveSuccesses(
    shard: number,
    successes: ReadonlyMap<string, string>,
    hours?: readonly MailHour[],
  ): Promise<void>;
}

/** Mailboxes and their state. Every method throws PostroomError when storage is unavailable. */
export function createMailboxStore(tables: Tables): MailboxStore {
  const mailboxes = openRecords(tables, mailboxKind);
  const removed = openRecords(tables, removedMailboxKind);
  const failureRows = openRecords(tables, failureKind);
  const announced = openRecords(tables, announcedKind);
  const list = (): Promise<Mailbox[]> => mailboxes.list(MAILBOXES);
  const fetchState = async (): Promise<FetchState> =>
    stateOf(tables, await listAll(tables.open('MailboxState'), STATE));
  const clearFailure = async (mailboxId: string): Promise<void> => {
    const { partitionKey, rowKey } = failureKind.keysOf({ mailboxId, ...UNREADABLE });
    await failureRows.remove(partitionKey, rowKey);
  };

  return {
    list,
    fetchState,
    get: async (id) => (await mailboxes.get(MAILBOXES, id))?.record,
    save: mailboxes.put,
    async remove(id) {
      const stored = await mailboxes.get(MAILBOXES, id);
      // Written first, so that its quarantine always has a mailbox name.
      if (stored !== undefined) await removed.put({ id, address: stored.record.address });
      await mailboxes.remove(MAILBOXES, id);
      await clearFailure(id);
    },
    removed: () => removed.list(REMOVED),
    async health() {
      const [all, known] = await Promise.all([list(), fetchState()]);
      return new Map(all.map((mailbox) => [mailbox.id, healthOf(mailbox, known)]));
    },
    saveCursor: (mailboxId, cursor) => openRecords(tables, cursorKind).put({ mailboxId, ...cursor }),
    setFailure: (mailboxId, failure) =>
      failure === undefined ? clearFailure(mailboxId) : failureRows.put({ mailboxId, ...failure }),
    saveRecovery: (cause, at) => openRecords(tables, recoveryKind).put({ cause, at }),
    async saveAnnounced(mailboxId, until) {
      if (until !== undefined) return announced.put({ mailboxId, until });
      const { partitionKey, rowKey } = announcedKind.keysOf({ mailboxId, until: '' });
      await announced.remove(partitionKey, rowKey);
    },
    saveSuccesses: (shard, successes, hours = []) =>
      openRecords(tables, shardKind).put({ shard, successes, hours }),
  };
}

const LONG_AGO = new Date(0).toISOString();
/**
 * Replaces a failure that can't be read: due at once, so that the next fetch overwrites or removes its row.
 */
const UNREADABLE: FetchFailure = {
  state: 'retrying',
  code: 'bad-row',
  problem: '',
  since: LONG_AGO,
  failures: 1,
  triedAt: LONG_AGO,
  nextTryAt: LONG_AGO,
};

function stateOf(tables: Tables, rows: readonly Row[]): FetchState {
  const cursors = new Map<string, Cursor>();
  const failing = new Map<string, FetchFailure>();
  const successes = new Map<string, string>();
  const shards = new Map<number, ReadonlyMap<string, string>>();
  const hours = new Map<number, readonly MailHour[]>();
  const recoveries = new Map<string, string>();
  const loops: MailLoop[] = [];
  const announced = new Map<string, string>();
  readRows(tables, { table: 'MailboxState', partition: STATE }, rows, (row) => {
    const [first = '', second = ''] = row.rowKey.split('|');
    if (first === 'loop') loops.push(mailLoopKind.fromRow(row));
    else if (first === 'push') {
      const { mailboxId, until } = announcedKind.fromRow(row);
      announced.set(mailboxId, until);
    } else if (first === 'over') {
      const { cause, at } = recoveryKind.fromRow(row);
      recoveries.set(cause, at);
    } else if (first === 'shard') {
      const shard = shardKind.fromRow(row);
      shards.set(shard.shard, shard.successes);
      hours.set(shard.shard, shard.hours);
      for (const [id, at] of shard.successes) successes.set(id, later(successes.get(id), at));
    } else if (second === 'cursor') {
      const { mailboxId, ...cursor } = cursorKind.fromRow(row);
      cursors.set(mailboxId, cursor);
    } else if (second === 'health') {
      failing.set(first, UNREADABLE);
      const { mailboxId, ...failure } = failureKind.fromRow(row);
      failing.set(mailboxId, failure);
    }
  });
  return { cursors, failing, successes, shards, hours, recoveries, loops, announced };
}

/** The health of a mailbox after its last fetches. Pure. */
export function healthOf(mailbox: Mailbox, known: FetchState): MailboxHealth {
  const failure = known.failing.get(mailbox.id);
  const lastSuccessAt = known.successes.get(mailbox.id);
  return {
    mailboxId: mailbox.id,
    state: failure?.state ?? 'ok',
    since: failure?.since ?? lastSuccessAt ?? mailbox.createdAt,
    problem: failure?.problem,
    code: failure?.code,
    lastSuccessAt,
    lastMailAt: known.cursors.get(mailbox.id)?.lastMailAt,
    nextTryAt: failure?.nextTryAt,
    backlog: known.cursors.get(mailbox.id)?.backlog,
    first: known.cursors.get(mailbox.id)?.first,
    announcedUntil: known.announced?.get(mailbox.id),
  };
}
