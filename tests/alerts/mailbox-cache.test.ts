/** The mailboxes as a process last saw them, for when storage is unavailable. */
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createMailboxCache } from '../../shared/alerts/mailbox-cache.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { mailbox } from './sample-facts.ts';

const away = new PostroomError('table-storage', 'no answer');
/** A store that returns the next of these responses at each call. */
function storeGiving(...answers: (readonly Mailbox[] | Error | 'silence')[]) {
  const left = [...answers];
  return createMailboxCache({
    list: async () => {
      const answer = left.shift();
      if (answer instanceof Error) throw answer;
      return answer === 'silence' ? new Promise(() => {}) : [...(answer ?? [])];
    },
  });
}

describe('the cached mailboxes', () => {
  test('are none before the first read', () => {
    expect(storeGiving().last()).toEqual([]);
  });

  test('are those of the last read while storage is unavailable', async () => {
    const known = storeGiving([mailbox('support')], [mailbox('sales')], away, away);
    expect(await known.list()).toEqual([mailbox('support')]);
    expect(await known.listOrLast()).toEqual([mailbox('sales')]);
    expect(await known.listOrLast()).toEqual([mailbox('sales')]);
    await expect(known.list()).rejects.toBe(away);
    expect(known.last()).toEqual([mailbox('sales')]);
  });

  test('are unknown if storage has never responded', async () => {
    await expect(storeGiving(away).listOrLast()).rejects.toBe(away);
  });

  test('are none again once the last one is removed', async () => {
    const known = storeGiving([], away);
    await known.list();
    expect(await known.listOrLast()).toEqual([]);
  });

  test('are not used after any other error', async () => {
    const bug = new TypeError('a mistake');
    const known = storeGiving([mailbox('support')], bug);
    await known.list();
    await expect(known.listOrLast()).rejects.toBe(bug);
  });

  test('are those of the last read after five seconds without a response', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const known = storeGiving([mailbox('support')], 'silence');
    await known.list();
    let settled = false;
    const asked = known.listOrLast().finally(() => {
      settled = true;
    });
    await vi.advanceTimersByTimeAsync(4_900);
    expect(settled).toBe(false);
    await vi.advanceTimersByTimeAsync(100);
    expect(await asked).toEqual([mailbox('support')]);
  });
});
