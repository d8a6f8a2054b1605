import { describe, expect, test } from 'vitest';
import {
  exchangeLimits,
  noUsage,
  otherLimits,
  type Reservation,
  release,
  reserve,
  type Usage,
} from '../../shared/outbox/sending-limits.ts';
import { createSendingUsage } from '../../shared/outbox/sending-usage.ts';
import { codeFrom } from '../../shared/platform/problem.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { drawTurns, FaultySeam } from '../harness/memory/faulty-seam.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { seeded } from '../harness/memory/seeded.ts';

const now = Date.parse('2026-11-24T10:00:00.000Z');
const HOUR = 3_600_000;
const ask = (usage: Usage, count: number, at = now, each = 1): Reservation =>
  reserve(usage, exchangeLimits, { id: `${at}`, recipients: new Array(count).fill(each), now: at });
const sentOf = (count: number, at: number, recipients = 1) =>
  Array.from({ length: count }, () => ({ at, recipients }));
function granted(reservation: Reservation): Usage {
  if (reservation.kind !== 'granted') throw new Error(`busy: ${reservation.why}`);
  return reservation.usage;
}

describe('the limits of an account', () => {
  test('are three connections at a time', () => {
    let usage = noUsage;
    for (const id of ['a', 'b', 'c'])
      usage = granted(reserve(usage, exchangeLimits, { id, recipients: [1], now }));
    expect(ask(usage, 1)).toEqual({ kind: 'busy', why: 'connections' });
    expect(ask(release(usage, 'b', [], now), 1)).toMatchObject({ kind: 'granted' });
    expect(ask(usage, 1, now + 10 * 60_000), 'processes that are gone').toMatchObject({ kind: 'granted' });
  });

  test('are 30 emails in any minute, counted when they were sent', () => {
    expect(ask(noUsage, 31)).toMatchObject({ kind: 'granted', emails: 30 });
    const reserved = granted(ask(noUsage, 30));
    expect(ask(reserved, 1, now + 61_000), 'still being sent').toEqual({ kind: 'busy', why: 'minute' });
    const usage = release(reserved, `${now}`, sentOf(30, now + 50_000), now + 50_000);
    expect(ask(usage, 1, now + 109_999)).toEqual({ kind: 'busy', why: 'minute' });
    expect(ask(usage, 31, now + 110_000)).toMatchObject({ kind: 'granted', emails: 30 });
  });

  test('are 10,000 recipients a day', () => {
    let usage = noUsage;
    for (let hour = 0; hour < 10; hour += 1)
      usage = release(usage, 'x', sentOf(10, now + hour * HOUR, 99), now + hour * HOUR);
    const at = now + 10 * HOUR;
    expect(ask(usage, 3, at, 50)).toMatchObject({ kind: 'granted', emails: 2 });
    const full = release(usage, 'x', sentOf(1, at, 100), at);
    expect(ask(full, 1, at)).toEqual({ kind: 'busy', why: 'day' });
    expect(ask(full, 1, now + 25 * HOUR)).toMatchObject({ kind: 'granted' });
  });

  test('include a pause that the server asked for', () => {
    const why = { code: codeFrom('smtp-temporary'), reason: '432', isVerdict: true } as const;
    const pause = { until: new Date(now + 60_000).toISOString(), why };
    const usage = release(noUsage, 'x', [], now, pause);
    expect(ask(usage, 1, now + 59_999)).toEqual({ kind: 'busy', why: 'pause' });
    expect(ask(usage, 1, now + 60_000)).toMatchObject({ kind: 'granted' });
  });

  test('of a server that states none are three connections', () => {
    const recipients = new Array(500).fill(100);
    expect(reserve(noUsage, otherLimits, { id: 'a', recipients, now })).toMatchObject({ emails: 500 });
  });

  test.each([1, 2, 3, 4, 5])('hold for ten processes at once (seed %i)', async (seed) => {
    const memory = new MemoryTables(openSeam);
    const turn = drawTurns(seeded(seed));
    const account = { providerId: 'p', accountId: 'a' };
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, index) => {
        const seam = new FaultySeam({ now: () => now, turn });
        const recipients = new Array(12).fill(1);
        return createSendingUsage(memory.behind(seam)).reserve(account, exchangeLimits, {
          id: `process ${index}`,
          recipients,
          now,
        });
      }),
    );
    const emails = results.flatMap((each) => (each.kind === 'granted' ? [each.emails] : []));
    expect(emails.length).toBeLessThanOrEqual(3);
    expect(emails.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(30);
    expect(emails.length).toBeGreaterThan(0);
  });
});
