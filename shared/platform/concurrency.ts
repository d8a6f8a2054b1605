import { PostroomError } from './errors.ts';
import type { ProblemCode } from './problem.ts';

/**
 * Runs an effect over all items, at most `limit` at a time, and returns the results in the order of the
 * items. The first failure stops new work. Effects already running are awaited, so none continues after the
 * error is thrown.
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

/** Limits effects to `limit` at a time; the others are queued. */
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
 * Waits for the work, but no longer than `limitMs`. The work is not cancelled.
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
 * Returns the result of the work if it finishes within `limitMs`. The work is not cancelled.
 * @throws PostroomError `code` at the timeout
 */
export async function withTimeout<T>(work: Promise<T>, limitMs: number, code: ProblemCode): Promise<T> {
  if ((await withinTime(work, limitMs)) === 'late')
    throw new PostroomError(code, `No answer within ${limitMs} ms`);
  return work;
}
