/** A clock that is set: nothing is told that is not so, and nothing that is wrong stays untold. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { createActivityStore } from '../../shared/activity/activity-store.ts';
import { lateTimers } from '../../shared/heartbeats/heartbeat.ts';
import { decideNotices } from '../../shared/notices/decide-notices.ts';
import { HOUR, iso, START, silent } from '../harness/memory/sample-conditions.ts';
import { WatchedDesk } from './watched-desk.ts';

const MINUTE = 60_000;
const DAY = 24 * HOUR;
const jumps: readonly [string, number][] = [
  ['an hour forward', HOUR],
  ['an hour back', -HOUR],
  ['a day forward', DAY],
  ['a day back', -DAY],
];

let desk: WatchedDesk;
beforeEach(async () => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
  desk = new WatchedDesk();
  await desk.account();
  await desk.mailbox('support');
  await desk.mailbox('sales', { intervalMinutes: 5 });
  await desk.minutes(20);
});

const minutesUntilTold = async (): Promise<number> => {
  for (let minute = 1; minute <= 30; minute += 1) {
    await desk.minutes(1);
    if (desk.told.length > 0) return minute;
  }
  return Number.POSITIVE_INFINITY;
};

describe.each(jumps)('a clock that is set %s', (_what, jump) => {
  test('makes nobody hear of anything while all is well, then and when it is set right', async () => {
    desk.now += jump;
    await desk.minutes(20);
    desk.now -= jump;
    await desk.minutes(20);
    expect(desk.heard()).toEqual([]);
  });

  test.each([
    ['is set', 0],
    ['was set right again', 1],
  ])('keeps no silent mailbox untold for more than 15 minutes once it %s', async (_when, back) => {
    desk.now += jump;
    await desk.minutes(3);
    desk.now -= back * jump;
    await desk.minutes(1);
    desk.works.delete('support');
    expect(await minutesUntilTold()).toBeLessThanOrEqual(15);
    expect(desk.heard()).toEqual(['opened mailbox-silent']);
  });

  test('keeps no mailbox untold that is tried again and again', async () => {
    desk.now += jump;
    await desk.minutes(3);
    desk.now -= jump;
    await desk.stop('support', 'imap-unavailable', 'The mail server does not answer.', 'retrying');
    expect(await minutesUntilTold()).toBeLessThanOrEqual(15);
  });

  test('keeps no dead timer untold for more than 15 minutes', async () => {
    desk.now += jump;
    await desk.minutes(3);
    desk.now -= jump;
    desk.timers.delete('fetchMail');
    expect(await minutesUntilTold()).toBeLessThanOrEqual(15);
    expect(desk.heard()).toEqual(['opened timer-late']);
  });

  test('lets a look from outside find a sweep that ended with it, once the clock is right', async () => {
    desk.now += jump;
    await desk.minutes(3);
    desk.now -= jump;
    await desk.minutes(1);
    desk.timers.clear();
    desk.now += 10 * MINUTE;
    expect(lateTimers(await desk.heartbeats.all(), desk.now).map(({ name }) => name)).toEqual([
      'sweep',
      'fetchMail',
    ]);
  });
});

test('an alert that was told under a clock set back since is repeated, and once', () => {
  const [opened] = decideNotices([], { source: 'watch', conditions: [silent()] }, START + DAY);
  if (opened?.kind !== 'open') throw new Error('not opened');
  const { notice } = opened;
  const [again] = decideNotices([notice], { source: 'watch', conditions: [silent()] }, START);
  expect(again).toMatchObject({ kind: 'keep', tell: 'repeated', notice: { toldAt: iso(START) } });
  if (again?.kind !== 'keep') throw new Error('not kept');
  const later = decideNotices([again.notice], { source: 'watch', conditions: [silent()] }, START + MINUTE);
  expect(later).toEqual([]);
});

test('what waits to be told goes out although it is due by another clock', async () => {
  const isDown = vi.fn(() => true);
  desk.now += DAY;
  await desk.minutes(1);
  const channels = desk.told.push.bind(desk.told);
  desk.told.push = (telling) => {
    if (isDown()) throw new Error('the webhook is down');
    return channels(telling);
  };
  desk.works.delete('support');
  await desk.minutes(20);
  expect(isDown).toHaveBeenCalled();
  desk.now -= DAY;
  isDown.mockReturnValue(false);
  await desk.minutes(2);
  expect(desk.heard()).toContain('opened mailbox-silent');
});

test('a clock a day ahead forgets no activity of the last 29 days', async () => {
  const activity = createActivityStore(desk.tables);
  const at = (days: number): number => desk.now - days * DAY;
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
  await activity.forgetOld(desk.now + DAY);
  await activity.forgetOld(desk.now - DAY);
  const { entries } = await activity.page({ limit: 10 }, desk.now);
  expect(entries.map(({ what }) => what)).toEqual(['0', '1', '28', '29']);
});
