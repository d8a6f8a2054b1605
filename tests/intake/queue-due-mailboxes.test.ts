import { afterEach, describe, expect, it } from 'vitest';
import { queueAtOnce, queueDueMailboxes, shardsOfDue } from '../../shared/intake/queue-due-mailboxes.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import type { FetchState } from '../../shared/mailboxes/mailbox-store.ts';
import { codeFrom } from '../../shared/platform/problem.ts';
import type { Queues } from '../../shared/platform/queues.ts';
import { sendTelemetryTo } from '../../shared/platform/telemetry.ts';

const NOW = Date.parse('2026-11-24T10:00:00Z');
const secondsAgo = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();

const mailbox = (id: string, intervalMinutes: number, enabled = true): Mailbox => ({
  id,
  address: `${id}@contoso.example`,
  providerId: 'provider',
  accountId: 'account',
  protocol: 'imap',
  host: 'mail.contoso.example',
  port: 993,
  folder: 'INBOX',
  afterFetch: { kind: 'mark-seen' },
  intervalMinutes,
  enabled,
  createdAt: secondsAgo(9999),
});

const state = (successes: Record<string, string>, nextTryAt: Record<string, string> = {}): FetchState => ({
  cursors: new Map(),
  shards: new Map(),
  hours: new Map(),
  recoveries: new Map(),
  loops: [],
  successes: new Map(Object.entries(successes)),
  failing: new Map(
    Object.entries(nextTryAt).map(([id, at]) => [
      id,
      {
        state: 'retrying',
        code: codeFrom('x'),
        problem: 'x',
        since: at,
        failures: 1,
        triedAt: at,
        nextTryAt: at,
      },
    ]),
  ),
});

describe('a mailbox is due', () => {
  it('at each run of the timer if it is fetched each minute, even seconds after the last fetch', () => {
    expect(shardsOfDue([mailbox('a', 1)], state({ a: secondsAgo(3) }), NOW)).toEqual([
      { shard: 0, mailboxIds: ['a'] },
    ]);
  });

  it('when its interval is over, slightly early, and when it was never fetched', () => {
    const all = [mailbox('early', 5), mailbox('late', 5), mailbox('new', 5)];
    const known = state({ early: secondsAgo(4 * 60 + 29), late: secondsAgo(4 * 60 + 30) });
    expect(shardsOfDue(all, known, NOW)).toEqual([{ shard: 0, mailboxIds: ['late', 'new'] }]);
  });

  it('at its next attempt after a failure, and not before; never if it is paused', () => {
    const all = [mailbox('off', 1, false), mailbox('soon', 1), mailbox('waits', 1)];
    const known = state({}, { soon: secondsAgo(0), waits: secondsAgo(-1) });
    expect(shardsOfDue(all, known, NOW)).toEqual([{ shard: 0, mailboxIds: ['soon'] }]);
  });
});

describe('a clock that was set back', () => {
  it('suspends no mailbox: a last fetch in the future is ignored', () => {
    const inAnHour = { a: secondsAgo(-3600) };
    expect(shardsOfDue([mailbox('a', 5)], state(inAnHour), NOW)).toHaveLength(1);
    const inADay = { a: secondsAgo(-86_400) };
    expect(shardsOfDue([mailbox('a', 1440)], state(inADay), NOW)).toHaveLength(1);
  });

  it('ends a pause that began in the future', () => {
    const known = state({}, { a: secondsAgo(-3700) });
    for (const failure of known.failing.values()) failure.triedAt = secondsAgo(-3600);
    expect(shardsOfDue([mailbox('a', 1)], known, NOW)).toHaveLength(1);
  });

  it('does not affect a clock that is slightly ahead of another one', () => {
    expect(shardsOfDue([mailbox('a', 5)], state({ a: secondsAgo(-60) }), NOW)).toEqual([]);
  });

  it('finds the last fetch among shards that had the mailbox before', () => {
    const known = {
      ...state({ a: secondsAgo(-3600) }),
      shards: new Map([[1, new Map([['a', secondsAgo(60)]])]]),
    };
    expect(shardsOfDue([mailbox('a', 5)], known, NOW)).toEqual([]);
  });
});

describe('a cause shared by several mailboxes', () => {
  const waiting = (code: string, triedAt: Record<string, string>): FetchState => {
    const nextTryAt = secondsAgo(-1200);
    const failing = Object.entries(triedAt).map(
      ([id, at]) =>
        [
          id,
          {
            state: 'retrying',
            code: codeFrom(code),
            problem: 'x',
            since: at,
            failures: 6,
            triedAt: at,
            nextTryAt,
          },
        ] as const,
    );
    return { ...state({}), failing: new Map(failing) };
  };
  const all = [mailbox('a', 1), mailbox('b', 1), mailbox('c', 1)];
  const due = (known: FetchState): string[] =>
    shardsOfDue(all, known, NOW).flatMap(({ mailboxIds }) => mailboxIds);
  const tried = { a: secondsAgo(100), b: secondsAgo(300), c: secondsAgo(200) };

  it.each([
    'key-vault',
    'key-vault-denied',
    'no-identity',
    'server_error',
    'http-503',
    'no-answer',
    'AADSTS90033',
    'table-storage',
    'blob-storage',
  ])('(%s) is probed with the mailbox that was tried longest ago', (code) => {
    expect(due(waiting(code, tried))).toEqual(['b']);
  });

  it.each(['http-429', 'slow_down', 'AADSTS50196', 'imap-unavailable', 'unexpected'])(
    '(%s) is not shared: each mailbox waits separately',
    (code) => {
      expect(due(waiting(code, tried))).toEqual([]);
    },
  );

  it('is not probed twice within half a minute, whichever mailbox was tried last', () => {
    expect(due(waiting('key-vault', { ...tried, a: secondsAgo(10) }))).toEqual([]);
    expect(due(waiting('key-vault', { ...tried, a: secondsAgo(29.999) }))).toEqual([]);
    expect(due(waiting('key-vault', { ...tried, a: secondsAgo(30) }))).toEqual(['b']);
    const four = [...all, mailbox('d', 1)];
    const known = waiting('key-vault', { ...tried, d: secondsAgo(10) });
    expect(shardsOfDue(four, known, NOW)).toEqual([]);
  });

  it('is not probed if one of them is due anyway', () => {
    const known = waiting('key-vault', tried);
    for (const [id, failure] of known.failing) if (id === 'c') failure.nextTryAt = secondsAgo(1);
    expect(due(known)).toEqual(['c']);
  });

  it('stands for all of them: only one is tried, even if the wait of each is over', () => {
    const known = waiting('server_error', tried);
    for (const [, failure] of known.failing) failure.nextTryAt = secondsAgo(1);
    expect(due(known)).toEqual(['b']);
  });

  it('does not keep a mailbox waiting for more than half an hour', () => {
    const known = waiting('server_error', { ...tried, a: secondsAgo(1801), c: secondsAgo(1800) });
    for (const [, failure] of known.failing) failure.nextTryAt = secondsAgo(1);
    expect(due(known)).toEqual(['a', 'c']);
  });

  it('may be a mail server that nobody reaches, but not one that is busy', () => {
    const unreachable = waiting('imap-unavailable', tried);
    for (const [, failure] of unreachable.failing) failure.said = 'connect ECONNREFUSED 203.0.113.9:993';
    expect(due(unreachable)).toEqual(['b']);
    const busy = waiting('imap-unavailable', tried);
    for (const [, failure] of busy.failing) failure.said = 'Request is throttled.';
    expect(due(busy)).toEqual([]);
  });

  it('makes all of them due once it is over, except those that failed since', () => {
    const known = { ...waiting('server_error', { ...tried, a: secondsAgo(10) }) };
    const over = { ...known, recoveries: new Map([['sign-in|provider', secondsAgo(20)]]) };
    expect(due(over)).toEqual(['b', 'c']);
    const sameMoment = { ...known, recoveries: new Map([['sign-in|provider', tried.c]]) };
    expect(due(sameMoment), 'whoever failed at that moment waits on').toEqual(['b']);
    const ofAnother = { ...known, recoveries: new Map([['sign-in|other', secondsAgo(20)]]) };
    expect(due(ofAnother)).toEqual([]);
    const future = { ...known, recoveries: new Map([['sign-in|provider', secondsAgo(-3600)]]) };
    expect(due(future)).toEqual([]);
  });
});

describe('a shard', () => {
  it('has up to a hundred mailboxes, each always in the same one', () => {
    const all = Array.from({ length: 205 }, (_, index) => mailbox(`m${String(index).padStart(3, '0')}`, 1));
    expect(shardsOfDue(all, state({}), NOW).map(({ mailboxIds }) => mailboxIds.length)).toEqual([
      100, 100, 5,
    ]);
    const fewer = all.map((each, index) => ({ ...each, enabled: index === 204 }));
    expect(shardsOfDue(fewer, state({}), NOW)).toEqual([{ shard: 2, mailboxIds: ['m204'] }]);
  });
});

describe('the queue receives', () => {
  const sent: { name: string; value: unknown; ttlSeconds: number }[] = [];
  const queues: Pick<Queues, 'send'> = {
    send: async (name, value, ttlSeconds) => {
      sent.push({ name, value, ttlSeconds });
    },
  };
  const all = Array.from({ length: 150 }, (_, index) =>
    mailbox(`m${String(index).padStart(3, '0')}`, 1, index < 2 || index === 149),
  );
  afterEach(() => {
    sent.length = 0;
    sendTelemetryTo(undefined);
  });

  it('the due mailboxes, in one message per shard that expires after a minute and a half', async () => {
    const mailboxes = { list: async () => all.toReversed(), fetchState: async () => state({}) };
    expect(await queueDueMailboxes({ mailboxes, queues }, NOW)).toBe(3);
    expect(sent).toEqual([
      { name: 'fetch-shard', value: { shard: 0, mailboxIds: ['m000', 'm001'] }, ttlSeconds: 90 },
      { name: 'fetch-shard', value: { shard: 1, mailboxIds: ['m149'] }, ttlSeconds: 90 },
    ]);
  });

  it('nothing if no mailbox is due', async () => {
    const mailboxes = { list: async () => [mailbox('off', 1, false)], fetchState: async () => state({}) };
    expect(await queueDueMailboxes({ mailboxes, queues }, NOW)).toBe(0);
    expect(sent).toEqual([]);
  });

  it('the named mailboxes, at once, in their usual shards', async () => {
    await queueAtOnce(queues, all, new Set(['m120', 'm003']));
    expect(sent).toMatchObject([
      { value: { shard: 0, mailboxIds: ['m003'] } },
      { value: { shard: 1, mailboxIds: ['m120'] } },
    ]);
  });

  it('messages that continue the trace of the sender', async () => {
    sendTelemetryTo({
      span: (_name, _options, run) => run({ add() {}, event() {}, discard() {} }),
      measure() {},
      traceparent: () => '00-trace',
      flush: async () => {},
    });
    await queueAtOnce(queues, all, new Set(['m003']));
    expect(sent).toMatchObject([{ value: { traceparent: '00-trace' } }]);
  });
});
