import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { sendTelemetryTo } from '../../shared/platform/telemetry.ts';
import { iso } from './sample-conditions.ts';
import { WatchedDesk } from './watched-desk.ts';

let desk: WatchedDesk;
beforeEach(async () => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
  desk = new WatchedDesk();
});

test('how much the host gave up is measured at each look, for each queue, also where it is nothing', async () => {
  const measured: unknown[] = [];
  sendTelemetryTo({
    span: (_name, _options, run) => run({ add() {}, event() {}, discard() {} }),
    measure: (metric, value, fields) => measured.push([metric, value, fields]),
    traceparent: () => undefined,
    flush: async () => {},
  });
  onTestFinished(() => sendTelemetryTo(undefined));
  // Too fresh for a notice, and thrown away a few looks later: counted all the same.
  desk.queues.givenUp.set('fetch-shard', [iso(desk.now)]);
  await desk.minutes(1);
  expect(measured).toEqual([
    ['poisonSize', 1, { queue: 'fetch-shard' }],
    ['poisonSize', 0, { queue: 'outbox' }],
    ['poisonSize', 0, { queue: 'vault-events' }],
  ]);
});

test('mail in quarantine is said again when it is ten times as much, not when it is a little less or more', async () => {
  const counts = [9, 11, 9, 12, 8, 40, 7, 130, 90, 101, 9];
  for (const count of counts) {
    await desk.mailboxes.saveSuccesses(1, new Map(), [
      { hour: iso(desk.now).slice(0, 13), mails: 200, quarantined: count },
    ]);
    await desk.minutes(60);
  }
  expect(desk.told.map(({ what, condition }) => `${what} ${condition.headline.split(' ')[0]}`)).toEqual([
    'opened 9',
    'changed 11',
    'changed 130',
  ]);
  expect((await desk.open())[0]?.headline).toMatch(/^9 mails/);
});
