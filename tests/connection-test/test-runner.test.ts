import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { TestRunner } from '../../shared/connection-test/test-runner.ts';
import { openSeam } from '../../shared/platform/seam.ts';

const server = { host: 'imap.contoso.example', port: 993 };
const never = () => new Promise<{ value: string; found: string }>(() => {});

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a step of a connection test', () => {
  test('that never ends fails after 20 seconds, and no step follows', async () => {
    const run = new TestRunner({ seam: openSeam }, 'imap', server);
    let later = 0;
    let over = false;
    const tested = run.take(async () => {
      await run.step('tcp', never);
      later += 1;
    });
    void tested.then(() => {
      over = true;
    });
    await vi.advanceTimersByTimeAsync(19_999);
    expect(over).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect((await tested).steps).toMatchObject([
      { name: 'tcp', state: 'failed', evidence: 'ETIMEDOUT No response within 20 seconds' },
    ]);
    expect(later).toBe(0);
  });

  test('has its full time, however long the earlier steps took', async () => {
    const run = new TestRunner({ seam: openSeam, stepMs: 1000 }, 'imap', server);
    const slow = async () => {
      await new Promise((resolve) => setTimeout(resolve, 900));
      return { value: '', found: 'done' };
    };
    const tested = run.take(async () => {
      await run.step('tcp', slow);
      await run.step('tls', slow);
    });
    await vi.advanceTimersByTimeAsync(2000);
    expect((await tested).steps.map(({ state }) => state)).toEqual(['passed', 'passed']);
    // Nothing is left that would end the connection of a test that is over.
    expect(vi.getTimerCount()).toBe(0);
  });
});
