import { describe, expect, test } from 'vitest';
import { PostroomError } from '../../shared/platform/errors.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { fetchTimeFor, JOIN_MS, queueFetchFor, shareRuns } from '../../shared/push/join-events.ts';
import { createPushStore } from '../../shared/push/push-records.ts';
import { MemoryQueues } from '../harness/memory/memory-queues.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { seeded } from '../harness/memory/seeded.ts';
import { at, MAILBOX_ID, START } from './sample-push.ts';

const wake = (fetchAt: number) => ({ mailboxId: MAILBOX_ID, eventAt: at(fetchAt), fetchAt: at(fetchAt) });

describe('an event is answered', () => {
  test('at once if it is the first for a while', () => {
    expect(fetchTimeFor(undefined, START)).toBe(START);
    expect(fetchTimeFor(wake(-5_000), START)).toBe(START);
  });

  test('five seconds after a fetch that may have started, and by one that can not have', () => {
    expect(fetchTimeFor(wake(0), START)).toBe(START + JOIN_MS);
    expect(fetchTimeFor(wake(1_000), START)).toBe(START + 1_000 + JOIN_MS);
    expect(fetchTimeFor(wake(1_001), START)).toBeUndefined();
  });

  test('at once after a clock was set back', () => {
    expect(fetchTimeFor(wake(3_600_000), START)).toBe(START);
  });
});

/** Several instances over the same storage, each with its own clock. */
function instances(count: number, options: { skewMs?: number } = {}) {
  const tables = new MemoryTables(openSeam);
  const queues = new MemoryQueues(openSeam);
  const clock = { now: START };
  const visibleAt: number[] = [];
  const all = Array.from({ length: count }, (_, index) => ({
    push: createPushStore(tables),
    seam: { now: () => clock.now + (index % 2) * (options.skewMs ?? 0) },
    queues: {
      send: async (...[name, value, ttl, delaySeconds = 0]: Parameters<MemoryQueues['send']>) => {
        visibleAt.push(clock.now + delaySeconds * 1000);
        await queues.send(name, value, ttl, delaySeconds);
      },
    },
  }));
  return { all, clock, queues, visibleAt };
}

describe('a storm of events', () => {
  test('of a thousand at once on four instances queues few fetches', async () => {
    const { all, queues } = instances(4);
    const shared = all.map((deps) => shareRuns((id) => queueFetchFor(deps, id)));
    await Promise.all(Array.from({ length: 1000 }, (_, index) => shared[index % 4]?.(MAILBOX_ID)));
    expect(queues.sent.length).toBeGreaterThan(0);
    expect(queues.sent.length).toBeLessThanOrEqual(2);
    expect(queues.sent.every(({ name }) => name === 'fetch-shard')).toBe(true);
  });

  test.each([0, 500, -500])(
    'causes a fetch after each event, and one in five seconds (clocks %i ms apart)',
    async (skewMs) => {
      const random = seeded(7);
      const { all, clock, visibleAt } = instances(4, { skewMs });
      const events: number[] = [];
      for (let index = 0; index < 1000; index += 1) {
        clock.now += Math.floor(random() * (random() < 0.05 ? 20_000 : 400));
        events.push(clock.now);
        const deps = all[Math.floor(random() * 4)];
        if (deps !== undefined) await queueFetchFor(deps, MAILBOX_ID);
      }
      // A fetch that starts at the event or later lists its email.
      const uncovered = events.filter(
        (event) => !visibleAt.some((start) => start >= event && start <= event + 8_000),
      );
      expect(uncovered).toEqual([]);
      const seconds = (clock.now - START) / 1000;
      expect(visibleAt.length).toBeLessThanOrEqual(seconds / 5 + 1);
    },
  );
});

describe('storage that fails', () => {
  test('while a fetch is queued loses no event: the claim is released, and Graph sends it again', async () => {
    const {
      all: [deps],
      clock,
      queues,
    } = instances(1);
    if (deps === undefined) throw new Error('no instance');
    await queueFetchFor(deps, MAILBOX_ID);
    clock.now += 1_000;
    const failing = {
      ...deps,
      queues: { send: () => Promise.reject(new PostroomError('queue-storage', 'away')) },
    };
    await expect(queueFetchFor(failing, MAILBOX_ID)).rejects.toMatchObject({ code: 'queue-storage' });
    clock.now += 1_000;
    await queueFetchFor(deps, MAILBOX_ID);
    expect(queues.sent).toHaveLength(2);
  });
});

describe('shared runs', () => {
  test('start after every caller that shares them, and a failure reaches each of its callers only', async () => {
    const started: number[] = [];
    let time = 0;
    let release: () => void = () => {};
    const run = shareRuns(async () => {
      started.push(time);
      if (started.length === 1) {
        await new Promise<void>((resolve) => (release = resolve));
        throw new Error('first');
      }
      return started.length;
    });
    const first = run('a');
    time = 1;
    const second = run('a');
    time = 2;
    const third = run('a');
    release();
    await expect(first).rejects.toThrow('first');
    expect(await Promise.all([second, third])).toEqual([2, 2]);
    expect(started).toEqual([0, 2]);
    expect(await run('a')).toBe(3);
  });
});
