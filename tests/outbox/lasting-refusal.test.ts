/** Which outcomes of sending become an alert. */
import { expect, test } from 'vitest';
import type { DeliveryOutcome } from '../../shared/outbox/delivery.ts';
import { lastingRefusal } from '../../shared/outbox/lasting-refusal.ts';
import { codeFrom } from '../../shared/platform/problem.ts';

const why = (code: string, isVerdict: boolean) => ({ code: codeFrom(code), reason: 'Words.', isVerdict });
const off: DeliveryOutcome = {
  kind: 'refused',
  why: why('smtp-auth-disabled-tenant', true),
  permanent: true,
  isOfWayOut: true,
};
const away: DeliveryOutcome = {
  kind: 'not-started',
  why: why('smtp-unreachable', false),
  permanent: false,
};

test.each<[string, DeliveryOutcome, number, boolean]>([
  ['a sender that the server refuses for good', off, 1, true],
  ['a server that has not answered three times', away, 3, true],
  ['a Graph that has not answered three times', { ...away, why: why('graph-unavailable', false) }, 3, true],
  ['a relay that is not set up', { ...away, why: why('no-relay', false), permanent: true }, 1, true],
  ['a relay with an invalid address', { ...away, why: why('bad-relay', false), permanent: true }, 1, true],
  ['a vault that does not answer', { ...away, why: why('key-vault', false) }, 9, false],
  ['a server that has not answered twice', away, 2, false],
  ['too many emails in a minute', { ...off, permanent: false }, 5, false],
  ['a recipient that does not exist', { ...off, isOfWayOut: false }, 1, false],
  ['an account without a token', { ...away, why: why('account-missing', false), permanent: true }, 9, false],
  ['an email that may have left, however often', { kind: 'unknown', why: away.why }, 9, false],
  ['an email that may have left', { kind: 'unknown', why: why('smtp-answer-lost', false) }, 9, false],
])('%s', (_what, outcome, attempts, isMentioned) => {
  expect(lastingRefusal(outcome, attempts) !== undefined).toBe(isMentioned);
});

test('says what the server said, and that it is to be asked again', () => {
  expect(lastingRefusal({ ...off, retryAt: '2026-11-24T11:00:00.000Z' }, 1)).toEqual({
    code: 'smtp-auth-disabled-tenant',
    reason: 'Words.',
    permanent: true,
    retryAt: '2026-11-24T11:00:00.000Z',
    asked: true,
  });
});
