import { setTimeout as pause } from 'node:timers/promises';
import type { HostProcess } from '../host/host-process.ts';
import type { Weather } from './weather.ts';
import type { ChaosWorld } from './world.ts';

export type Slot = 0 | 1;

/** Two hosts of the app that are killed and restarted. */
export interface Hosts {
  start(slot: Slot): Promise<void>;
  /** Kills the process as by kill -9; returns the storage request that it was at. */
  kill(slot: Slot): Promise<void>;
  /** Suspends the process, without its noticing, for this long; it then resumes as if nothing had happened. */
  freeze(slot: Slot, ms: number): Promise<void>;
  /** Milliseconds since its start; undefined while it is stopped or suspended. */
  age(slot: Slot): number | undefined;
  /** True when a storage write was sent in the last milliseconds. */
  isAtWork(slot: Slot, ms: number): boolean;
  /** Number of kills, by the storage request during which they happened. */
  killedAt(): Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

/** Frequent: a minute in production is seconds here. */
const SCHEDULE = '*/4 * * * * *';
const IDLE_MS = 150;
const WRITES = /\$batch|PUT|POST|PATCH|MERGE|lease/;
const QUEUE = /messages|fetch-shard/;

export function openHosts(world: ChaosWorld, weather: Weather): Hosts {
  const running: [HostProcess | undefined, HostProcess | undefined] = [undefined, undefined];
  const bornAt = [0, 0];
  const frozen = new Set<Slot>();
  const expected = new WeakSet<HostProcess>();
  const killedAt = new Map<string, number>();

  async function start(slot: Slot): Promise<void> {
    const storage = world.storages[slot];
    for (;;) {
      try {
        const host = await world.startHost({
          settings: {
            DataStorage: storage.connectionString,
            AzureWebJobsStorage: storage.connectionString,
            FETCH_SCHEDULE: SCHEDULE,
          },
          background: true,
          queues: { leaseSeconds: 30, maxIdleMs: 250 },
          log: `host-${slot}`,
        });
        running[slot] = host;
        bornAt[slot] = Date.now();
        void host.ended.then(() => {
          if (!expected.has(host)) weather.count('host ended by itself');
        });
        return;
      } catch {
        weather.count('host did not start');
        await pause(1_000);
      }
    }
  }

  return {
    start,
    async kill(slot) {
      const host = running[slot];
      if (host === undefined) return;
      expected.add(host);
      running[slot] = undefined;
      const { name, at } = world.storages[slot].last();
      const where = Date.now() - at < IDLE_MS ? name : 'idle';
      await host.kill();
      weather.count('host killed');
      killedAt.set(where, (killedAt.get(where) ?? 0) + 1);
    },
    async freeze(slot, ms) {
      const host = running[slot];
      if (host === undefined) return;
      frozen.add(slot);
      signal(host.pid, 'SIGSTOP');
      await pause(ms);
      signal(host.pid, 'SIGCONT');
      frozen.delete(slot);
    },
    age: (slot) =>
      running[slot] === undefined || frozen.has(slot) ? undefined : Date.now() - (bornAt[slot] ?? 0),
    isAtWork(slot, ms) {
      const { name, at } = world.storages[slot].last();
      return Date.now() - at < ms && WRITES.test(name) && !QUEUE.test(name);
    },
    killedAt: () => Object.fromEntries([...killedAt].sort(([, a], [, b]) => b - a)),
    async stop() {
      for (const host of running) {
        if (host === undefined) continue;
        expected.add(host);
        signal(host.pid, 'SIGCONT');
        await host.stop();
      }
    },
  };
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has exited meanwhile.
  }
}
