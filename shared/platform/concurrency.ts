import { PostroomError } from './errors.ts';
import type { ProblemCode } from './problem.ts';

/**
 * Runs an effect over all items, at most `limit` at a time, and gives the results in the items' order.
 * The first failure stops new work; the ones under way are waited for, so that nothing goes on behind a caught error.
 */
export async function mapLimited<T, R>(
  items: readonly T[],
  limit: number,
  effect: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  let failed: { error: unknown } | undefined;
  const lane = async (): Promise<void> => {
    while (next < items.length && failed === undefined) {
      const index = next;
      next += 1;
      try {
        results[index] = await effect(items[index] as T, index);
      } catch (error) {
        failed ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  if (failed !== undefined) throw failed.error;
  return results;
}

/** Lets at most `limit` effects run at a time; the others wait in line. */
export function createLimiter(limit: number): <T>(effect: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (effect) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    running += 1;
    try {
      return await effect();
    } finally {
      running -= 1;
      waiting.shift()?.();
    }
  };
}

/**
 * Waits for work, but no longer than this. The work itself is not stopped.
 * @throws what the work throws
 */
export async function withinTime(work: Promise<unknown>, limitMs: number): Promise<'done' | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), limitMs);
  });
  try {
    return await Promise.race([work.then(() => 'done' as const), late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * What the work gives, if it does so in time. The work itself is not stopped.
 * @throws PostroomError `code` when it takes longer
 */
export async function withTimeout<T>(work: Promise<T>, limitMs: number, code: ProblemCode): Promise<T> {
  if ((await withinTime(work, limitMs)) === 'late')
    throw new PostroomError(code, `No answer within ${limitMs} ms`);
  return work;
}
