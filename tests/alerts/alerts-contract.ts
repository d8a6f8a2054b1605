/** How the processes of an installation store alerts together: the same in memory and on Table Storage. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Finding } from '../../shared/alerts/alert.ts';
import { shownOf } from '../../shared/alerts/alert.ts';
import { type AlertService, createAlertService } from '../../shared/alerts/alert-service.ts';
import type { Notification } from '../../shared/alerts/notification.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import type { Tables } from '../../shared/platform/tables.ts';
import { HOUR, START, silent } from '../harness/memory/sample-findings.ts';

/** @param makeTables tables without an alert */
export function describeAlerts(where: string, makeTables: () => Promise<Tables>): void {
  describe(`alerts ${where}`, () => {
    let tables: Tables;
    let now: number;
    let told: string[];
    let webhookWorks: boolean;
    const say =
      (channel: string) =>
      (notification: Notification): Promise<void> => {
        if (channel === 'webhook' && !webhookWorks) throw new PostroomError('webhook-refused', 'no answer');
        told.push(`${channel}: ${notification.what} ${notification.finding.headline}`);
        return Promise.resolve();
      };
    /** The clocks of two machines always differ slightly. */
    const process = (aheadMs = 0): AlertService =>
      createAlertService({
        tables,
        seam: { ...openSeam, now: () => now + aheadMs },
        channels: async () => ({ email: say('email'), webhook: say('webhook') }),
      });
    const monitor = async (alerts: AlertService, findings: readonly Finding[]): Promise<void> => {
      await alerts.observe({ source: 'watch', findings });
      await alerts.deliver();
    };

    beforeEach(async () => {
      for (const level of ['log', 'warn', 'error'] as const)
        vi.spyOn(console, level).mockImplementation(() => {});
      tables = await makeTables();
      now = START;
      told = [];
      webhookWorks = true;
    });

    test('open once and are sent once on each channel, although four monitors run at the same moment', async () => {
      const processes = [process(), process(1), process(2), process(3)];
      await Promise.all(processes.map((one) => monitor(one, [silent(), silent('billing')])));
      expect((await process().open()).map((alert) => shownOf(alert).subject.id).sort()).toEqual([
        'billing',
        'support',
      ]);
      expect(told).toHaveLength(4);
      expect(new Set(told).size).toBe(4);
      told = [];
      await Promise.all(processes.map((one) => monitor(one, [])));
      expect(told.sort()).toEqual([
        'email: closed billing@contoso.example is not fetched.',
        'email: closed support@contoso.example is not fetched.',
        'webhook: closed billing@contoso.example is not fetched.',
        'webhook: closed support@contoso.example is not fetched.',
      ]);
      expect(await process().open()).toEqual([]);
      expect((await process().past({ limit: 10 })).alerts).toHaveLength(2);
    });

    test('are repeated once, by another process than the one that opened them', async () => {
      await monitor(process(), [silent()]);
      now += 4 * HOUR;
      await Promise.all([monitor(process(), [silent()]), monitor(process(), [silent()])]);
      expect(told.filter((line) => line.includes('repeated'))).toHaveLength(2);
    });

    test('a failing channel is retried separately until it works; deliveries are recorded', async () => {
      webhookWorks = false;
      await monitor(process(), [silent()]);
      expect(told).toEqual(['email: opened support@contoso.example is not fetched.']);
      now += 59_000;
      await monitor(process(), [silent()]);
      now += 1_000;
      await monitor(process(), [silent()]);
      webhookWorks = true;
      now += 60_000;
      await monitor(process(), [silent()]);
      expect(told).toHaveLength(1);
      now += 60_000;
      await monitor(process(), [silent()]);
      now += HOUR;
      await monitor(process(), [silent()]);
      expect(told).toEqual([
        'email: opened support@contoso.example is not fetched.',
        'webhook: opened support@contoso.example is not fetched.',
      ]);
      const [alert] = await process().open();
      expect(await process().deliveries(alert?.id ?? '')).toMatchObject([
        { channel: 'email', result: 'delivered', attempts: 1 },
        { channel: 'webhook', result: 'delivered', attempts: 3 },
      ]);
    });

    test('events of one alert arrive in order, even if the first had to be retried', async () => {
      webhookWorks = false;
      await monitor(process(), [silent()]);
      await monitor(process(), []);
      expect(told).toEqual([
        'email: opened support@contoso.example is not fetched.',
        'email: closed support@contoso.example is not fetched.',
      ]);
      webhookWorks = true;
      now += 30_000;
      await process().deliver();
      expect(told).toHaveLength(2);
      now += 30_000;
      await process().deliver();
      expect(told.slice(2)).toEqual([
        'webhook: opened support@contoso.example is not fetched.',
        'webhook: closed support@contoso.example is not fetched.',
      ]);
    });

    test('the end of an alert is sent after its start, even if only the start cannot be sent', async () => {
      let refuses = true;
      const alerts = createAlertService({
        tables,
        seam: { ...openSeam, now: () => now },
        channels: async () => ({
          webhook: async ({ what }) => {
            if (what === 'opened' && refuses) throw new PostroomError('webhook-refused', 'not this one');
            told.push(what);
          },
        }),
      });
      await alerts.observe({ source: 'watch', findings: [silent()] });
      now += 1000;
      await alerts.observe({ source: 'watch', findings: [] });
      await alerts.deliver();
      expect(told).toEqual([]);
      refuses = false;
      now += HOUR;
      await alerts.deliver();
      expect(told).toEqual(['opened', 'closed']);
    });

    test('what no channel accepts for a day is abandoned, and recorded as such', async () => {
      webhookWorks = false;
      await monitor(process(), [silent('a', { severity: 'warning' })]);
      for (let hour = 0; hour < 40; hour++) {
        now += HOUR;
        await process().deliver();
      }
      const [alert] = await process().open();
      expect((await process().deliveries(alert?.id ?? '')).map(({ result }) => result)).toEqual([
        'delivered',
        'given-up',
      ]);
    });

    test('a warning that continues or is resolved is sent by webhook, not by email', async () => {
      const warning = silent('a', { severity: 'warning', headline: 'w' });
      await monitor(process(), [warning]);
      now += 24 * HOUR;
      await monitor(process(), [warning]);
      await monitor(process(), []);
      expect(told).toEqual([
        'email: opened w',
        'webhook: opened w',
        'webhook: repeated w',
        'webhook: closed w',
      ]);
    });

    test('pages of past alerts continue where the previous one ended', async () => {
      for (let round = 0; round < 5; round++) {
        await process().observe({ source: 'watch', findings: [silent('a', { headline: String(round) })] });
        now += 1000;
        await process().observe({ source: 'watch', findings: [] });
      }
      const first = await process().past({ limit: 3 });
      const second = await process().past({ limit: 3, after: first.next });
      expect([first, second].map(({ alerts }) => alerts.map((one) => shownOf(one).headline))).toEqual([
        ['4', '3', '2'],
        ['1', '0'],
      ]);
      expect(second.next).toBeUndefined();
    });
  });
}
