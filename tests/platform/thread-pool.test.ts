import { afterEach, expect, test } from 'vitest';
import { createThreadPool, type ThreadPool } from '../../shared/platform/thread-pool.ts';

let pool: ThreadPool<string, string>;
const open = (
  options: { deadlineMs?: number; waitMs?: number; idleMs?: number } = {},
): ThreadPool<string, string> => {
  pool = createThreadPool<string, string>({
    file: new URL('./naughty-thread.ts', import.meta.url),
    threads: 1,
    deadlineMs: 20_000,
    waitMs: 20_000,
    heapMb: 64,
    idleMs: 60_000,
    ...options,
  });
  return pool;
};
afterEach(() => pool.close());

test('tasks complete in order, each with its own value', async () => {
  open();
  const outcomes = await Promise.all(['a', 'b', 'c'].map((task) => pool.run(task)));
  expect(outcomes).toEqual(['a', 'b', 'c'].map((task) => ({ kind: 'done', value: `done: ${task}` })));
});

test('a task that takes too long ends its thread, and the next one completes', async () => {
  open({ deadlineMs: 1_000 });
  const [late, next] = await Promise.all([pool.run('hang'), pool.run('a')]);
  expect([late, next]).toEqual([{ kind: 'late' }, { kind: 'done', value: 'done: a' }]);
});

test.each(['throw', 'end', 'fill'])(
  'a task that lets its thread %s is broken, and the next one is answered',
  async (task) => {
    open();
    expect(await pool.run(task)).toMatchObject({ kind: 'broken' });
    expect(await pool.run('a')).toEqual({ kind: 'done', value: 'done: a' });
  },
);

test('a task that waits too long for a thread fails', async () => {
  open({ deadlineMs: 3_000, waitMs: 300 });
  const [hanging, waiting] = [pool.run('hang'), pool.run('a')];
  expect(await waiting).toEqual({ kind: 'late' });
  expect(await hanging).toEqual({ kind: 'late' });
});

test('a thread that was idle too long ends, and another one takes over', async () => {
  open({ idleMs: 50 });
  expect((await pool.run('a')).kind).toBe('done');
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect((await pool.run('b')).kind).toBe('done');
});

test('closing ends open tasks', async () => {
  open({ deadlineMs: 60_000 });
  const hanging = pool.run('hang');
  await pool.close();
  expect(await hanging).toMatchObject({ kind: 'broken' });
  expect(await pool.run('a')).toMatchObject({ kind: 'broken' });
});
