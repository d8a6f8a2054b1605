import { beforeEach, describe, expect, test, vi } from 'vitest';
import { type AlertService, createAlertService } from '../../shared/alerts/alert-service.ts';
import { openSeam, type Seam } from '../../shared/platform/seam.ts';
import { FaultySeam } from '../harness/memory/faulty-seam.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { HOUR, iso, START, silent, storageDown } from '../harness/memory/sample-findings.ts';
import { describeAlerts } from './alerts-contract.ts';

beforeEach(() => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});

describeAlerts('in memory', async () => new MemoryTables(openSeam));

test('a process that crashes between sending and recording sends again with the same ID, and no other process sends meanwhile', async () => {
  const tables = new MemoryTables(openSeam);
  let now = START;
  const ids: string[] = [];
  const alertsOf = (seam: Seam): AlertService =>
    createAlertService({
      tables: tables.behind(seam),
      seam,
      channels: async () => ({
        webhook: async ({ id }) => {
          ids.push(id);
        },
      }),
    });
  // Opened and claimed; the crash prevents recording that it was sent.
  let commits = 0;
  const dies = new FaultySeam({
    now: () => now,
    faultAt: (_call, point) => {
      if (point.endsWith('.commit')) commits += 1;
      return commits === 3 ? 'crashBefore' : undefined;
    },
  });
  const first = alertsOf(dies);
  await first.observe({ source: 'watch', findings: [silent()] });
  await expect(first.deliver()).rejects.toThrow('the process is dead');
  const second = alertsOf(new FaultySeam({ now: () => now }));
  await second.deliver();
  expect(ids).toHaveLength(1);
  now += 60_000;
  await second.deliver();
  await second.deliver();
  expect(ids).toHaveLength(2);
  expect(new Set(ids).size).toBe(1);
});

describe('the alerts of a process', () => {
  const setUp = ({ channels = ['webhook'] as ('webhook' | 'email')[] } = {}) => {
    const state = { now: START, away: false, works: true, channels, asked: 0, told: [] as string[] };
    const seam = new FaultySeam({
      now: () => state.now,
      faultAt: () => (state.away ? 'failBefore' : undefined),
    });
    const tables = new MemoryTables(seam);
    const alerts = createAlertService({
      tables,
      seam,
      channels: async () => {
        state.asked += 1;
        return Object.fromEntries(
          state.channels.map((channel) => [
            channel,
            async ({ what, key }: { what: string; key: string }) => {
              if (!state.works) throw new Error('no answer');
              state.told.push(`${channel}: ${what} ${key}`);
            },
          ]),
        );
      },
    });
    const lists = (): number => seam.calls.filter((point) => point.endsWith('.list')).length;
    return { state, seam, tables, alerts, lists };
  };
  const KEY = 'mailbox-silent|mailbox|support';
  const logged = (level: 'log' | 'warn'): unknown[] =>
    vi.mocked(console[level]).mock.calls.map(([line]) => JSON.parse(String(line)));

  test('are counted without a query from the last read, at most once a minute', async () => {
    const { state, alerts, lists } = setUp();
    expect(alerts.openCount()).toBeUndefined();
    await alerts.recount();
    expect([alerts.openCount(), lists()]).toEqual([0, 1]);
    state.now += 59_999;
    await alerts.recount();
    expect(lists()).toBe(1);
    state.now += 1;
    await alerts.recount();
    expect(lists()).toBe(2);
  });

  test('are counted again once one of them opens or closes, and when the clock was set back', async () => {
    const { state, alerts, lists } = setUp();
    await alerts.observe({ source: 'watch', findings: [silent()] });
    await alerts.recount();
    expect(alerts.openCount()).toBe(1);
    await alerts.observe({ source: 'watch', findings: [] });
    await alerts.recount();
    expect(alerts.openCount()).toBe(0);
    const before = lists();
    await alerts.recount();
    expect(lists()).toBe(before);
    state.now -= 1;
    await alerts.recount();
    expect(lists()).toBe(before + 1);
  });

  test('are not counted again when one of them is repeated', async () => {
    const { state, alerts, lists } = setUp();
    await alerts.observe({ source: 'watch', findings: [silent()] });
    state.now += 4 * HOUR;
    await alerts.observe({ source: 'watch', findings: [silent()] });
    const before = lists();
    await alerts.recount();
    expect(lists()).toBe(before);
  });

  test('keep their count while storage is unavailable, retried once a minute, plus those in memory', async () => {
    const { state, seam, alerts } = setUp();
    await alerts.observe({ source: 'watch', findings: [silent()] });
    await alerts.recount();
    state.away = true;
    state.now += 60_000;
    const before = seam.calls.length;
    await alerts.recount();
    await alerts.recount();
    expect(seam.calls.length).toBe(before + 1);
    expect(logged('warn')).toMatchObject([{ event: 'alerts not counted', error: expect.any(String) }]);
    await alerts.keepInMemory([silent(), storageDown]);
    expect(alerts.openCount()).toBe(2);
  });

  test('count as none if storage has never responded', async () => {
    const { state, alerts } = setUp();
    state.away = true;
    await alerts.recount();
    expect(alerts.openCount()).toBe(0);
  });

  test('read the channels only if there is something to send', async () => {
    const { state, alerts } = setUp();
    await alerts.observe({ source: 'watch', findings: [] });
    await alerts.deliver();
    expect(state.asked).toBe(0);
    await alerts.observe({ source: 'watch', findings: [silent()] });
    expect(state.asked).toBe(1);
    await alerts.deliver();
    expect(state.asked).toBe(2);
    await alerts.observe({ source: 'watch', findings: [silent()] });
    await alerts.deliver();
    expect(state.asked).toBe(2);
  });

  test('read one list if there are none in memory', async () => {
    const { alerts, lists } = setUp();
    await alerts.observe({ source: 'watch', findings: [] });
    expect(lists()).toBe(1);
  });

  test('log what opened, what was sent and what closed', async () => {
    const { alerts } = setUp();
    vi.mocked(console.log).mockClear();
    await alerts.observe({ source: 'watch', findings: [silent()] });
    await alerts.deliver();
    await alerts.observe({ source: 'watch', findings: [] });
    expect(logged('log')).toEqual([
      { level: 'info', event: 'alert opened', key: KEY },
      {
        level: 'info',
        event: 'notification sent',
        kind: 'mailbox-silent',
        what: 'opened',
        channel: 'webhook',
      },
      { level: 'info', event: 'alert closed', key: KEY },
    ]);
  });

  test('log what could not be sent', async () => {
    const { state, alerts } = setUp();
    state.works = false;
    vi.mocked(console.warn).mockClear();
    await alerts.observe({ source: 'watch', findings: [silent()] });
    await alerts.deliver();
    expect(logged('warn')).toMatchObject([
      {
        event: 'notification not sent yet',
        kind: 'mailbox-silent',
        what: 'opened',
        channel: 'webhook',
        error: expect.stringContaining('no answer'),
      },
    ]);
  });

  test('wait for a missing channel until the fourth attempt, and then continue with the next notification', async () => {
    const { state, alerts } = setUp();
    await alerts.observe({ source: 'watch', findings: [silent()] });
    state.now += 1000;
    await alerts.observe({ source: 'watch', findings: [] });
    state.channels = [];
    for (const minutes of [0, 1, 2]) {
      state.now += minutes * 60_000;
      await alerts.deliver();
    }
    state.channels = ['webhook'];
    state.now += 60_000;
    await alerts.deliver();
    expect(state.told).toEqual([]);
    state.channels = [];
    state.now += 4 * 60_000;
    await alerts.deliver();
    state.channels = ['webhook'];
    await alerts.deliver();
    // The first one was dropped, and the second had its first attempt in the same run.
    expect(state.told).toEqual([]);
    state.now += 60_000;
    await alerts.deliver();
    expect(state.told).toEqual([`webhook: closed ${KEY}`]);
    const [{ id = '' } = {}] = (await alerts.past({ limit: 1 })).alerts;
    expect((await alerts.deliveries(id)).map(({ what }) => what)).toEqual(['closed']);
  });

  test('are sent over a channel that returns before the fourth attempt', async () => {
    const { state, alerts } = setUp();
    await alerts.observe({ source: 'watch', findings: [silent()] });
    state.channels = [];
    for (const minutes of [0, 1, 2]) {
      state.now += minutes * 60_000;
      await alerts.deliver();
    }
    state.channels = ['webhook'];
    state.now += 5 * 60_000;
    await alerts.deliver();
    expect(state.told).toEqual([`webhook: opened ${KEY}`]);
  });

  test('are retried at once if the clock was set back, which put their next attempt far in the future', async () => {
    const { state, alerts } = setUp();
    state.works = false;
    await alerts.observe({ source: 'watch', findings: [silent()] });
    await alerts.deliver();
    state.works = true;
    state.now -= HOUR;
    await alerts.deliver();
    expect(state.told).toEqual([`webhook: opened ${KEY}`]);
  });

  test('record what was sent and what was abandoned, with the number of attempts', async () => {
    const { state, alerts } = setUp();
    state.works = false;
    await alerts.observe({ source: 'watch', findings: [silent('support', { stage: 'one' })] });
    for (let hour = 0; hour < 30; hour++) {
      await alerts.deliver();
      state.now += HOUR;
    }
    const [{ id = '' } = {}] = await alerts.open();
    expect(await alerts.deliveries(id)).toEqual([
      { channel: 'webhook', what: 'opened', at: iso(START + 29 * HOUR), result: 'given-up', attempts: 30 },
    ]);
    await alerts.deliver();
    expect(await alerts.deliveries(id)).toHaveLength(1);
  });

  test('fail if other processes change them at each of six attempts', async () => {
    const { tables } = setUp();
    let commits = 0;
    const contended = createAlertService({
      tables: {
        open: (name) => ({
          ...tables.open(name),
          commit: async () => {
            commits += 1;
            return { ok: false, index: 0, refusal: 'exists' };
          },
        }),
      },
      seam: openSeam,
      channels: async () => ({}),
    });
    await expect(contended.observe({ source: 'watch', findings: [silent()] })).rejects.toMatchObject({
      code: 'alerts-busy',
    });
    expect(commits).toBe(6);
  });

  test('that several processes open at once are counted once, and sent once', async () => {
    const { alerts, tables, state } = setUp();
    const other = createAlertService({
      tables: tables.behind({ ...openSeam, now: () => state.now }),
      seam: { ...openSeam, now: () => state.now },
      channels: async () => ({}),
    });
    await Promise.all([
      alerts.observe({ source: 'watch', findings: [silent()] }),
      other.observe({ source: 'watch', findings: [silent()] }),
    ]);
    expect(await alerts.open()).toHaveLength(1);
  });

  test('in memory are sent over each configured channel, and their attempts are recorded for storage', async () => {
    const { state, alerts } = setUp({ channels: ['email', 'webhook'] });
    state.away = true;
    await alerts.keepInMemory([storageDown]);
    expect(state.told).toEqual([
      'email: opened storage-failing|storage|storage',
      'webhook: opened storage-failing|storage|storage',
    ]);
    state.away = false;
    await alerts.observe({ source: 'watch', findings: [storageDown] });
    await alerts.deliver();
    expect(state.told).toHaveLength(2);
    const [{ id = '' } = {}] = await alerts.open();
    expect(await alerts.deliveries(id)).toMatchObject([
      { channel: 'email', result: 'delivered', attempts: 1, at: iso(START) },
      { channel: 'webhook', result: 'delivered', attempts: 1, at: iso(START) },
    ]);
  });
});
