import { describe, expect, test } from 'vitest';
import { lastHours, type MailHour, summed, withMails } from '../../shared/mailboxes/mail-hours.ts';
import { createMailboxStore, mailHours } from '../../shared/mailboxes/mailbox-store.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

const at = (time: string): number => Date.parse(`2026-11-24T${time}Z`);

describe('emails by the hour', () => {
  test('are summed within an hour and dropped after two days', () => {
    let hours: readonly MailHour[] = [];
    hours = withMails(hours, { emails: 3, quarantined: 1 }, at('10:05:00'));
    hours = withMails(hours, { emails: 2, quarantined: 0 }, at('10:59:59'));
    hours = withMails(hours, { emails: 0, quarantined: 0 }, at('11:00:00'));
    expect(hours).toEqual([{ hour: '2026-11-24T10', emails: 5, quarantined: 1 }]);
    expect(withMails(hours, { emails: 0, quarantined: 0 }, at('10:30:00') + 48 * 3_600_000)).toEqual([]);
    expect(withMails(hours, { emails: 0, quarantined: 0 }, at('10:30:00') + 47 * 3_600_000)).toEqual(hours);
  });

  test('of the last hours include hours without email', () => {
    const hours = withMails([], { emails: 3, quarantined: 0 }, at('09:10:00'));
    expect(lastHours(hours, 3, at('10:20:00')).map(({ hour, emails }) => [hour.slice(11), emails])).toEqual([
      ['08', 0],
      ['09', 3],
      ['10', 0],
    ]);
  });

  test('are stored in the row of each shard, which is written anyway, and are summed over all', async () => {
    const tables = new MemoryTables(openSeam);
    const store = createMailboxStore(tables);
    const now = at('10:00:00');
    await store.saveSuccesses(0, new Map([['a', 'x']]), withMails([], { emails: 3, quarantined: 0 }, now));
    await store.saveSuccesses(1, new Map([['b', 'x']]), withMails([], { emails: 4, quarantined: 2 }, now));
    expect(tables.changes).toBe(2);
    expect(mailHours(await store.fetchState())).toEqual([
      { hour: '2026-11-24T10', emails: 7, quarantined: 2 },
    ]);
  });

  test('are in the order of the hours, one entry each', () => {
    const hour = (text: string, emails: number): MailHour => ({
      hour: `2026-11-24T${text}`,
      emails,
      quarantined: 1,
    });
    expect(summed([hour('11', 1), hour('09', 2), hour('10', 3), hour('09', 4)])).toEqual([
      { ...hour('09', 6), quarantined: 2 },
      hour('10', 3),
      hour('11', 1),
    ]);
  });
});
