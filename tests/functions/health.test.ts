import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { rememberReadiness } from '../../functions/triggers/health.ts';

let logged: string[] = [];
beforeEach(() => {
  logged = [];
  vi.spyOn(console, 'error').mockImplementation((line: string) => logged.push(line));
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('readiness', () => {
  test('is checked once in five seconds, however many requests arrive', async () => {
    const check = vi.fn(() => Promise.resolve());
    const isReady = rememberReadiness(check);
    expect(await Promise.all([isReady(0), isReady(1), isReady(4_999)])).toEqual([true, true, true]);
    expect(check).toHaveBeenCalledTimes(1);
    expect(await isReady(5_000)).toBe(true);
    expect(check).toHaveBeenCalledTimes(2);
  });

  test('ends when something is missing, with the reason only in the log, and returns', async () => {
    let works = false;
    const isReady = rememberReadiness(() =>
      works ? Promise.resolve() : Promise.reject(new Error('no tables')),
    );
    expect(await isReady(0)).toBe(false);
    expect(logged.join()).toContain('no tables');
    works = true;
    expect(await isReady(4_999)).toBe(false);
    expect(await isReady(5_000)).toBe(true);
  });

  test('ends when nothing responds within four seconds', async () => {
    vi.useFakeTimers();
    const answer = rememberReadiness(() => new Promise<void>(() => undefined))(0);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(await answer).toBe(false);
    expect(logged.join()).toContain('readiness-timeout');
  });
});
