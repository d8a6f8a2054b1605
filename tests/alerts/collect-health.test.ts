import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { sendTelemetryTo } from '../../shared/platform/telemetry.ts';
import { iso } from '../harness/memory/sample-findings.ts';
import { WatchedPostroom } from './monitored-postroom.ts';

let postroom: WatchedPostroom;
beforeEach(async () => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
  postroom = new WatchedPostroom();
});

test('the host’s poison messages are measured at each check, for each queue, even if there are none', async () => {
  const measured: unknown[] = [];
  sendTelemetryTo({
    span: (_name, _options, run) => run({ add() {}, event() {}, discard() {} }),
    measure: (metric, value, fields) => measured.push([metric, value, fields]),
    traceparent: () => undefined,
    flush: async () => {},
  });
  onTestFinished(() => sendTelemetryTo(undefined));
  // Too recent for an alert, and deleted a few checks later, but counted all the same.
  postroom.queues.abandoned.set('fetch-shard', [iso(postroom.now)]);
  await postroom.minutes(1);
  expect(measured).toEqual([
    ['poisonSize', 1, { queue: 'fetch-shard' }],
    ['poisonSize', 0, { queue: 'outbox' }],
    ['poisonSize', 0, { queue: 'vault-events' }],
  ]);
});

/** This many unimported emails. */
async function unimported(count: number): Promise<void> {
  const open = await postroom.quarantine.open(999);
  for (const { mailboxId, key } of open.slice(count)) {
    const entry = await postroom.quarantine.get(mailboxId, key);
    if (entry !== undefined)
      await postroom.quarantine.markHandled(entry, {
        outcome: 'dismissed',
        at: iso(postroom.now),
        by: 'Alex',
      });
  }
  await postroom.quarantine.put(
    'support',
    Array.from({ length: Math.max(0, count - open.length) }, (_, index) => ({
      kind: 'quarantined' as const,
      reason: 'cannot be read',
      at: iso(postroom.now - index * 1000),
      from: undefined,
      subject: undefined,
      size: 9,
      rawBlob: 'raw/x',
      contentKey: `${postroom.now}-${index}`,
      place: 'INBOX|1|1',
    })),
  );
}

test('unimported email is reported again at ten times the number, not when it changes slightly', async () => {
  const counts = [9, 11, 9, 12, 8, 40, 7, 130, 90, 101, 9];
  for (const count of counts) {
    await unimported(count);
    await postroom.minutes(60);
  }
  expect(postroom.told.map(({ what, finding }) => `${what} ${finding.headline.split(' ')[0]}`)).toEqual([
    'opened 9',
    'changed 11',
    'changed 130',
  ]);
  expect((await postroom.open())[0]?.headline).toMatch(/^9 emails/);
});

test('unimported email counts since the time of its message, not since the full hour', async () => {
  await postroom.mailbox('support');
  const at = iso(postroom.now - 17 * 60_000 - 5_000);
  const entry = { reason: 'cannot be read', from: undefined, subject: undefined, size: 9, rawBlob: 'raw/x' };
  await postroom.quarantine.put('support', [
    { ...entry, kind: 'quarantined', at, contentKey: 'a', place: 'INBOX|1|1' },
    { ...entry, kind: 'skipped', at: iso(postroom.now - 50 * 60_000), contentKey: 'b', place: 'INBOX|1|2' },
  ]);
  await postroom.minutes(1);
  expect((await postroom.open()).find(({ code }) => code === 'quarantine-grown')?.since).toBe(at);
});
