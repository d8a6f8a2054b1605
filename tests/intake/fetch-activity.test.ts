/** Which fetches leave a row among the activities, and its text. */
import { describe, expect, test } from 'vitest';
import { activityOf, countOf } from '../../shared/intake/fetch-activity.ts';
import type { FetchResult } from '../../shared/intake/fetch-mailbox.ts';
import type { FetchFailure } from '../../shared/mailboxes/mailbox.ts';
import { codeFrom } from '../../shared/platform/problem.ts';
import { mailboxOf } from '../harness/memory/intake-world.ts';

const AT = '2026-11-24T10:00:00.000Z';
const mailbox = mailboxOf({ kind: 'mark-seen' });
const fetched = { kind: 'fetched', opened: 4, replies: 3, quarantined: 2, skipped: 1, more: false } as const;
const nothing = { ...fetched, opened: 0, replies: 0, quarantined: 0, skipped: 0 };
const failed = (kind: 'retrying' | 'action-required', code: string): FetchResult => ({
  kind: 'failed',
  failure: { kind, code: codeFrom(code), message: 'The mail server does not answer.' },
});
const before: FetchFailure = {
  state: 'retrying',
  code: 'imap-unavailable',
  problem: 'x',
  since: AT,
  failures: 1,
  triedAt: AT,
  nextTryAt: AT,
};
const activity = (result: FetchResult, failure?: FetchFailure): ReturnType<typeof activityOf> =>
  activityOf(mailbox, result, failure, Date.parse(AT), 250);
const entry = { kind: 'fetch', at: AT, aboutId: 'support', about: 'support@contoso.example', ms: 250 };

test('the count of a fetch includes all of its emails, and separately those in quarantine', () => {
  expect(countOf(fetched)).toEqual({ emails: 10, quarantined: 2 });
});

describe('a fetch', () => {
  test('that imported email says what happened to it', () => {
    expect(activity(fetched)).toEqual({
      ...entry,
      result: 'done',
      what: '4 tickets opened, 3 replies added, 2 emails not imported, 1 email skipped.',
    });
    expect(activity({ ...nothing, skipped: 1 })).toMatchObject({ what: '1 email skipped.' });
  });

  test('that imported email after an outage says how much had waited', () => {
    expect(activity({ ...nothing, skipped: 1 }, before)).toMatchObject({
      what: 'Fetching works again, 1 email recovered: 1 email skipped.',
    });
    expect(activity({ ...nothing, opened: 50, more: true }, before)).toMatchObject({
      what: 'Fetching works again, at least 50 emails recovered: 50 tickets opened.',
    });
  });

  test.each([
    ['found nothing', { kind: 'nothing-new' } as const],
    ['found mail that was settled before', nothing],
  ])('that %s has a row only after a failure', (_what, result) => {
    expect(activity(result)).toBeUndefined();
    expect(activity(result, before)).toEqual({
      ...entry,
      result: 'done',
      what: 'Fetching works again; no new email.',
    });
  });

  test('of another run is not recorded here', () => {
    expect(activity({ kind: 'busy' }, before)).toBeUndefined();
  });

  test('that failed has one row for each kind of failure, with who can fix it', () => {
    const what = 'The mail server does not answer.';
    expect(activity(failed('retrying', 'imap-unavailable'))).toEqual({
      ...entry,
      result: 'retrying',
      what,
    });
    expect(activity(failed('retrying', 'imap-unavailable'), before)).toBeUndefined();
    expect(activity(failed('action-required', 'no-access'), before)).toEqual({
      ...entry,
      result: 'action-required',
      what,
    });
  });
});
