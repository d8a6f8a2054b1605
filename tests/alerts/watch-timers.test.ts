/** Late timers, poison messages of the Functions host, and what an outside health check sees. */
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

describe('a poison message of the Functions host', () => {
  test('is an alert with the number and the time', async () => {
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

  test('of fetches is deleted once the mailboxes were fetched since, because it is worthless', async () => {
    postroom.queues.abandoned.set('fetch-shard', [iso(postroom.now)]);
    await postroom.minutes(8);
    expect(postroom.heard()).toEqual([]);
    expect(postroom.queues.abandoned.size).toBe(0);
  });
});

describe('a stopped timer', () => {
  test('fetchMail is one alert within 15 minutes, without alerts for the mailboxes', async () => {
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

  test('of any kind: a health check of /health/ready causes the alert within 15 minutes, and gets 503', async () => {
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

  test('is replaced by the health check, which runs the monitor at most once a minute', async () => {
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

  test('overnight on a developer’s machine that was off is no fault, nor in the morning', async () => {
    postroom.now += 12 * 60 * MINUTE;
    postroom.restartHere();
    expect(lateTimers(await postroom.heartbeats.all(), postroom.now)).toEqual([]);
    expect(await postroom.watch.glance()).toBe(true);
    await postroom.minutes(20);
    expect(postroom.heard()).toEqual([]);
    expect(await postroom.watch.glance()).toBe(true);
  });
});

describe('readiness', () => {
  test('is reported while storage and vault respond, whatever the state of a mailbox', async () => {
    expect(await postroom.watch.glance()).toBe(true);
    await postroom.stop('support', 'imap-no-access', 'x');
    await postroom.minutes(2);
    expect(await postroom.watch.glance()).toBe(true);
    postroom.broken = /^vault\./;
    expect(await postroom.watch.glance()).toBe(false);
  });

  test('is not reported without storage, and the alert comes from memory, even without a monitor', async () => {
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
