import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { lateTimers, type TimerName, timerLimits } from '../../shared/heartbeats/heartbeat.ts';
import { createHeartbeatStore, type HeartbeatStore } from '../../shared/heartbeats/heartbeat-store.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

const START = Date.parse('2026-11-24T10:00:00Z');
const MINUTE = 60_000;
let now: number;
let tables: MemoryTables;
let store: HeartbeatStore;
beforeEach(() => {
  now = START;
  tables = new MemoryTables(openSeam);
  store = createHeartbeatStore(tables);
});
const late = async (): Promise<TimerName[]> => lateTimers(await store.all(), now).map(({ name }) => name);
const minutes = async (count: number, beating: readonly TimerName[], of = store): Promise<void> => {
  for (let minute = 0; minute < count; minute++) {
    now += MINUTE;
    for (const name of beating) await of.beat(name, now);
  }
};

describe('a heartbeat', () => {
  test('of a timer that runs each minute is written every fourth minute', async () => {
    const before = tables.changes;
    await minutes(60, ['monitor']);
    expect(tables.changes - before).toBe(15);
  });

  test('that is missing is reported within ten minutes of the last run, and resolved when it returns', async () => {
    await minutes(30, ['fetchMail', 'monitor']);
    const stopped = now;
    while ((await late()).length === 0) await minutes(1, ['monitor']);
    expect((now - stopped) / MINUTE).toBeLessThanOrEqual(10);
    expect((now - stopped) / MINUTE).toBeGreaterThan(5);
    expect(await late()).toEqual(['fetchMail']);
    await minutes(1, ['fetchMail', 'monitor']);
    expect(await late()).toEqual([]);
  });

  test('that is missing is found by the outside health check within the promised fifteen minutes', () => {
    const alerts = readFileSync(join(import.meta.dirname, '../../infra/modules/alerts.bicep'), 'utf8');
    const lookMinutes = Number(/Frequency: (\d+)/.exec(alerts)?.[1]) / 60;
    expect(lookMinutes).toBe(5);
    for (const name of ['fetchMail', 'monitor'] as const)
      expect(timerLimits[name] + lookMinutes).toBeLessThanOrEqual(15);
  });

  test('missing for all timers is reported first as the monitor’s own', async () => {
    await minutes(10, ['fetchMail', 'monitor']);
    await store.beat('reviewSecrets', now);
    now += 3 * 24 * 60 * MINUTE;
    expect(await late()).toEqual(['monitor', 'fetchMail']);
  });

  test('has a new grace period after the whole app was stopped for days', async () => {
    await minutes(10, ['fetchMail', 'monitor']);
    await store.beat('reviewSecrets', now);
    now += 3 * 24 * 60 * MINUTE;
    const next = createHeartbeatStore(tables);
    await next.beat('monitor', now);
    expect(await late()).toEqual([]);
    await minutes(15, ['monitor'], next);
    expect(await late()).toEqual(['fetchMail']);
    await minutes(26 * 60, ['monitor', 'fetchMail'], next);
    expect(await late()).toEqual(['reviewSecrets']);
  });

  test('of a monitor that runs only every 14 minutes does not excuse another timer each time', async () => {
    await minutes(60, ['fetchMail', 'monitor']);
    const rarely = async (runs: number): Promise<void> => {
      for (let run = 0; run < runs; run++) {
        now += 14 * MINUTE;
        await store.beat('monitor', now);
      }
    };
    await rarely(1);
    expect(await late()).toEqual([]);
    await rarely(3);
    expect(await late()).toEqual(['fetchMail']);
  });

  test('is excused after a night, even if the app ran only briefly before it', async () => {
    await minutes(3, ['fetchMail', 'monitor']);
    now += 8 * 60 * MINUTE;
    await store.beat('monitor', now);
    expect(await late()).toEqual([]);
  });

  test('that never came is late from the day it was first expected', async () => {
    await minutes(1, ['monitor']);
    await store.expect(['refreshTokens', 'monitor'], now);
    await minutes(25 * 60, ['monitor']);
    await store.expect(['refreshTokens'], now);
    expect(await late()).toEqual([]);
    await minutes(31, ['monitor']);
    expect(await late()).toEqual(['refreshTokens']);
  });
});
