/** A changed clock: no false alert is sent, and no real fault goes unreported. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { createActivityStore } from '../../shared/activity/activity-store.ts';
import { decideAlerts } from '../../shared/alerts/decide-alerts.ts';
import { lateTimers } from '../../shared/heartbeats/heartbeat.ts';
import { HOUR, iso, START, silent } from '../harness/memory/sample-findings.ts';
import { WatchedPostroom } from './monitored-postroom.ts';

const MINUTE = 60_000;
const DAY = 24 * HOUR;
const jumps: readonly [string, number][] = [
  ['an hour forward', HOUR],
  ['an hour back', -HOUR],
  ['a day forward', DAY],
  ['a day back', -DAY],
];

let postroom: WatchedPostroom;
beforeEach(async () => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
  postroom = new WatchedPostroom();
  await postroom.account();
  await postroom.mailbox('support');
  await postroom.mailbox('sales', { intervalMinutes: 5 });
  await postroom.minutes(20);
});

const minutesUntilTold = async (): Promise<number> => {
  for (let minute = 1; minute <= 30; minute += 1) {
    await postroom.minutes(1);
    if (postroom.told.length > 0) return minute;
  }
  return Number.POSITIVE_INFINITY;
};

describe.each(jumps)('a clock that is set %s', (_what, jump) => {
  test('causes no notification while all works, neither then nor when it is corrected', async () => {
    postroom.now += jump;
    await postroom.minutes(20);
    postroom.now -= jump;
    await postroom.minutes(20);
    expect(postroom.heard()).toEqual([]);
  });

  test.each([
    ['is set', 0],
    ['was set right again', 1],
  ])('delays the alert about a silent mailbox by at most 15 minutes once it %s', async (_when, back) => {
    postroom.now += jump;
    await postroom.minutes(3);
    postroom.now -= back * jump;
    await postroom.minutes(1);
    postroom.works.delete('support');
    expect(await minutesUntilTold()).toBeLessThanOrEqual(15);
    expect(postroom.heard()).toEqual(['opened mailbox-silent']);
  });

  test('does not suppress the alert about a mailbox that is retried repeatedly', async () => {
    postroom.now += jump;
    await postroom.minutes(3);
    postroom.now -= jump;
    await postroom.stop('support', 'imap-unavailable', 'The mail server does not answer.', 'retrying');
    expect(await minutesUntilTold()).toBeLessThanOrEqual(15);
  });

  test('delays the alert about a stopped timer by at most 15 minutes', async () => {
    postroom.now += jump;
    await postroom.minutes(3);
    postroom.now -= jump;
    postroom.timers.delete('fetchMail');
    expect(await minutesUntilTold()).toBeLessThanOrEqual(15);
    expect(postroom.heard()).toEqual(['opened timer-late']);
  });

  test('lets an outside health check restart the monitor once the clock is correct', async () => {
    postroom.now += jump;
    await postroom.minutes(3);
    postroom.now -= jump;
    await postroom.minutes(1);
    postroom.timers.clear();
    postroom.now += 10 * MINUTE;
    expect(lateTimers(await postroom.heartbeats.all(), postroom.now).map(({ name }) => name)).toEqual([
      'monitor',
      'fetchMail',
    ]);
  });
});

test('an alert that was sent before the clock was set back is repeated once', () => {
  const [opened] = decideAlerts([], { source: 'watch', findings: [silent()] }, START + DAY);
  if (opened?.kind !== 'open') throw new Error('not opened');
  const { alert } = opened;
  const [again] = decideAlerts([alert], { source: 'watch', findings: [silent()] }, START);
  expect(again).toMatchObject({ kind: 'keep', tell: 'repeated', alert: { notifiedAt: iso(START) } });
  if (again?.kind !== 'keep') throw new Error('not kept');
  const later = decideAlerts([again.alert], { source: 'watch', findings: [silent()] }, START + MINUTE);
  expect(later).toEqual([]);
});

test('pending notifications are sent although another clock made them due', async () => {
  const isDown = vi.fn(() => true);
  postroom.now += DAY;
  await postroom.minutes(1);
  const channels = postroom.told.push.bind(postroom.told);
  postroom.told.push = (notification) => {
    if (isDown()) throw new Error('the webhook is down');
    return channels(notification);
  };
  postroom.works.delete('support');
  await postroom.minutes(20);
  expect(isDown).toHaveBeenCalled();
  postroom.now -= DAY;
  isDown.mockReturnValue(false);
  await postroom.minutes(2);
  expect(postroom.heard()).toContain('opened mailbox-silent');
});

test('a clock a day ahead deletes no activity of the last 29 days', async () => {
  const activity = createActivityStore(postroom.tables);
  const at = (days: number): number => postroom.now - days * DAY;
  const entry = (days: number) =>
    ({
      kind: 'fetch',
      at: iso(at(days)),
      aboutId: 'support',
      about: 'x',
      result: 'done',
      what: `${days}`,
    }) as const;
  await activity.note([0, 1, 28, 29].map(entry));
  await activity.forgetOld(postroom.now + DAY);
  await activity.forgetOld(postroom.now - DAY);
  const { entries } = await activity.page({ limit: 10 }, postroom.now);
  expect(entries.map(({ what }) => what)).toEqual(['0', '1', '28', '29']);
});
