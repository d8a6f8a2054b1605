/** Notices of a process that cannot reach storage. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { createNotices, type Notices } from '../../shared/notices/keep-notices.ts';
import type { Telling } from '../../shared/notices/telling.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { FaultySeam } from '../harness/memory/faulty-seam.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { START, storageDown } from '../harness/memory/sample-conditions.ts';

beforeEach(() => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});

describe('while storage is away', () => {
  const setUp = () => {
    const state = { now: START, away: true, told: [] as string[], channelWorks: true };
    const faulty = new FaultySeam({
      now: () => state.now,
      faultAt: () => (state.away ? 'failBefore' : undefined),
    });
    const tables = new MemoryTables(faulty);
    const tell = (telling: Telling): Promise<void> => {
      if (!state.channelWorks) return Promise.reject(new PostroomError('webhook', 'no answer'));
      state.told.push(`${telling.what} ${telling.condition.kind}`);
      return Promise.resolve();
    };
    const notices = createNotices({ tables, seam: faulty, channels: async () => ({ webhook: tell }) });
    return { state, tables, notices };
  };

  test('notices are told once from memory, then stored one each, and closed', async () => {
    const { state, tables, notices } = setUp();
    await expect(notices.observe({ source: 'watch', conditions: [] })).rejects.toMatchObject({
      code: 'table-storage',
    });
    for (let minute = 0; minute < 10; minute++) {
      await notices.hold([storageDown]);
      state.now += 60_000;
    }
    expect(state.told).toEqual(['opened storage-failing']);
    expect(notices.held()).toHaveLength(1);

    state.away = false;
    await notices.observe({ source: 'watch', conditions: [] });
    await notices.deliver();
    expect(state.told).toEqual(['opened storage-failing', 'closed storage-failing']);
    expect(notices.held()).toEqual([]);
    const past = await notices.past({ limit: 10 });
    expect(past.notices).toHaveLength(1);
    expect(past.notices[0]?.openedAt).toBe(new Date(START).toISOString());
    const deliveries = await notices.deliveries(past.notices[0]?.id ?? '');
    expect(deliveries.map(({ what }) => what)).toEqual(['opened', 'closed']);
    expect(tables.dump('Notices').filter(({ rowKey }) => rowKey.startsWith('open|'))).toEqual([]);
  });

  test('what another process has told and stored of the same outage is not stored again', async () => {
    const { state, tables, notices } = setUp();
    const other = createNotices({
      tables,
      seam: { ...openSeam, now: () => state.now },
      channels: async () => ({ webhook: () => Promise.resolve() }),
    });
    await notices.hold([storageDown]);
    await other.hold([storageDown]);
    state.away = false;
    state.now += 60_000;
    await notices.observe({ source: 'watch', conditions: [] });
    await other.observe({ source: 'watch', conditions: [] });
    expect((await notices.past({ limit: 10 })).notices).toHaveLength(1);
    expect(await notices.open()).toEqual([]);
  });

  test('two processes, or one before and after a restart, tell of an outage under one name; another outage has another', async () => {
    const { state, tables } = setUp();
    const ids: string[] = [];
    const process = (): Notices =>
      createNotices({
        tables,
        seam: { ...openSeam, now: () => state.now },
        channels: async () => ({
          webhook: async ({ id, what }) => {
            ids.push(`${id} ${what}`);
          },
        }),
      });
    const [one, other] = [process(), process()];
    await one.hold([storageDown]);
    state.now += 5 * 60_000;
    await other.hold([storageDown]);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
    state.away = false;
    await one.observe({ source: 'watch', conditions: [] });
    await other.observe({ source: 'watch', conditions: [] });
    state.now += 60_000;
    // Again in the same hour, seen first by the one that has told of an outage before, and by one that has not.
    for (const process_ of [one, process()]) {
      await process_.hold([storageDown]);
      state.now += 60_000;
      await process_.observe({ source: 'watch', conditions: [] });
      await process_.deliver();
      state.now += 60_000;
    }
    const { notices } = await one.past({ limit: 10 });
    expect(notices).toHaveLength(3);
    expect(new Set(notices.map(({ id }) => id)).size).toBe(3);
    // The last one cannot know that the hour's name was given.
    expect(new Set(ids.filter((id) => id.endsWith('opened'))).size).toBe(2);
    expect(await one.open()).toEqual([]);
  });

  test('two tellings never overlap, and a channel that fails is tried again from memory', async () => {
    const { state, notices } = setUp();
    state.channelWorks = false;
    await Promise.all([notices.hold([storageDown]), notices.hold([storageDown])]);
    state.channelWorks = true;
    await notices.hold([storageDown]);
    expect(state.told).toEqual([]);
    state.now += 60_000;
    await Promise.all([notices.hold([storageDown]), notices.hold([storageDown])]);
    expect(state.told).toEqual(['opened storage-failing']);
  });

  test('what could not be stored because storage went away again is kept', async () => {
    const { state, notices } = setUp();
    await notices.hold([storageDown]);
    await expect(notices.observe({ source: 'watch', conditions: [] })).rejects.toThrow();
    expect(notices.held()).toHaveLength(1);
    state.away = false;
    await notices.observe({ source: 'watch', conditions: [storageDown] });
    expect(notices.held()).toEqual([]);
    expect(await notices.open()).toHaveLength(1);
  });
});
