/** When a failing mailbox is retried, and what the end of one failure implies for others. */
import { describe, expect, test } from 'vitest';
import { causeEnded, nextFailure, waitingFor } from '../../shared/intake/fetch-failure.ts';
import type { FetchResult } from '../../shared/intake/fetch-mailbox.ts';
import type { ConnectFailure } from '../../shared/mailboxes/connect-inbox.ts';
import type { FetchFailure, Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { codeFrom } from '../../shared/platform/problem.ts';
import { mailboxOf } from '../harness/memory/intake-world.ts';

const NOW = Date.parse('2026-11-24T10:00:00.000Z');
const at = (seconds: number): string => new Date(NOW + seconds * 1000).toISOString();
const found = (change: Partial<ConnectFailure> = {}): ConnectFailure => ({
  kind: 'retrying',
  code: 'imap-unavailable',
  message: 'The mail server does not answer.',
  ...change,
});
const failure = (change: Partial<FetchFailure> = {}): FetchFailure => ({
  state: 'retrying',
  code: 'imap-unavailable',
  problem: 'The mail server does not answer.',
  since: at(-600),
  failures: 1,
  triedAt: at(-60),
  nextTryAt: at(0),
  ...change,
});

describe('a mailbox that failed', () => {
  test('keeps the message of its server, and none if there was none', () => {
    expect(nextFailure(undefined, found({ said: 'NO busy' }), NOW).said).toBe('NO busy');
    expect(nextFailure(undefined, found(), NOW)).not.toHaveProperty('said');
  });

  test('is retried in a minute, slightly early, so that the next run of the timer finds it due', () => {
    expect(nextFailure(undefined, found(), NOW)).toEqual({
      state: 'retrying',
      code: 'imap-unavailable',
      problem: 'The mail server does not answer.',
      since: at(0),
      failures: 1,
      triedAt: at(0),
      nextTryAt: at(55),
    });
  });

  test.each([
    [1, 2],
    [2, 4],
    [3, 8],
    [4, 16],
    [5, 30],
    [50, 30],
  ])('the same way %i times waits %i minutes', (failures, minutes) => {
    expect(nextFailure(failure({ failures }), found(), NOW)).toMatchObject({
      since: at(-600),
      failures: failures + 1,
      triedAt: at(0),
      nextTryAt: at(minutes * 60 - 5),
    });
  });

  test('waits as long as its server asked, but never a day', () => {
    const waiting = (retryAfterMs: number): string =>
      nextFailure(undefined, found({ retryAfterMs }), NOW).nextTryAt;
    expect(waiting(300_000)).toBe(at(300));
    expect(waiting(1_000), 'at least the usual time').toBe(at(55));
    expect(waiting(100 * 86_400_000)).toBe(at(6 * 3600));
  });

  test('in another way starts again', () => {
    expect(nextFailure(failure({ code: 'no-answer', failures: 5 }), found(), NOW)).toMatchObject({
      code: 'imap-unavailable',
      since: at(0),
      failures: 1,
      nextTryAt: at(55),
    });
  });

  test('and waits for a person is retried every five minutes', () => {
    const before = failure({ state: 'action-required', code: 'imap-no-access', failures: 9 });
    const after = nextFailure(before, found({ kind: 'action-required', code: 'imap-no-access' }), NOW);
    expect(after).toMatchObject({ state: 'action-required', failures: 10, nextTryAt: at(295) });
  });

  test('waits as long as the server requested, and never shorter than usual', () => {
    expect(nextFailure(undefined, found({ retryAt: at(3600) }), NOW).nextTryAt).toBe(at(3600));
    expect(nextFailure(undefined, found({ retryAt: at(10) }), NOW).nextTryAt).toBe(at(55));
  });

  test('in the future counts from now: the clock was set back', () => {
    expect(nextFailure(failure({ since: at(3600), failures: 2 }), found(), NOW)).toMatchObject({
      since: at(0),
      failures: 3,
    });
  });

  test('with an endless message keeps its beginning', () => {
    const { problem } = nextFailure(undefined, found({ message: 'x'.repeat(5000) }), NOW);
    expect(problem).toBe('x'.repeat(2000));
  });
});

describe('a shared cause', () => {
  const mailbox = mailboxOf({ kind: 'mark-seen' });
  const fetched: FetchResult = {
    kind: 'fetched',
    opened: 1,
    replies: 0,
    quarantined: 0,
    skipped: 0,
    more: false,
  };
  const failed = (code: string): FetchResult => ({
    kind: 'failed',
    failure: found({ code: codeFrom(code) }),
  });
  const ended = (code: string, result: FetchResult): string | undefined =>
    causeEnded(mailbox, failure({ code: codeFrom(code) }), result);

  test('is resolved when a fetch that it stopped before works', () => {
    expect(ended('key-vault', fetched)).toBe(`vault|${mailbox.providerId}`);
    expect(ended('table-storage', { kind: 'nothing-new' })).toBe('storage');
  });

  test('is resolved when the fetch got further and failed for its own reason', () => {
    expect(ended('server_error', failed('imap-unavailable'))).toBe(`sign-in|${mailbox.providerId}`);
  });

  test('continues while a shared cause still stops it, this one or another', () => {
    expect(ended('server_error', failed('server_error'))).toBeUndefined();
    expect(ended('server_error', failed('table-storage'))).toBeUndefined();
  });

  test.each(['fetch-too-slow', 'unexpected'])('may continue after an inconclusive result (%s)', (code) => {
    expect(ended('server_error', failed(code))).toBeUndefined();
  });

  test('may continue if another run has the mailbox', () => {
    expect(ended('server_error', { kind: 'busy' })).toBeUndefined();
  });

  test('does not exist for a mailbox that worked, or had its own failure', () => {
    expect(causeEnded(mailbox, undefined, fetched)).toBeUndefined();
    expect(ended('imap-unavailable', fetched)).toBeUndefined();
  });

  test('delays the active mailboxes that it stops, except the one that showed its end', () => {
    const box = (id: string, change: Partial<Mailbox> = {}): Mailbox => ({ ...mailbox, id, ...change });
    const all = [
      box('waits'),
      box('off', { enabled: false }),
      box('showed it'),
      box('well'),
      box('own trouble'),
      box('other provider', { providerId: 'q' }),
      box('waits, too'),
    ];
    const failures = new Map(
      all
        .filter(({ id }) => id !== 'well')
        .map(({ id }) => [id, failure({ code: codeFrom('server_error') })]),
    );
    failures.set('own trouble', failure());
    const waiting = waitingFor(`sign-in|${mailbox.providerId}`, all, { failing: failures }, 'showed it');
    expect([...waiting]).toEqual(['waits', 'waits, too']);
  });
});
