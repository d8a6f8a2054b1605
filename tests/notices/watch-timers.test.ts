/** Timers that stay away, work that the Functions host gave up, and what somebody outside is told of it. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { lateTimers } from '../../shared/heartbeats/heartbeat.ts';
import { iso } from '../harness/memory/sample-conditions.ts';
import { WatchedDesk } from './watched-desk.ts';

const MINUTE = 60_000;
let desk: WatchedDesk;
beforeEach(async () => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
  desk = new WatchedDesk();
  await desk.account();
  await desk.mailbox('support');
  await desk.mailbox('sales');
  await desk.minutes(20);
});

describe('what the Functions host gave up', () => {
  test('is a notice with how many and since when', async () => {
    desk.queues.givenUp.set('vault-events', [iso(desk.now), iso(desk.now)]);
    await desk.minutes(4);
    expect(desk.heard()).toEqual([]);
    await desk.minutes(2);
    expect((await desk.open())[0]).toMatchObject({
      kind: 'poison-queue',
      headline: 'Postroom gave up 2 pieces of work: reading what the key vault tells.',
      severity: 'warning',
    });
    desk.queues.givenUp.clear();
    await desk.minutes(1);
    expect(await desk.open()).toEqual([]);
  });

  test('of fetches is thrown away once the mailboxes were fetched since: it is worthless', async () => {
    desk.queues.givenUp.set('fetch-shard', [iso(desk.now)]);
    await desk.minutes(8);
    expect(desk.heard()).toEqual([]);
    expect(desk.queues.givenUp.size).toBe(0);
  });
});

describe('a dead timer', () => {
  test('fetchMail is one notice within 15 minutes, and none for the mailboxes', async () => {
    desk.timers.delete('fetchMail');
    const stopped = desk.now;
    while (desk.told.length === 0) await desk.minutes(1);
    expect((desk.now - stopped) / MINUTE).toBeLessThanOrEqual(15);
    await desk.minutes(60);
    expect(desk.heard().filter((line) => !line.startsWith('repeated'))).toEqual(['opened timer-late']);
    desk.timers.add('fetchMail');
    await desk.minutes(2);
    expect(desk.heard().at(-1)).toBe('closed timer-late');
  });

  test('all timers: whoever watches /health/ready makes the notice come, within 15 minutes, and hears 503', async () => {
    desk.timers.clear();
    const outside = desk.newWatch();
    expect(await outside.glance()).toBe(true);
    const answers: boolean[] = [];
    for (let minute = 0; minute < 15; minute++) {
      await desk.minutes(1);
      answers.push(await outside.glance());
    }
    expect(desk.heard()).toEqual(['opened timer-late']);
    expect(answers.at(-1)).toBe(false);
    expect((await desk.open())[0]).toMatchObject({
      headline: 'No mail is fetched: the timers of Postroom do not run.',
      subject: { id: 'timers' },
    });
    desk.timers = new Set(['fetchMail', 'sweep']);
    await desk.minutes(2);
    expect(desk.heard()).toEqual(['opened timer-late', 'closed timer-late']);
    expect(await outside.glance()).toBe(true);
  });

  test('asked again and again, the address does the work of the sweep once a minute at most', async () => {
    desk.timers.clear();
    await desk.minutes(20);
    const outside = desk.newWatch();
    const run = vi.spyOn(desk.notices, 'observe');
    for (let ask = 0; ask < 20; ask++) {
      await outside.glance();
      desk.now += 2_000;
    }
    expect(run).toHaveBeenCalledTimes(1);
  });

  test('a night in which a developer’s machine was off is no fault, and neither is the morning', async () => {
    desk.now += 12 * 60 * MINUTE;
    desk.restartHere();
    expect(lateTimers(await desk.heartbeats.all(), desk.now)).toEqual([]);
    expect(await desk.watch.glance()).toBe(true);
    await desk.minutes(20);
    expect(desk.heard()).toEqual([]);
    expect(await desk.watch.glance()).toBe(true);
  });
});

describe('ready', () => {
  test('is what answers while storage and vault do, whatever one mailbox says', async () => {
    expect(await desk.watch.glance()).toBe(true);
    await desk.stop('support', 'imap-no-access', 'x');
    await desk.minutes(2);
    expect(await desk.watch.glance()).toBe(true);
    desk.broken = /^vault\./;
    expect(await desk.watch.glance()).toBe(false);
  });

  test('is not what has no storage: the notice comes from memory, also without a sweep', async () => {
    desk.timers.clear();
    desk.broken = /^table\./;
    expect(await desk.watch.glance()).toBe(false);
    desk.now += MINUTE;
    expect(await desk.watch.glance()).toBe(false);
    expect(desk.heard()).toEqual(['opened storage-failing']);
    desk.broken = undefined;
    desk.now += MINUTE;
    await desk.watch.glance();
    expect(desk.notices.held()).toEqual([]);
    expect(desk.heard()).toEqual(['opened storage-failing', 'closed storage-failing']);
    expect(await desk.watch.glance()).toBe(true);
  });
});
