/** Timers that stay away, work that the Functions host gave up, and what somebody outside is told of it. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { lateTimers } from '../../shared/heartbeats/heartbeat.ts';
import { iso } from '../harness/memory/sample-findings.ts';
import { WatchedPostroom } from './monitored-postroom.ts';

const MINUTE = 60_000;
let postroom: WatchedPostroom;
beforeEach(async () => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
  postroom = new WatchedPostroom();
  await postroom.account();
  await postroom.mailbox('support');
  await postroom.mailbox('sales');
  await postroom.minutes(20);
});

describe('what the Functions host gave up', () => {
  test('is an alert with how many and since when', async () => {
    postroom.queues.abandoned.set('vault-events', [iso(postroom.now), iso(postroom.now)]);
    await postroom.minutes(4);
    expect(postroom.heard()).toEqual([]);
    await postroom.minutes(2);
    expect((await postroom.open())[0]).toMatchObject({
      kind: 'poison-queue',
      headline: '2 jobs failed repeatedly: reading Key Vault events.',
      severity: 'warning',
    });
    postroom.queues.abandoned.clear();
    await postroom.minutes(1);
    expect(await postroom.open()).toEqual([]);
  });

  test('of fetches is thrown away once the mailboxes were fetched since: it is worthless', async () => {
    postroom.queues.abandoned.set('fetch-shard', [iso(postroom.now)]);
    await postroom.minutes(8);
    expect(postroom.heard()).toEqual([]);
    expect(postroom.queues.abandoned.size).toBe(0);
  });
});

describe('a dead timer', () => {
  test('fetchMail is one alert within 15 minutes, and none for the mailboxes', async () => {
    postroom.timers.delete('fetchMail');
    const stopped = postroom.now;
    while (postroom.told.length === 0) await postroom.minutes(1);
    expect((postroom.now - stopped) / MINUTE).toBeLessThanOrEqual(15);
    await postroom.minutes(60);
    expect(postroom.heard().filter((line) => !line.startsWith('repeated'))).toEqual(['opened timer-late']);
    postroom.timers.add('fetchMail');
    await postroom.minutes(2);
    expect(postroom.heard().at(-1)).toBe('closed timer-late');
  });

  test('all timers: whoever watches /health/ready makes the alert come, within 15 minutes, and hears 503', async () => {
    postroom.timers.clear();
    const outside = postroom.newWatch();
    expect(await outside.glance()).toBe(true);
    const answers: boolean[] = [];
    for (let minute = 0; minute < 15; minute++) {
      await postroom.minutes(1);
      answers.push(await outside.glance());
    }
    expect(postroom.heard()).toEqual(['opened timer-late']);
    expect(answers.at(-1)).toBe(false);
    expect((await postroom.open())[0]).toMatchObject({
      headline: 'Not receiving mail: Postroom’s timers are not running.',
      subject: { id: 'timers' },
    });
    postroom.timers = new Set(['fetchMail', 'monitor']);
    await postroom.minutes(2);
    expect(postroom.heard()).toEqual(['opened timer-late', 'closed timer-late']);
    expect(await outside.glance()).toBe(true);
  });

  test('asked again and again, the address does the work of the monitor once a minute at most', async () => {
    postroom.timers.clear();
    await postroom.minutes(20);
    const outside = postroom.newWatch();
    const run = vi.spyOn(postroom.alerts, 'observe');
    for (let ask = 0; ask < 20; ask++) {
      await outside.glance();
      postroom.now += 2_000;
    }
    expect(run).toHaveBeenCalledTimes(1);
  });

  test('a night in which a developer’s machine was off is no fault, and neither is the morning', async () => {
    postroom.now += 12 * 60 * MINUTE;
    postroom.restartHere();
    expect(lateTimers(await postroom.heartbeats.all(), postroom.now)).toEqual([]);
    expect(await postroom.watch.glance()).toBe(true);
    await postroom.minutes(20);
    expect(postroom.heard()).toEqual([]);
    expect(await postroom.watch.glance()).toBe(true);
  });
});

describe('ready', () => {
  test('is what answers while storage and vault do, whatever one mailbox says', async () => {
    expect(await postroom.watch.glance()).toBe(true);
    await postroom.stop('support', 'imap-no-access', 'x');
    await postroom.minutes(2);
    expect(await postroom.watch.glance()).toBe(true);
    postroom.broken = /^vault\./;
    expect(await postroom.watch.glance()).toBe(false);
  });

  test('is not what has no storage: the alert comes from memory, also without a monitor', async () => {
    postroom.timers.clear();
    postroom.broken = /^table\./;
    expect(await postroom.watch.glance()).toBe(false);
    postroom.now += MINUTE;
    expect(await postroom.watch.glance()).toBe(false);
    expect(postroom.heard()).toEqual(['opened storage-failing']);
    postroom.broken = undefined;
    postroom.now += MINUTE;
    await postroom.watch.glance();
    expect(postroom.alerts.inMemory()).toEqual([]);
    expect(postroom.heard()).toEqual(['opened storage-failing', 'closed storage-failing']);
    expect(await postroom.watch.glance()).toBe(true);
  });
});
