/** Alerts of a process that cannot reach storage. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { alertId, type Finding } from '../../shared/alerts/alert.ts';
import { type AlertService, createAlertService } from '../../shared/alerts/alert-service.ts';
import { createInMemoryAlerts, type InMemoryAlert } from '../../shared/alerts/in-memory-alerts.ts';
import { type Notification, notificationOf, type Outgoing } from '../../shared/alerts/notification.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { FaultySeam } from '../harness/memory/faulty-seam.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { HOUR, iso, START, silent, storageDown } from '../harness/memory/sample-findings.ts';

beforeEach(() => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});

describe('while storage is unavailable', () => {
  const setUp = () => {
    const state = { now: START, away: true, told: [] as string[], channelWorks: true };
    const faulty = new FaultySeam({
      now: () => state.now,
      faultAt: () => (state.away ? 'failBefore' : undefined),
    });
    const tables = new MemoryTables(faulty);
    const tell = (notification: Notification): Promise<void> => {
      if (!state.channelWorks) return Promise.reject(new PostroomError('webhook-refused', 'no answer'));
      state.told.push(`${notification.what} ${notification.finding.kind}`);
      return Promise.resolve();
    };
    const alerts = createAlertService({ tables, seam: faulty, channels: async () => ({ webhook: tell }) });
    return { state, tables, alerts };
  };

  test('alerts are sent once from memory, then stored once each, and closed', async () => {
    const { state, tables, alerts } = setUp();
    await expect(alerts.observe({ source: 'watch', findings: [] })).rejects.toMatchObject({
      code: 'table-storage',
    });
    for (let minute = 0; minute < 10; minute++) {
      await alerts.keepInMemory([storageDown]);
      state.now += 60_000;
    }
    expect(state.told).toEqual(['opened storage-failing']);
    expect(alerts.inMemory()).toHaveLength(1);

    state.away = false;
    await alerts.observe({ source: 'watch', findings: [] });
    await alerts.deliver();
    expect(state.told).toEqual(['opened storage-failing', 'closed storage-failing']);
    expect(alerts.inMemory()).toEqual([]);
    const past = await alerts.past({ limit: 10 });
    expect(past.alerts).toHaveLength(1);
    expect(past.alerts[0]?.openedAt).toBe(new Date(START).toISOString());
    const deliveries = await alerts.deliveries(past.alerts[0]?.id ?? '');
    expect(deliveries.map(({ what }) => what)).toEqual(['opened', 'closed']);
    expect(tables.dump('Alerts').filter(({ rowKey }) => rowKey.startsWith('open|'))).toEqual([]);
  });

  test('an alert that another process has sent and stored for the same outage is not stored again', async () => {
    const { state, tables, alerts } = setUp();
    const other = createAlertService({
      tables,
      seam: { ...openSeam, now: () => state.now },
      channels: async () => ({ webhook: () => Promise.resolve() }),
    });
    await alerts.keepInMemory([storageDown]);
    await other.keepInMemory([storageDown]);
    state.away = false;
    state.now += 60_000;
    await alerts.observe({ source: 'watch', findings: [] });
    await other.observe({ source: 'watch', findings: [] });
    expect((await alerts.past({ limit: 10 })).alerts).toHaveLength(1);
    expect(await alerts.open()).toEqual([]);
  });

  test('two processes, or one before and after a restart, report an outage under one name; another outage has another', async () => {
    const { state, tables } = setUp();
    const ids: string[] = [];
    const process = (): AlertService =>
      createAlertService({
        tables,
        seam: { ...openSeam, now: () => state.now },
        channels: async () => ({
          webhook: async ({ id, what }) => {
            ids.push(`${id} ${what}`);
          },
        }),
      });
    const [one, other] = [process(), process()];
    await one.keepInMemory([storageDown]);
    state.now += 5 * 60_000;
    await other.keepInMemory([storageDown]);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
    state.away = false;
    await one.observe({ source: 'watch', findings: [] });
    await other.observe({ source: 'watch', findings: [] });
    state.now += 60_000;
    // Again in the same hour: seen first by the process that has reported an outage before, then by one that has not.
    for (const process_ of [one, process()]) {
      await process_.keepInMemory([storageDown]);
      state.now += 60_000;
      await process_.observe({ source: 'watch', findings: [] });
      await process_.deliver();
      state.now += 60_000;
    }
    const { alerts } = await one.past({ limit: 10 });
    expect(alerts).toHaveLength(3);
    expect(new Set(alerts.map(({ id }) => id)).size).toBe(3);
    // The last one cannot know that the name of the hour was used.
    expect(new Set(ids.filter((id) => id.endsWith('opened'))).size).toBe(2);
    expect(await one.open()).toEqual([]);
  });

  test('two notification runs never overlap, and a failing channel is retried from memory', async () => {
    const { state, alerts } = setUp();
    state.channelWorks = false;
    await Promise.all([alerts.keepInMemory([storageDown]), alerts.keepInMemory([storageDown])]);
    state.channelWorks = true;
    await alerts.keepInMemory([storageDown]);
    expect(state.told).toEqual([]);
    state.now += 60_000;
    await Promise.all([alerts.keepInMemory([storageDown]), alerts.keepInMemory([storageDown])]);
    expect(state.told).toEqual(['opened storage-failing']);
  });

  test('an alert that could not be stored because storage failed again is kept', async () => {
    const { state, alerts } = setUp();
    await alerts.keepInMemory([storageDown]);
    await expect(alerts.observe({ source: 'watch', findings: [] })).rejects.toThrow();
    expect(alerts.inMemory()).toHaveLength(1);
    state.away = false;
    await alerts.observe({ source: 'watch', findings: [storageDown] });
    expect(alerts.inMemory()).toEqual([]);
    expect(await alerts.open()).toHaveLength(1);
  });
});

describe('an alert in memory', () => {
  const world = () => {
    const state = {
      now: START,
      works: true,
      told: [] as Outgoing[],
      gate: undefined as Promise<void> | undefined,
    };
    const held = createInMemoryAlerts({
      seam: { ...openSeam, now: () => state.now },
      tell: async (outgoing) => {
        await state.gate;
        state.told.push(outgoing);
        return state.works;
      },
    });
    const hold = (...findings: Finding[]): Promise<void> =>
      held.keep(findings, (alert, what) => [
        {
          notification: notificationOf(alert, what),
          channel: 'webhook',
          attempts: 0,
          dueAt: alert.notifiedAt,
        },
      ]);
    const only = (): InMemoryAlert => {
      const [one, ...more] = held.all();
      if (one === undefined || more.length > 0) throw new Error('not one is held');
      return one;
    };
    const heard = (): string[] => state.told.map(({ notification }) => notification.what);
    return { state, held, hold, only, heard };
  };

  test('has its deliveries, with channel and time', async () => {
    const { state, hold, only } = world();
    await hold(storageDown);
    expect(only().alert).toMatchObject({
      openedAt: iso(START),
      findings: { watch: storageDown },
      notificationCount: 1,
    });
    expect(only().waiting).toEqual([]);
    expect(only().sent).toEqual([
      {
        notificationId: `${only().alert.id}-1`,
        delivery: { channel: 'webhook', what: 'opened', at: iso(START), result: 'delivered', attempts: 1 },
      },
    ]);
    expect(state.told).toHaveLength(1);
  });

  test('is repeated when it is due, and does not close while storage is unavailable', async () => {
    const { state, hold, only, heard } = world();
    await hold(storageDown);
    state.now += HOUR;
    await hold(storageDown);
    expect(heard()).toEqual(['opened', 'repeated']);
    expect(only().alert.notificationCount).toBe(2);
    await hold();
    expect(heard()).toEqual(['opened', 'repeated']);
    expect(only().alert.findings).toEqual({ watch: storageDown });
  });

  test('stores changes without a notification', async () => {
    const { hold, only, heard } = world();
    await hold(storageDown);
    await hold({ ...storageDown, cause: 'Another one.' });
    expect(only().alert.findings.watch?.cause).toBe('Another one.');
    expect(heard()).toEqual(['opened']);
  });

  test('is retried later, counting attempts, until it is abandoned', async () => {
    const { state, hold, only } = world();
    state.works = false;
    await hold({ ...storageDown, stage: 'once' });
    expect(only().waiting).toMatchObject([{ attempts: 1, dueAt: iso(START + 60_000) }]);
    expect(only().sent).toEqual([]);
    await hold({ ...storageDown, stage: 'once' });
    expect(state.told).toHaveLength(1);
    for (let hour = 0; hour < 40; hour++) {
      state.now += HOUR;
      await hold({ ...storageDown, stage: 'once' });
    }
    expect(state.told.map(({ attempts }) => attempts)).toEqual(
      Array.from({ length: 30 }, (_one, tries) => tries),
    );
    expect(only().waiting).toEqual([]);
    expect(only().sent).toMatchObject([{ delivery: { result: 'given-up', attempts: 30 } }]);
  });

  test('does not remove others from the list when one notification is sent', async () => {
    const { state, hold, only, heard } = world();
    state.works = false;
    await hold(storageDown);
    state.now += HOUR;
    state.works = true;
    await hold(storageDown);
    expect(heard()).toEqual(['opened', 'opened', 'repeated']);
    expect(only().sent.map(({ delivery }) => [delivery.what, delivery.attempts])).toEqual([
      ['opened', 2],
      ['repeated', 1],
    ]);
  });

  test('is named after its hour, so that a receiver can tell two processes from two outages', async () => {
    const [one, other] = [world(), world()];
    await one.hold(storageDown);
    other.state.now += 59 * 60_000;
    await other.hold(storageDown);
    expect(one.only().alert.id).toBe(alertId('2026-11-24T10:00:00.000Z', one.only().alert.key));
    expect(other.only().alert.id).toBe(one.only().alert.id);
    const next = world();
    next.state.now += HOUR;
    await next.hold(storageDown);
    expect(next.only().alert.id).not.toBe(one.only().alert.id);
    await one.held.take();
    one.state.now += 60_000;
    await one.hold(storageDown);
    expect(one.only().alert.id).toBe(alertId(iso(START + 60_000), one.only().alert.key));
  });

  test('is moved to storage once the current notification was sent', async () => {
    const { state, held, hold } = world();
    let open = (): void => {};
    state.gate = new Promise((resolve) => {
      open = resolve;
    });
    const holding = hold(storageDown);
    const taking = held.take();
    expect(held.all()).toHaveLength(1);
    open();
    const [taken] = await taking;
    await holding;
    expect(taken?.sent).toHaveLength(1);
    expect(held.all()).toEqual([]);
  });

  test('is moved to storage once everything that started meanwhile was sent, too', async () => {
    const { state, held, hold } = world();
    let open = (): void => {};
    state.gate = new Promise((resolve) => {
      open = resolve;
    });
    const first = hold(storageDown);
    const taking = held.take();
    const second = hold(storageDown, silent());
    open();
    const taken = await taking;
    await Promise.all([first, second]);
    expect(taken.map(({ sent }) => sent.length)).toEqual([1, 1]);
  });

  test('is restored unchanged, unless it has opened again by then', async () => {
    const { state, held, hold, only } = world();
    await hold(storageDown);
    const taken = await held.take();
    held.giveBack(taken);
    expect(held.all()).toEqual(taken);
    state.now += 60_000;
    await held.take();
    await hold(storageDown);
    const anew = only();
    held.giveBack(taken);
    expect(only()).toBe(anew);
  });
});
