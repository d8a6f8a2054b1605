import { beforeEach, describe, expect, test, vi } from 'vitest';
import { createNotices, type Notices } from '../../shared/notices/keep-notices.ts';
import { openSeam, type Seam } from '../../shared/platform/seam.ts';
import { FaultySeam } from '../harness/memory/faulty-seam.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { HOUR, iso, START, silent, storageDown } from '../harness/memory/sample-conditions.ts';
import { describeNotices } from './notices-contract.ts';

beforeEach(() => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});

describeNotices('in memory', async () => new MemoryTables(openSeam));

test('a process that dies between telling and noting it tells again, under the same id, and nobody else does meanwhile', async () => {
  const tables = new MemoryTables(openSeam);
  let now = START;
  const ids: string[] = [];
  const noticesOf = (seam: Seam): Notices =>
    createNotices({
      tables: tables.behind(seam),
      seam,
      channels: async () => ({
        webhook: async ({ id }) => {
          ids.push(id);
        },
      }),
    });
  // Opened, claimed, and then the note that it was told, which is never written.
  let commits = 0;
  const dies = new FaultySeam({
    now: () => now,
    faultAt: (_call, point) => {
      if (point.endsWith('.commit')) commits += 1;
      return commits === 3 ? 'crashBefore' : undefined;
    },
  });
  const first = noticesOf(dies);
  await first.observe({ source: 'watch', conditions: [silent()] });
  await expect(first.deliver()).rejects.toThrow('the process is dead');
  const second = noticesOf(new FaultySeam({ now: () => now }));
  await second.deliver();
  expect(ids).toHaveLength(1);
  now += 60_000;
  await second.deliver();
  await second.deliver();
  expect(ids).toHaveLength(2);
  expect(new Set(ids).size).toBe(1);
});

describe('the notices of a process', () => {
  const setUp = ({ channels = ['webhook'] as ('webhook' | 'email')[] } = {}) => {
    const state = { now: START, away: false, works: true, channels, asked: 0, told: [] as string[] };
    const seam = new FaultySeam({
      now: () => state.now,
      faultAt: () => (state.away ? 'failBefore' : undefined),
    });
    const tables = new MemoryTables(seam);
    const notices = createNotices({
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
    return { state, seam, tables, notices, lists };
  };
  const KEY = 'mailbox-silent|mailbox|support';
  const logged = (level: 'log' | 'warn'): unknown[] =>
    vi.mocked(console[level]).mock.calls.map(([line]) => JSON.parse(String(line)));

  test('are counted without a query by what was read last, at most once a minute', async () => {
    const { state, notices, lists } = setUp();
    expect(notices.openCount()).toBeUndefined();
    await notices.recount();
    expect([notices.openCount(), lists()]).toEqual([0, 1]);
    state.now += 59_999;
    await notices.recount();
    expect(lists()).toBe(1);
    state.now += 1;
    await notices.recount();
    expect(lists()).toBe(2);
  });

  test('are counted anew once one of them opened or closed, and when the clock was set back', async () => {
    const { state, notices, lists } = setUp();
    await notices.observe({ source: 'watch', conditions: [silent()] });
    await notices.recount();
    expect(notices.openCount()).toBe(1);
    await notices.observe({ source: 'watch', conditions: [] });
    await notices.recount();
    expect(notices.openCount()).toBe(0);
    const before = lists();
    await notices.recount();
    expect(lists()).toBe(before);
    state.now -= 1;
    await notices.recount();
    expect(lists()).toBe(before + 1);
  });

  test('are not counted anew when one of them is told again', async () => {
    const { state, notices, lists } = setUp();
    await notices.observe({ source: 'watch', conditions: [silent()] });
    state.now += 4 * HOUR;
    await notices.observe({ source: 'watch', conditions: [silent()] });
    const before = lists();
    await notices.recount();
    expect(lists()).toBe(before);
  });

  test('keep their count while storage is away, which is tried once a minute, with those in memory', async () => {
    const { state, seam, notices } = setUp();
    await notices.observe({ source: 'watch', conditions: [silent()] });
    await notices.recount();
    state.away = true;
    state.now += 60_000;
    const before = seam.calls.length;
    await notices.recount();
    await notices.recount();
    expect(seam.calls.length).toBe(before + 1);
    expect(logged('warn')).toMatchObject([{ event: 'alerts not counted', error: expect.any(String) }]);
    await notices.hold([silent(), storageDown]);
    expect(notices.openCount()).toBe(2);
  });

  test('are counted as none where storage has never answered', async () => {
    const { state, notices } = setUp();
    state.away = true;
    await notices.recount();
    expect(notices.openCount()).toBe(0);
  });

  test('ask who is to be told only where something is to be told', async () => {
    const { state, notices } = setUp();
    await notices.observe({ source: 'watch', conditions: [] });
    await notices.deliver();
    expect(state.asked).toBe(0);
    await notices.observe({ source: 'watch', conditions: [silent()] });
    expect(state.asked).toBe(1);
    await notices.deliver();
    expect(state.asked).toBe(2);
    await notices.observe({ source: 'watch', conditions: [silent()] });
    await notices.deliver();
    expect(state.asked).toBe(2);
  });

  test('read one list where nothing is held in memory', async () => {
    const { notices, lists } = setUp();
    await notices.observe({ source: 'watch', conditions: [] });
    expect(lists()).toBe(1);
  });

  test('say in the log what opened, what was told and what closed', async () => {
    const { notices } = setUp();
    vi.mocked(console.log).mockClear();
    await notices.observe({ source: 'watch', conditions: [silent()] });
    await notices.deliver();
    await notices.observe({ source: 'watch', conditions: [] });
    expect(logged('log')).toEqual([
      { level: 'info', event: 'notice opened', key: KEY },
      { level: 'info', event: 'notice told', kind: 'mailbox-silent', what: 'opened', channel: 'webhook' },
      { level: 'info', event: 'notice closed', key: KEY },
    ]);
  });

  test('say in the log what could not be told', async () => {
    const { state, notices } = setUp();
    state.works = false;
    vi.mocked(console.warn).mockClear();
    await notices.observe({ source: 'watch', conditions: [silent()] });
    await notices.deliver();
    expect(logged('warn')).toMatchObject([
      {
        event: 'notice not told yet',
        kind: 'mailbox-silent',
        what: 'opened',
        channel: 'webhook',
        error: expect.stringContaining('no answer'),
      },
    ]);
  });

  test('wait for a channel that is not there until the fourth try, and then go on with the next telling', async () => {
    const { state, notices } = setUp();
    await notices.observe({ source: 'watch', conditions: [silent()] });
    state.now += 1000;
    await notices.observe({ source: 'watch', conditions: [] });
    state.channels = [];
    for (const minutes of [0, 1, 2]) {
      state.now += minutes * 60_000;
      await notices.deliver();
    }
    state.channels = ['webhook'];
    state.now += 60_000;
    await notices.deliver();
    expect(state.told).toEqual([]);
    state.channels = [];
    state.now += 4 * 60_000;
    await notices.deliver();
    state.channels = ['webhook'];
    await notices.deliver();
    // The first one was dropped, and the second had its first try in the same run.
    expect(state.told).toEqual([]);
    state.now += 60_000;
    await notices.deliver();
    expect(state.told).toEqual([`webhook: closed ${KEY}`]);
    const [{ id = '' } = {}] = (await notices.past({ limit: 1 })).notices;
    expect((await notices.deliveries(id)).map(({ what }) => what)).toEqual(['closed']);
  });

  test('are told over a channel that comes back before the fourth try', async () => {
    const { state, notices } = setUp();
    await notices.observe({ source: 'watch', conditions: [silent()] });
    state.channels = [];
    for (const minutes of [0, 1, 2]) {
      state.now += minutes * 60_000;
      await notices.deliver();
    }
    state.channels = ['webhook'];
    state.now += 5 * 60_000;
    await notices.deliver();
    expect(state.told).toEqual([`webhook: opened ${KEY}`]);
  });

  test('are tried at once where a clock that was set back makes their next try lie far away', async () => {
    const { state, notices } = setUp();
    state.works = false;
    await notices.observe({ source: 'watch', conditions: [silent()] });
    await notices.deliver();
    state.works = true;
    state.now -= HOUR;
    await notices.deliver();
    expect(state.told).toEqual([`webhook: opened ${KEY}`]);
  });

  test('record what they told, and when they gave it up, with the number of tries', async () => {
    const { state, notices } = setUp();
    state.works = false;
    await notices.observe({ source: 'watch', conditions: [silent('support', { stage: 'one' })] });
    for (let hour = 0; hour < 30; hour++) {
      await notices.deliver();
      state.now += HOUR;
    }
    const [{ id = '' } = {}] = await notices.open();
    expect(await notices.deliveries(id)).toEqual([
      { channel: 'webhook', what: 'opened', at: iso(START + 29 * HOUR), result: 'given-up', attempts: 30 },
    ]);
    await notices.deliver();
    expect(await notices.deliveries(id)).toHaveLength(1);
  });

  test('give up where others change them at each of six tries', async () => {
    const { tables } = setUp();
    let commits = 0;
    const contended = createNotices({
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
    await expect(contended.observe({ source: 'watch', conditions: [silent()] })).rejects.toMatchObject({
      code: 'notices-busy',
    });
    expect(commits).toBe(6);
  });

  test('that opened while others opened the same are counted once, and told once', async () => {
    const { notices, tables, state } = setUp();
    const other = createNotices({
      tables: tables.behind({ ...openSeam, now: () => state.now }),
      seam: { ...openSeam, now: () => state.now },
      channels: async () => ({}),
    });
    await Promise.all([
      notices.observe({ source: 'watch', conditions: [silent()] }),
      other.observe({ source: 'watch', conditions: [silent()] }),
    ]);
    expect(await notices.open()).toHaveLength(1);
  });

  test('in memory are told of over each channel that there is, with the tries noted for storage', async () => {
    const { state, notices } = setUp({ channels: ['email', 'webhook'] });
    state.away = true;
    await notices.hold([storageDown]);
    expect(state.told).toEqual([
      'email: opened storage-failing|storage|storage',
      'webhook: opened storage-failing|storage|storage',
    ]);
    state.away = false;
    await notices.observe({ source: 'watch', conditions: [storageDown] });
    await notices.deliver();
    expect(state.told).toHaveLength(2);
    const [{ id = '' } = {}] = await notices.open();
    expect(await notices.deliveries(id)).toMatchObject([
      { channel: 'email', result: 'delivered', attempts: 1, at: iso(START) },
      { channel: 'webhook', result: 'delivered', attempts: 1, at: iso(START) },
    ]);
  });
});
