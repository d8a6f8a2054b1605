import { PostroomError } from '../platform/errors.ts';
import { listAll, type Row, type Tables } from '../platform/tables.ts';
import { type MailHour, summed } from './mail-hours.ts';
import type { Mailbox, MailboxHealth } from './mailbox.ts';

// Mailboxes:    `mailbox` / id                    the mailbox as a person set it up
//               `removed` / id                    its address, once it is deleted: what was kept of its mail stays
// MailboxState: `state` / `<mailboxId>|cursor`    how far its folder was read; written when a fetch found something
//               `state` / `<mailboxId>|health`    what stops it, when something does; written on change
//               `state` / `shard|<n>`             last success of every mailbox of a shard, and its mails of the last
//                                                 hours; one write a shard run
// One query over `state` therefore tells all there is to know about a shard.
const MAILBOX = 'mailbox';
const REMOVED = 'removed';
const STATE = 'state';

/** How far a folder was read. UIDs mean something only under their UIDVALIDITY (RFC 3501 section 2.3.1.1). */
export interface Cursor {
  uidValidity: string;
  /** Which folder was read (see `folderKeyOf`); absent in rows of earlier versions. */
  folderKey?: string | undefined;
  /** Every mail up to this UID is settled. */
  uid: number;
  /** UIDs settled but left unread on the server, because they are too large to take. */
  left: readonly number[];
  /** UIDs that could not be settled yet: looked at again even when somebody reads them meanwhile. */
  waiting: readonly number[];
  lastMailAt: string | undefined;
  /** Mails that the last fetch saw and left for the next one; absent in rows of earlier versions. */
  backlog?: number | undefined;
}

export interface Trouble {
  state: 'retrying' | 'needs-person';
  code: string;
  problem: string;
  since: string;
  failures: number;
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
}

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
  const list = async (): Promise<Mailbox[]> => (await listAll(mailboxes, MAILBOX)).map(mailboxOf);
  const fetchState = async (): Promise<FetchState> => stateOf(await listAll(state, STATE));
  const put = async (rowKey: string, columns: Record<string, string | number>): Promise<void> => {
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
    saveCursor: (mailboxId, { uidValidity, folderKey, uid, left, waiting, lastMailAt, backlog }) =>
      put(`${mailboxId}|cursor`, {
        uidValidity,
        folderKey: folderKey ?? '',
        uid: String(uid),
        left: left.join(','),
        waiting: waiting.join(','),
        lastMailAt: lastMailAt ?? '',
        backlog: backlog ?? 0,
      }),
    async saveTrouble(mailboxId, trouble) {
      const rowKey = `${mailboxId}|health`;
      if (trouble === undefined) await state.commit(STATE, [{ kind: 'remove', rowKey }]);
      else await put(rowKey, { ...trouble });
    },
    saveSuccesses: (shard, successes, hours = []) =>
      put(`shard|${String(shard).padStart(5, '0')}`, {
        successes: JSON.stringify([...successes]),
        hours: JSON.stringify(hours.map(({ hour, mails, quarantined }) => [hour, mails, quarantined])),
      }),
  };
}

function mailboxOf(row: Row): Mailbox {
  const json = row['json'];
  if (typeof json !== 'string') throw new PostroomError('bad-row', `Mailbox ${row.rowKey} has no settings`);
  return { ...(JSON.parse(json) as Omit<Mailbox, 'id'>), id: row.rowKey };
}

const text = (row: Row, column: string): string => {
  const value = row[column];
  return typeof value === 'string' ? value : '';
};

function stateOf(rows: readonly Row[]): FetchState {
  const cursors = new Map<string, Cursor>();
  const troubles = new Map<string, Trouble>();
  const successes = new Map<string, string>();
  const shards = new Map<number, ReadonlyMap<string, string>>();
  const hours = new Map<number, readonly MailHour[]>();
  for (const row of rows) {
    const [first = '', second = ''] = row.rowKey.split('|');
    if (first === 'shard') {
      const shard = new Map(JSON.parse(text(row, 'successes')) as [string, string][]);
      shards.set(Number(second), shard);
      hours.set(Number(second), hoursOf(row));
      for (const [id, at] of shard) if (at > (successes.get(id) ?? '')) successes.set(id, at);
    } else if (second === 'cursor') cursors.set(first, cursorOf(row));
    else if (second === 'health') troubles.set(first, troubleOf(row));
  }
  return { cursors, troubles, successes, shards, hours };
}

function hoursOf(row: Row): MailHour[] {
  const entries = JSON.parse(text(row, 'hours') || '[]') as [string, number, number][];
  return entries.map(([hour, mails, quarantined]) => ({ hour, mails, quarantined }));
}

function cursorOf(row: Row): Cursor {
  const uids = (column: string): number[] => text(row, column).split(',').filter(Boolean).map(Number);
  return {
    uidValidity: text(row, 'uidValidity'),
    folderKey: text(row, 'folderKey') || undefined,
    uid: Number(text(row, 'uid')),
    left: uids('left'),
    waiting: uids('waiting'),
    lastMailAt: text(row, 'lastMailAt') || undefined,
    backlog: typeof row['backlog'] === 'number' ? row['backlog'] : undefined,
  };
}

function troubleOf(row: Row): Trouble {
  return {
    state: row['state'] === 'needs-person' ? 'needs-person' : 'retrying',
    code: text(row, 'code'),
    problem: text(row, 'problem'),
    since: text(row, 'since'),
    failures: typeof row['failures'] === 'number' ? row['failures'] : 1,
    nextTryAt: text(row, 'nextTryAt'),
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
