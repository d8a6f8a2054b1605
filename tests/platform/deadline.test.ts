import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Deadline, retryOnce, TimeoutError, withDeadline } from '../../shared/platform/deadline.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const never = (): Promise<never> => new Promise(() => {});
const MB = 1024 * 1024;

/** What became of a call after so many seconds. */
async function stateAfter(seconds: number, call: Promise<unknown>): Promise<string> {
  let state = 'waits';
  call.then(
    () => {
      state = 'done';
    },
    (error: unknown) => {
      state = error instanceof TimeoutError ? 'silent' : 'failed';
    },
  );
  await vi.advanceTimersByTimeAsync(seconds * 1000);
  return state;
}

describe('a call', () => {
  test('without progress ends after ten seconds, and the library is told to abort', async () => {
    let given: Deadline | undefined;
    const call = withDeadline((deadline) => {
      given = deadline;
      return never();
    });
    expect(await stateAfter(9.9, call)).toBe('waits');
    expect(given?.signal.aborted).toBe(false);
    expect(await stateAfter(0.2, call)).toBe('silent');
    expect(given?.signal.aborted).toBe(true);
  });

  test('with progress continues', async () => {
    const call = withDeadline(async ({ progress }) => {
      for (let piece = 0; piece < 5; piece++) {
        await new Promise((resolve) => setTimeout(resolve, 9_000));
        progress();
      }
    });
    expect(await stateAfter(46, call)).toBe('done');
  });

  test('with much data has more time', async () => {
    expect(await stateAfter(20, withDeadline(never, 4 * MB))).toBe('waits');
    expect(await stateAfter(30, withDeadline(never, 4 * MB))).toBe('silent');
  });

  test('that waits for another party has its full time afterwards', async () => {
    const slowSource = new Promise((resolve) => setTimeout(resolve, 600_000));
    const call = withDeadline(async ({ except }) => {
      await except(slowSource);
      return never();
    });
    expect(await stateAfter(609, call)).toBe('waits');
    expect(await stateAfter(2, call)).toBe('silent');
  });

  test('that succeeds or fails leaves no timer behind', async () => {
    await withDeadline(async ({ progress }) => progress());
    await expect(withDeadline(() => Promise.reject(new Error('refused')))).rejects.toThrow('refused');
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a read', () => {
  test('is retried once if there was no response', async () => {
    const ask = vi.fn(never);
    expect(await stateAfter(21, retryOnce(ask))).toBe('silent');
    expect(ask).toHaveBeenCalledTimes(2);
  });

  test('is not retried if there was a response', async () => {
    const ask = vi.fn(() => Promise.reject(new Error('403')));
    await expect(retryOnce(ask)).rejects.toThrow('403');
    expect(ask).toHaveBeenCalledTimes(1);
  });
});
