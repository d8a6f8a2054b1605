import { describe, expect, test } from 'vitest';
import {
  afterAttempt,
  afterSearch,
  CLAIM_MS,
  claimed,
  type Delivery,
  type DeliveryOutcome,
  type DeliveryProblem,
  dueOf,
  isFinished,
  needsPerson,
  nextStep,
  queuedDelivery,
  requeued,
  SENDING_MS,
  withdrawn,
} from '../../shared/outbox/delivery.ts';
import { codeFrom } from '../../shared/platform/problem.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const now = Date.parse('2026-11-24T10:00:00.000Z');
const iso = (ms: number): string => new Date(ms).toISOString();
const why: DeliveryProblem = { code: codeFrom('smtp-temporary'), reason: '451 later', isVerdict: true };
const refusal = (wish: Partial<Extract<DeliveryOutcome, { kind: 'refused' }>> = {}): DeliveryOutcome => ({
  kind: 'refused',
  why,
  permanent: false,
  isOfWayOut: false,
  ...wish,
});
const queued = queuedDelivery(iso(now));
const sending = claimed(queued, now);
const unknown = afterAttempt('reply', sending, { kind: 'unknown', why }, now);

describe('an email that waits', () => {
  test('is not sent before its time, and then is', () => {
    const later = queuedDelivery(iso(now + 10_000));
    expect(nextStep('reply', later, now + 9_999)).toEqual({ kind: 'wait' });
    expect(nextStep('reply', later, now + 10_000)).toEqual({ kind: 'send' });
  });

  test('can be withdrawn until it is claimed', () => {
    expect(withdrawn(queued, now)?.status).toEqual({ state: 'withdrawn', at: iso(now) });
    for (const delivery of [sending, unknown]) expect(withdrawn(delivery, now)).toBeUndefined();
  });

  test('can be withdrawn between attempts, and while its way out is closed, but not after the server’s verdict', () => {
    const refusedWith = (wish: Parameters<typeof refusal>[0]): Delivery =>
      afterAttempt('reply', sending, refusal(wish), now);
    for (const waits of [refusedWith({}), refusedWith({ permanent: true, isOfWayOut: true })])
      expect(withdrawn(waits, now)?.status.state).toBe('withdrawn');
    expect(withdrawn(refusedWith({ permanent: true }), now)).toBeUndefined();
  });
});

test.each<[boolean, string, Delivery['status']]>([
  [true, 'was refused', { state: 'failed', at: iso(now), why, isOfWayOut: false }],
  [true, 'stays unknown', { state: 'unknown', at: iso(now), why, searches: 2 }],
  [
    true,
    'left, but not to all',
    {
      state: 'sent',
      at: iso(now),
      answer: '250',
      foundInSent: false,
      refused: [{ address: 'x@y.example', line: '550' }],
    },
  ],
  [false, 'left', { state: 'sent', at: iso(now), answer: '250', foundInSent: false, refused: [] }],
  [false, 'waits for its way out', { state: 'failed', at: iso(now), why, isOfWayOut: true }],
  [false, 'is looked for', { state: 'unknown', at: iso(now), due: iso(now), why, searches: 0 }],
  [false, 'is tried again', { state: 'retrying', at: iso(now), due: iso(now), why }],
])(
  'that a person has to deal with it is %s of a reply that %s, and false of an acknowledgement',
  (isTrue, _, status) => {
    expect(needsPerson('reply', { ...sending, status })).toBe(isTrue);
    expect(needsPerson('acknowledgement', { ...sending, status })).toBe(false);
  },
);

describe('a claimed email', () => {
  test('counts its attempt and remembers the first', () => {
    expect(sending).toMatchObject({
      status: { state: 'sending', claimedAt: iso(now) },
      attempts: 1,
      firstTriedAt: iso(now),
    });
    expect(claimed(sending, now + HOUR)).toMatchObject({ attempts: 2, firstTriedAt: iso(now) });
  });

  test('belongs to its process until the claim expires, which is after every live process gave up', () => {
    expect([SENDING_MS, CLAIM_MS]).toEqual([5 * MINUTE, 10 * MINUTE]);
    expect(nextStep('reply', sending, now + CLAIM_MS - 1)).toEqual({ kind: 'wait' });
    const step = nextStep('reply', sending, now + CLAIM_MS);
    const lost = { state: 'unknown', why: { code: 'sending-ended', isVerdict: false } };
    expect(step).toMatchObject({ kind: 'record', delivery: { status: lost } });
  });

  test('that the server accepts is sent, with the server’s line', () => {
    const refused = [{ address: 'a@b.example', line: '550 no' }];
    const sent = afterAttempt('reply', sending, { kind: 'accepted', answer: '250 OK', refused }, now);
    expect(sent.status).toEqual({
      state: 'sent',
      at: iso(now),
      answer: '250 OK',
      foundInSent: false,
      refused,
    });
    expect(isFinished(sent)).toBe(true);
  });

  test('is tried again after 1, 5 and 15 minutes, then every hour up to 48 hours', () => {
    let delivery: Delivery = queued;
    let time = now;
    const pauses: number[] = [];
    for (;;) {
      delivery = afterAttempt('reply', claimed(delivery, time), refusal(), time);
      const due = dueOf(delivery);
      if (due === undefined) break;
      pauses.push((Date.parse(due) - time) / MINUTE);
      time = Date.parse(due);
    }
    expect(pauses.slice(0, 5)).toEqual([1, 5, 15, 60, 60]);
    expect(time - now).toBeLessThanOrEqual(48 * HOUR);
    expect(time - now).toBeGreaterThan(46 * HOUR);
    expect(delivery.status).toMatchObject({ state: 'failed', why });
  });

  test('is finished only once nothing more happens by itself', () => {
    const retrying = afterAttempt('reply', sending, refusal(), now);
    const failed = afterAttempt('reply', sending, refusal({ permanent: true }), now);
    expect([queued, sending, retrying, unknown].map(isFinished)).toEqual([false, false, false, false]);
    expect([failed, withdrawn(queued, now) ?? queued].map(isFinished)).toEqual([true, true]);
  });

  test('is still tried at the end of its 48 hours, and not after', () => {
    const last = { ...sending, attempts: 9, firstTriedAt: iso(now - 47 * HOUR) };
    expect(afterAttempt('reply', last, refusal(), now).status).toMatchObject({ state: 'retrying' });
    expect(afterAttempt('reply', last, refusal(), now + 1).status).toMatchObject({ state: 'failed' });
  });

  test('waits as long as the server asks', () => {
    const retryAt = iso(now + 3 * HOUR);
    expect(dueOf(afterAttempt('reply', sending, refusal({ retryAt }), now))).toBe(retryAt);
  });

  test('stops at once if it will not pass', () => {
    const failed = afterAttempt('reply', sending, refusal({ permanent: true }), now);
    expect(failed.status).toEqual({ state: 'failed', at: iso(now), why, isOfWayOut: false });
    expect(nextStep('reply', failed, now + HOUR)).toEqual({ kind: 'finished' });
    expect(requeued('reply', failed, now)).toEqual(queuedDelivery(iso(now)));
    expect(requeued('reply', sending, now)).toBeUndefined();
  });

  test('fails because of its way out if nothing could be handed over', () => {
    const outcome: DeliveryOutcome = { kind: 'not-started', why, permanent: true };
    expect(afterAttempt('reply', sending, outcome, now).status).toMatchObject({ isOfWayOut: true });
    const temporary: DeliveryOutcome = { ...outcome, permanent: false };
    expect(afterAttempt('reply', sending, temporary, now).status).toMatchObject({ state: 'retrying' });
  });
});

describe('an email of which it is not known whether it left', () => {
  test.each(['acknowledgement', 'notification'] as const)('is never sent again if it is an %s', (kind) => {
    const delivery = afterAttempt(kind, sending, { kind: 'unknown', why }, now);
    expect(isFinished(delivery)).toBe(true);
    expect(nextStep(kind, delivery, now + 100 * HOUR)).toEqual({ kind: 'finished' });
  });

  test('can be sent again by a person if it is a reply, and says so, once nothing more can be found out', () => {
    const unknown = afterAttempt('reply', sending, { kind: 'unknown', why }, now);
    expect(requeued('reply', unknown, now)).toBeUndefined();
    const status = { ...unknown.status, due: undefined } as Delivery['status'];
    const again = requeued('reply', { ...unknown, status }, now);
    expect(again).toEqual({ ...queuedDelivery(iso(now)), sentAgainAt: iso(now) });
    for (const kind of ['acknowledgement', 'notification'] as const)
      expect(requeued(kind, { ...unknown, status }, now)).toBeUndefined();
    // It may have left before: “Undo” would promise too much.
    if (again === undefined) throw new Error('it was not queued');
    expect(withdrawn(again, now)).toBeUndefined();
  });

  test('still says that it may arrive twice after it failed and was sent again', () => {
    const failed = afterAttempt(
      'reply',
      { ...sending, sentAgainAt: iso(now) },
      refusal({ permanent: true }),
      now,
    );
    expect(requeued('reply', failed, now + HOUR)).toMatchObject({ sentAgainAt: iso(now) });
  });

  test('is looked for twice if it is a reply', () => {
    expect(nextStep('reply', unknown, now + MINUTE - 1)).toEqual({ kind: 'wait' });
    expect(nextStep('reply', unknown, now + MINUTE)).toEqual({ kind: 'search' });
    const once = afterSearch(unknown, false, now + MINUTE);
    expect(once.status).toMatchObject({ state: 'unknown', searches: 1, due: iso(now + 6 * MINUTE) });
    const twice = afterSearch(once, false, now + 6 * MINUTE);
    expect(twice).toMatchObject({
      status: { state: 'retrying', due: iso(now + 6 * MINUTE), why },
      sentAgainAt: iso(now + 6 * MINUTE),
    });
    expect(nextStep('reply', twice, now + 6 * MINUTE)).toEqual({ kind: 'send' });
  });

  test('was sent if it is in the Sent folder', () => {
    expect(afterSearch(unknown, true, now).status).toMatchObject({
      state: 'sent',
      foundInSent: true,
      refused: [],
    });
  });

  test('is sent once more only once', () => {
    const again = claimed({ ...unknown, sentAgainAt: iso(now) }, now);
    const lost = afterAttempt('reply', again, { kind: 'unknown', why }, now);
    const end = afterSearch(afterSearch(lost, false, now), false, now);
    expect(end.status).toMatchObject({ state: 'unknown', searches: 2 });
    expect(isFinished(end)).toBe(true);
  });

  test('is neither sent nor given up because the folder could not be searched, for 48 hours', () => {
    const later = afterSearch(unknown, undefined, now + MINUTE);
    expect(later.status).toMatchObject({ state: 'unknown', searches: 0, due: iso(now + 16 * MINUTE) });
    expect(isFinished(afterSearch(unknown, undefined, now + 48 * HOUR))).toBe(false);
    expect(isFinished(afterSearch(unknown, undefined, now + 48 * HOUR + 1))).toBe(true);
  });

  test('leaves every other state unchanged when a late search ends', () => {
    expect(afterSearch(sending, true, now)).toBe(sending);
  });
});
