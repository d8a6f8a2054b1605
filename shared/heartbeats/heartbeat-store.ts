import { openRecords } from '../platform/open-records.ts';
import type { Tables } from '../platform/tables.ts';
import { beaten, type Heartbeat, isWorthWriting, type TimerName, timerLimits } from './heartbeat.ts';
import { HEARTBEATS, heartbeatKind } from './heartbeat-records.ts';

export interface HeartbeatStore {
  /** Records a successful run of a timer. Most runs of the minute timers write nothing. */
  beat(name: TimerName, now: number): Promise<void>;
  /** Starts to expect timers that have never run, so that one that never starts is reported as late. */
  expect(names: readonly TimerName[], now: number): Promise<void>;
  all(): Promise<ReadonlyMap<TimerName, Heartbeat>>;
}

/**
 * @param notBefore ISO time; where the timers run in this process, its start: earlier times, such as the
 * night between two starts, make no timer late
 */
export function createHeartbeatStore(tables: Tables, notBefore = ''): HeartbeatStore {
  const heartbeats = openRecords(tables, heartbeatKind);
  /** The last heartbeats that this process wrote. */
  const written = new Map<TimerName, Heartbeat>();

  const all = async (): Promise<ReadonlyMap<TimerName, Heartbeat>> =>
    new Map(
      // An unreadable row is omitted: the timer's next run overwrites it.
      (await heartbeats.list(HEARTBEATS)).flatMap(({ timer, at, since }) =>
        isTimer(timer) ? [[timer, { at, since: since > notBefore ? since : notBefore }] as const] : [],
      ),
    );

  return {
    all,
    async beat(name, now) {
      const last = written.get(name);
      if (!isWorthWriting(name, last === undefined ? undefined : Date.parse(last.at), now)) return;
      const before = last ?? (await all()).get(name);
      const next = beaten(name, before, now);
      await heartbeats.put({ timer: name, ...next });
      written.set(name, next);
    },
    async expect(names, now) {
      const known = await all();
      const at = new Date(now).toISOString();
      for (const name of names) if (!known.has(name)) await heartbeats.put({ timer: name, at, since: at });
    },
  };
}

const isTimer = (name: string): name is TimerName => Object.hasOwn(timerLimits, name);
