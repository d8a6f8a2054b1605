import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { retryOnce, type Deadline, TimeoutError, withDeadline } from '../../shared/platform/deadline.ts';

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
  test('that is silent ends after ten seconds, and the library hears of it', async () => {
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

  test('that makes progress goes on', async () => {
    const call = withDeadline(async ({ progress }) => {
      for (let piece = 0; piece < 5; piece++) {
        await new Promise((resolve) => setTimeout(resolve, 9_000));
        progress();
      }
    });
    expect(await stateAfter(46, call)).toBe('done');
  });

  test('that transfers much has longer', async () => {
    expect(await stateAfter(20, withDeadline(never, 4 * MB))).toBe('waits');
    expect(await stateAfter(30, withDeadline(never, 4 * MB))).toBe('silent');
  });

  test('that waits for somebody else has its whole time afterwards', async () => {
    const slowSource = new Promise((resolve) => setTimeout(resolve, 600_000));
    const call = withDeadline(async ({ except }) => {
      await except(slowSource);
      return never();
    });
    expect(await stateAfter(609, call)).toBe('waits');
    expect(await stateAfter(2, call)).toBe('silent');
  });

  test('that answers or fails leaves no timer behind', async () => {
    await withDeadline(async ({ progress }) => progress());
    await expect(withDeadline(() => Promise.reject(new Error('refused')))).rejects.toThrow('refused');
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('what only reads', () => {
  test('is asked again where nothing came, once', async () => {
    const ask = vi.fn(never);
    expect(await stateAfter(21, retryOnce(ask))).toBe('silent');
    expect(ask).toHaveBeenCalledTimes(2);
  });

  test('is not asked again where an answer came', async () => {
    const ask = vi.fn(() => Promise.reject(new Error('403')));
    await expect(retryOnce(ask)).rejects.toThrow('403');
    expect(ask).toHaveBeenCalledTimes(1);
  });
});
