import { listAll, type Row, type Tables } from '../platform/tables.ts';
import { beaten, type Heartbeat, isWorthWriting, type TimerName, timerLimits } from './heartbeat.ts';

// Alerts:  `heartbeat` / name of the timer    its last sign of life; at most one write in four minutes for each timer,
//                                             however many mailboxes there are
const PARTITION = 'heartbeat';

export interface HeartbeatStore {
  /** Notes that a timer has run and done its work. Most runs of a timer of each minute write nothing. */
  beat(name: TimerName, now: number): Promise<void>;
  /** Begins to wait for timers that were never seen, so that one that never comes is late some day. */
  expect(names: readonly TimerName[], now: number): Promise<void>;
  all(): Promise<ReadonlyMap<TimerName, Heartbeat>>;
}

/**
 * @param notBefore ISO time; where the timers run in this very process, its start: what was before it, such as the night
 * between two starts, makes no timer late
 */
export function createHeartbeatStore(tables: Tables, notBefore = ''): HeartbeatStore {
  const table = tables.open('Alerts');
  /** What this process wrote last. */
  const written = new Map<TimerName, Heartbeat>();

  const all = async (): Promise<ReadonlyMap<TimerName, Heartbeat>> =>
    new Map(
      // A row that cannot be read counts as none: the timer's next run writes it anew.
      (await listAll(table, PARTITION)).flatMap((row) =>
        isTimer(row.rowKey) && hasTimes(row) ? [[row.rowKey, heartbeatOf(row, notBefore)] as const] : [],
      ),
    );

  return {
    all,
    async beat(name, now) {
      const last = written.get(name);
      if (!isWorthWriting(name, last === undefined ? undefined : Date.parse(last.at), now)) return;
      const before = last ?? (await all()).get(name);
      const next = beaten(name, before, now);
      await table.commit(PARTITION, [{ kind: 'put', row: rowOf(name, next) }]);
      written.set(name, next);
    },
    async expect(names, now) {
      const known = await all();
      const at = new Date(now).toISOString();
      for (const name of names)
        if (!known.has(name))
          await table.commit(PARTITION, [{ kind: 'put', row: rowOf(name, { at, since: at }) }]);
    },
  };
}

const isTimer = (name: string): name is TimerName => Object.hasOwn(timerLimits, name);

const hasTimes = ({ at, since }: Row): boolean =>
  [at, since].every((time) => !Number.isNaN(Date.parse(String(time))));

const rowOf = (name: TimerName, { at, since }: Heartbeat): Row => ({
  partitionKey: PARTITION,
  rowKey: name,
  at,
  since,
});

function heartbeatOf({ at, since }: Row, notBefore: string): Heartbeat {
  const from = String(since);
  return { at: String(at), since: from > notBefore ? from : notBefore };
}
