import { describe, expect, it } from 'vitest';
import { shardsOfDue } from '../../shared/intake/queue-due-mailboxes.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import type { FetchState } from '../../shared/mailboxes/mailbox-store.ts';

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
  successes: new Map(Object.entries(successes)),
  troubles: new Map(
    Object.entries(nextTryAt).map(([id, at]) => [
      id,
      { state: 'retrying', code: 'x', problem: 'x', since: at, failures: 1, nextTryAt: at },
    ]),
  ),
});

describe('a mailbox is due', () => {
  it('at each run of the timer when it is fetched each minute, also seconds after the last fetch', () => {
    expect(shardsOfDue([mailbox('a', 1)], state({ a: secondsAgo(3) }), NOW)).toEqual([
      { shard: 0, mailboxIds: ['a'] },
    ]);
  });

  it('when its minutes are over, a little early, and when it was never fetched', () => {
    const all = [mailbox('early', 5), mailbox('late', 5), mailbox('new', 5)];
    const known = state({ early: secondsAgo(4 * 60), late: secondsAgo(4 * 60 + 45) });
    expect(shardsOfDue(all, known, NOW)).toEqual([{ shard: 0, mailboxIds: ['late', 'new'] }]);
  });

  it('in trouble at its next try and not before; switched off never', () => {
    const all = [mailbox('off', 1, false), mailbox('soon', 1), mailbox('waits', 1)];
    const known = state({}, { soon: secondsAgo(1), waits: secondsAgo(-1) });
    expect(shardsOfDue(all, known, NOW)).toEqual([{ shard: 0, mailboxIds: ['soon'] }]);
  });
});

describe('a shard', () => {
  it('holds up to a hundred mailboxes, each always in the same one', () => {
    const all = Array.from({ length: 205 }, (_, index) => mailbox(`m${String(index).padStart(3, '0')}`, 1));
    expect(shardsOfDue(all, state({}), NOW).map(({ mailboxIds }) => mailboxIds.length)).toEqual([
      100, 100, 5,
    ]);
    const fewer = all.map((each, index) => ({ ...each, enabled: index === 204 }));
    expect(shardsOfDue(fewer, state({}), NOW)).toEqual([{ shard: 2, mailboxIds: ['m204'] }]);
  });
});
