import { describe, expect, test } from 'vitest';
import { dueMailboxes, dueWhenAnnounced } from '../../shared/intake/due-mailboxes.ts';
import { lookInterval } from '../../shared/mailboxes/look-interval.ts';
import type { FetchState } from '../../shared/mailboxes/mailbox-store.ts';
import {
  evidenceOf,
  LIFE_MS,
  nextStep,
  renewalOf,
  settingsOf,
  type WantedPush,
  wantedPush,
} from '../../shared/push/decide-push.ts';
import { duePushes } from '../../shared/push/maintain-pushes.ts';
import { at, MINUTE, START, sampleMailbox, samplePush, sampleSubscription } from './sample-push.ts';

const READ_BASIC = 'https://graph.microsoft.com/Mail.ReadBasic';
const person = { kind: undefined, user: 'Support@contoso.example', scopes: [READ_BASIC] };
const app = { kind: 'app' as const, user: 'The app itself', scopes: ['IMAP.AccessAsApp'] };

describe('push is', () => {
  const resourceOf = (wanted: WantedPush): string =>
    wanted.kind === 'wanted' ? wanted.target.resource : wanted.reason;

  test('wanted where the account may read the headers of its own mailbox', () => {
    expect(resourceOf(wantedPush(sampleMailbox(), person, true))).toBe("me/mailFolders('inbox')/messages");
    expect(wantedPush(sampleMailbox({ folder: 'inbox' }), person, true).kind).toBe('wanted');
    const readsAndWrites = { ...person, scopes: ['Mail.ReadWrite'] };
    expect(wantedPush(sampleMailbox(), readsAndWrites, true).kind).toBe('wanted');
  });

  test('wanted for any mailbox that the app itself reads, also a shared one', () => {
    const shared = sampleMailbox({ address: 'sales+eu@contoso.example' });
    expect(resourceOf(wantedPush(shared, app, true))).toBe(
      "users/sales%2Beu%40contoso.example/mailFolders('inbox')/messages",
    );
  });

  test.each([
    ['a shared mailbox', sampleMailbox({ address: 'sales@contoso.example' }), person, 'app-only access'],
    [
      'an account without the permission',
      sampleMailbox(),
      { ...person, scopes: ['IMAP.AccessAsUser.All'] },
      'Mail.ReadBasic',
    ],
    [
      'an account with the sharing permission only',
      sampleMailbox(),
      { ...person, scopes: ['Mail.ReadWrite.Shared'] },
      'Mail.ReadBasic',
    ],
    ['another folder', sampleMailbox({ folder: 'Orders' }), person, 'another folder'],
    ['a paused mailbox', sampleMailbox({ enabled: false }), person, 'paused'],
    ['an account that is gone', sampleMailbox(), undefined, 'Only Microsoft 365'],
  ])('impossible for %s, with a reason', (_name, mailbox, account, reason) => {
    const wanted = wantedPush(mailbox, account, true);
    expect(wanted).toMatchObject({ kind: 'impossible', reason: expect.stringContaining(reason) });
  });

  test('impossible without Microsoft Graph', () => {
    expect(wantedPush(sampleMailbox(), person, false).kind).toBe('impossible');
  });
});

describe('a subscription', () => {
  const wanted = wantedPush(sampleMailbox(), person, true);
  const stepAt = (ms: number, change = {}, event?: 'reauthorizationRequired' | 'subscriptionRemoved') =>
    nextStep(samplePush({ subscription: sampleSubscription(change) }), wanted, event, START + ms).kind;

  test('is made if there is none, and ended if it is not wanted any more', () => {
    expect(nextStep(undefined, wanted, undefined, START).kind).toBe('create');
    const paused = wantedPush(sampleMailbox({ enabled: false }), person, true);
    expect(nextStep(samplePush(), paused, undefined, START)).toEqual({
      kind: 'end',
      reason: 'The mailbox is paused.',
    });
  });

  test('is renewed at two thirds of its life, and made again after a lapse', () => {
    const subscription = sampleSubscription({ renewedAt: at(0), expiresAt: at(30 * MINUTE) });
    expect(renewalOf(subscription)).toBe(START + 20 * MINUTE);
    const life = { renewedAt: at(0), expiresAt: at(30 * MINUTE) };
    expect(stepAt(20 * MINUTE - 1, life)).toBe('keep');
    expect(stepAt(20 * MINUTE, life)).toBe('renew');
    expect(stepAt(30 * MINUTE - 1, life)).toBe('renew');
    expect(stepAt(30 * MINUTE, life)).toBe('create');
  });

  test('is asked for less than the longest life that Graph allows', () => {
    expect(LIFE_MS).toBeLessThan(10_080 * MINUTE);
    expect(LIFE_MS).toBeGreaterThan(9_000 * MINUTE);
  });

  test('is replaced when the account or the mailbox is another one', () => {
    expect(stepAt(0, { accountId: 'b'.repeat(26) })).toBe('create');
    expect(stepAt(0, { providerId: 'b'.repeat(26) })).toBe('create');
    expect(stepAt(0, { resource: 'users/other/messages' })).toBe('create');
  });

  test('is renewed or replaced at once when Graph says so', () => {
    expect(stepAt(0, {}, 'reauthorizationRequired')).toBe('renew');
    expect(stepAt(0, {}, 'subscriptionRemoved')).toBe('create');
  });

  test('that died silently is replaced once', () => {
    const silent = samplePush({ state: 'in-doubt', code: 'push-silent', since: at(0) });
    expect(nextStep(silent, wanted, undefined, START).kind).toBe('create');
    const replaced = { ...silent, subscription: sampleSubscription({ createdAt: at(0), renewedAt: at(0) }) };
    expect(nextStep(replaced, wanted, undefined, START + MINUTE).kind).toBe('keep');
  });

  test('from before the clock was set back is made again', () => {
    expect(stepAt(0, { renewedAt: at(60 * MINUTE) })).toBe('create');
  });
});

describe('the evidence says that push', () => {
  const judged = (mail: number | undefined, event: number | undefined, now: number, push = samplePush()) =>
    evidenceOf(
      push,
      mail === undefined ? undefined : at(mail),
      event === undefined ? undefined : { eventAt: at(event) },
      START + now,
    );

  test('is silent if an email came and no event within five minutes', () => {
    expect(judged(0, undefined, 5 * MINUTE - 1)).toBe('none');
    expect(judged(0, undefined, 5 * MINUTE)).toBe('silent');
    expect(judged(0, -10 * MINUTE, 5 * MINUTE)).toBe('silent');
  });

  test('is fine if an event came with the email or later, however late', () => {
    expect(judged(0, 2_000, 5 * MINUTE)).toBe('none');
    expect(judged(0, 4 * MINUTE, 5 * MINUTE)).toBe('none');
    // Events within five seconds are recorded as the first of them, and clocks differ.
    expect(judged(0, -30_000, 5 * MINUTE)).toBe('none');
    expect(judged(0, -30_001, 5 * MINUTE)).toBe('silent');
  });

  test('is not to blame for email from before it was subscribed, nor for a quiet mailbox', () => {
    expect(judged(-121 * MINUTE, undefined, 0)).toBe('none');
    expect(judged(-119 * MINUTE, undefined, 0)).toBe('none');
    expect(judged(-118 * MINUTE, undefined, 0)).toBe('silent');
    expect(judged(undefined, undefined, 0)).toBe('none');
  });

  test('is not judged by times of a wrong clock', () => {
    expect(judged(60 * MINUTE, undefined, 0)).toBe('none');
    expect(judged(0, 60 * MINUTE, 5 * MINUTE)).toBe('silent');
  });

  test('works again with the first event after a silence, and not before', () => {
    const silent = samplePush({ state: 'in-doubt', code: 'push-silent', since: at(0) });
    expect(judged(0, -MINUTE, 20 * MINUTE, silent)).toBe('none');
    expect(judged(0, 10 * MINUTE, 20 * MINUTE, silent)).toBe('proven');
    const unconfirmed = samplePush({ state: 'in-doubt', code: 'push-unconfirmed', since: at(0) });
    expect(judged(0, 10 * MINUTE, 20 * MINUTE, unconfirmed)).toBe('none');
  });
});

describe('a mailbox whose server announces new email', () => {
  const state = (announced: Record<string, string>, lastMinutes: number): FetchState => ({
    cursors: new Map(),
    failing: new Map(),
    shards: new Map(),
    hours: new Map(),
    recoveries: new Map(),
    loops: [],
    successes: new Map([[sampleMailbox().id, at(-lastMinutes * MINUTE)]]),
    announced: new Map(Object.entries(announced)),
  });
  const isDue = (known: FetchState, due = dueMailboxes): boolean =>
    due([sampleMailbox()], known, START).size === 1;

  test('is looked at every fifteen minutes, and every minute again from the moment that push lapses', () => {
    const until = { [sampleMailbox().id]: at(1) };
    expect(isDue(state(until, 14))).toBe(false);
    expect(isDue(state(until, 14.5))).toBe(true);
    expect(isDue(state({ [sampleMailbox().id]: at(0) }, 1))).toBe(true);
    expect(isDue(state({}, 1))).toBe(true);
  });

  test('is due at once when an email is announced, unless it waits after a failure', () => {
    const known = state({ [sampleMailbox().id]: at(MINUTE) }, 1);
    expect(isDue(known, dueWhenAnnounced)).toBe(true);
    const failure = {
      state: 'retrying',
      code: 'imap-unavailable',
      problem: '',
      since: at(0),
      failures: 3,
    } as const;
    const failing = new Map([[sampleMailbox().id, { ...failure, triedAt: at(0), nextTryAt: at(MINUTE) }]]);
    expect(isDue({ ...known, failing }, dueWhenAnnounced)).toBe(false);
  });

  test('keeps a longer interval of its own, and is not trusted beyond the longest life of a subscription', () => {
    expect(lookInterval({ intervalMinutes: 60 }, at(MINUTE), START)).toBe(60);
    expect(lookInterval({ intervalMinutes: 1 }, at(7 * 24 * 60 * MINUTE), START)).toBe(15);
    expect(lookInterval({ intervalMinutes: 1 }, at(7 * 24 * 60 * MINUTE + 1), START)).toBe(1);
  });
});

describe('the monitor', () => {
  const settled = samplePush({ settings: settingsOf(sampleMailbox()) });
  const announced = new Map([[settled.mailboxId, settled.subscription?.expiresAt ?? '']]);
  const due = (
    ...[mailboxes, pushes, until = announced]: [
      Parameters<typeof duePushes>[0],
      Parameters<typeof duePushes>[1],
      Map<string, string>?,
    ]
  ) => duePushes(mailboxes, pushes, until, START);

  test('leaves a settled mailbox alone', () => {
    expect(due([sampleMailbox()], [settled])).toEqual([]);
  });

  test('takes up a new mailbox, a changed one, a deleted one, and one whose time has come', () => {
    const id = settled.mailboxId;
    expect(due([sampleMailbox()], [])).toEqual([id]);
    expect(due([sampleMailbox({ enabled: false })], [settled])).toEqual([id]);
    expect(due([sampleMailbox({ accountId: 'b'.repeat(26) })], [settled])).toEqual([id]);
    expect(due([], [settled])).toEqual([id]);
    expect(due([sampleMailbox()], [{ ...settled, nextAt: at(0) }])).toEqual([id]);
  });

  test('repairs what a crash left between two writes', () => {
    expect(due([sampleMailbox()], [settled], new Map())).toHaveLength(1);
    expect(due([sampleMailbox()], [{ ...settled, state: 'in-doubt' }])).toHaveLength(1);
  });
});
