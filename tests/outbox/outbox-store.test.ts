import { beforeEach, describe, expect, test } from 'vitest';
import { createActivityStore } from '../../shared/activity/activity-store.ts';
import { afterAttempt, claimed, queuedDelivery } from '../../shared/outbox/delivery.ts';
import type { OutboxMessage } from '../../shared/outbox/outbox-message.ts';
import { createOutboxStore, type OutboxStore } from '../../shared/outbox/outbox-store.ts';
import { queueDueEmails } from '../../shared/outbox/queue-due-emails.ts';
import { type SendDeps, sendEmails } from '../../shared/outbox/send-emails.ts';
import type { SendReport } from '../../shared/outbox/send-report.ts';
import { exchangeLimits } from '../../shared/outbox/sending-limits.ts';
import { createSendingUsage } from '../../shared/outbox/sending-usage.ts';
import { noSentFolder } from '../../shared/outbox/sent-folder.ts';
import type { WayOut } from '../../shared/outbox/way-out.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { codeFrom } from '../../shared/platform/problem.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { MemoryBlobs } from '../harness/memory/memory-blobs.ts';
import { MemoryQueues } from '../harness/memory/memory-queues.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { email, MAILBOX } from '../harness/memory/outbox-emails.ts';

const START = Date.parse('2026-11-24T10:00:00.000Z');
const iso = (ms: number): string => new Date(ms).toISOString();
const ref = { ticketId: 'ticket', id: 'reply' };
const why = { code: codeFrom('smtp-auth-disabled-tenant'), reason: '535 5.7.139 off', isVerdict: true };

let now: number;
let tables: MemoryTables;
let queues: MemoryQueues;
let outbox: OutboxStore;
let outcomes: Awaited<ReturnType<WayOut['deliver']>>[];
/** What the alerts hear. */
let told: string[];
let delivered: string[];
/** Undefined: the mailbox can't send. */
let way: WayOut | undefined;

beforeEach(() => {
  now = START;
  const seam = { ...openSeam, now: () => now };
  tables = new MemoryTables(seam);
  queues = new MemoryQueues(seam);
  outbox = createOutboxStore({ tables, queues, seam });
  outcomes = [];
  delivered = [];
  told = [];
  way = {
    about: { id: 'a', name: 'support@contoso.example' },
    sender: { providerId: 'p', accountId: 'a' },
    limits: exchangeLimits,
    keepsCopies: true,
    deliver: (mail) => {
      delivered.push(mail.subject);
      return Promise.resolve(outcomes.shift() ?? { kind: 'accepted', answer: '250 OK', refused: [] });
    },
  };
});

const deps = (): SendDeps => ({
  seam: { ...openSeam, now: () => now },
  outbox,
  usage: createSendingUsage(tables),
  activity: createActivityStore(tables),
  blobs: new MemoryBlobs(openSeam),
  wayOutOf: () => Promise.resolve(way),
  openSentFolder: () => Promise.resolve(noSentFolder),
  cannotSend: async (mailboxId, { code }) => {
    told.push(`${mailboxId} cannot send: ${code}`);
  },
  sendsAgain: async (mailboxId) => {
    told.push(`${mailboxId} sends again`);
  },
  replyNeedsPerson: async ({ id, delivery }) => {
    told.push(`${id} needs a person: ${delivery.status.state}`);
  },
});
/** What the monitor and the function `sendMail` do in a minute. */
async function minute(): Promise<SendReport[]> {
  queues.sent.length = 0;
  await queueDueEmails({ outbox, queues });
  const jobs = queues.sent.map(({ value }) => value as { mailboxId: string; due: string[] });
  const reports: SendReport[] = [];
  for (const job of jobs) reports.push(await sendEmails(deps(), job));
  return reports;
}
const stateOf = async (id = 'reply'): Promise<OutboxMessage['delivery']['status']> => {
  const stored = await outbox.get({ ticketId: 'ticket', id });
  if (stored === undefined) throw new Error('no such email');
  return stored.record.delivery.status;
};
const due = (): string[] =>
  tables.dump('OutboxDue').flatMap(({ partitionKey, rowKey }) => (partitionKey === 'due' ? [rowKey] : []));

describe('a queued email', () => {
  test('is queued once, however often it is submitted', async () => {
    expect(await outbox.queue(email('reply'))).toMatchObject({ ok: true });
    expect(await outbox.queue(email('reply', { subject: 'other' }))).toMatchObject({
      ok: false,
      refusal: 'exists',
    });
    expect((await outbox.get(ref))?.record.subject).toBe('reply');
  });

  test('starts its function at once, or when it is due', async () => {
    await outbox.queue(email('reply'));
    await outbox.queue(email('later', { delivery: queuedDelivery(iso(now + 10_000)) }));
    expect(queues.sent).toMatchObject([
      { name: 'outbox', value: { mailboxId: MAILBOX, due: [`${iso(START)}|ticket|reply`] } },
      { name: 'outbox', delaySeconds: 10 },
    ]);
    expect(queues.sent[0]).not.toHaveProperty('delaySeconds');
  });

  test('is sent by the monitor if Queue Storage is away', async () => {
    queues.send = () => Promise.reject(new PostroomError('queue-storage', 'away'));
    expect(await outbox.queue(email('reply'))).toMatchObject({ ok: true });
    queues = new MemoryQueues(openSeam);
    expect(await minute()).toMatchObject([{ sent: 1 }]);
    expect(await stateOf()).toMatchObject({ state: 'sent', answer: '250 OK' });
    expect(due()).toEqual([]);
  });

  test('that the server refuses for good, or takes at last, is mentioned to the alerts', async () => {
    await outbox.queue(email('reply'));
    outcomes = [{ kind: 'refused', why, permanent: true, isOfWayOut: true }];
    await minute();
    expect(told).toEqual([`${MAILBOX} cannot send: smtp-auth-disabled-tenant`]);
    await outbox.queue(email('second'));
    outcomes = [{ kind: 'not-started', why: { ...why, code: 'smtp-unreachable' }, permanent: false }];
    await minute();
    now += 2 * 60_000;
    await minute();
    expect(told.slice(1)).toEqual([`${MAILBOX} sends again`]);
  });

  test('is not sent if a change that belongs to it is refused', async () => {
    await outbox.queue(email('reply'));
    const again = { kind: 'insert', row: { partitionKey: 'ticket', rowKey: 'o|reply' } } as const;
    expect(await outbox.queue(email('second'), [again])).toMatchObject({ ok: false });
    expect(await minute()).toMatchObject([{ sent: 1 }]);
    expect(due(), 'its entry, until it is surely not coming').toEqual([`${iso(START)}|ticket|second`]);
    now += 61 * 60_000;
    await minute();
    expect(due()).toEqual([]);
    expect(delivered).toEqual(['reply']);
  });

  test('can be withdrawn, and then never leaves', async () => {
    await outbox.queue(email('reply', { delivery: queuedDelivery(iso(now + 10_000)) }));
    expect(await outbox.withdraw(ref)).toBe('withdrawn');
    expect(await outbox.withdraw(ref)).toBe('too-late');
    expect(await outbox.withdraw({ ...ref, id: 'other' })).toBe('missing');
    now += 60_000;
    await minute();
    expect(delivered).toEqual([]);
    expect(await stateOf()).toMatchObject({ state: 'withdrawn' });
    expect(due()).toEqual([]);
  });

  test('can no longer be withdrawn once a process has claimed it', async () => {
    await outbox.queue(email('reply'));
    const stored = await outbox.get(ref);
    if (stored === undefined) throw new Error('no row');
    const delivery = claimed(stored.record.delivery, now);
    expect(await outbox.replace({ ...stored.record, delivery }, stored.etag)).toBeDefined();
    expect(await outbox.withdraw(ref)).toBe('too-late');
    expect(
      await outbox.replace({ ...stored.record, delivery }, stored.etag),
      'a stale claim',
    ).toBeUndefined();
  });
});

test('the emails that one mailbox cannot send do not keep those of another from being queued', async () => {
  const stuck = Array.from({ length: 6_000 }, (_, index) => email(`s${index}`));
  await outbox.announce(stuck);
  const later = queuedDelivery(iso(now + 1_000));
  await outbox.announce([email('other', { mailboxId: 'sales', delivery: later })]);
  now += 60_000;
  expect(await queueDueEmails({ outbox, queues })).toBe(25 * 199 + 1);
  expect(queues.sent.slice(0, 2).map(({ value }) => value)).toMatchObject([
    { mailboxId: MAILBOX, due: { length: 25 } },
    { mailboxId: 'sales', due: { length: 1 } },
  ]);
});

describe('a run', () => {
  test('keeps the limits of the account, and the monitor sends the rest', async () => {
    for (let index = 0; index < 70; index += 1) await outbox.queue(email(`r${index}`));
    const counts: number[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      counts.push((await minute()).reduce((sum, { sent }) => sum + sent, 0));
      now += 60_000;
    }
    expect(counts).toEqual([30, 30, 10]);
    expect(new Set(delivered).size).toBe(70);
  });

  test('stops at a server that throttles, and asks nothing until its pause is over', async () => {
    await outbox.queue(email('a'));
    await outbox.queue(email('b'));
    const retryAt = iso(now + 60_000);
    const busy = { code: codeFrom('smtp-rate'), reason: '421 4.4.2', isVerdict: true };
    outcomes = [{ kind: 'refused', why: busy, permanent: false, isOfWayOut: true, retryAt }];
    await minute();
    expect(delivered).toEqual(['a']);
    expect(await stateOf('a')).toMatchObject({ state: 'retrying', due: retryAt, why: busy });
    expect(await stateOf('b')).toMatchObject({ state: 'queued' });
    now += 30_000;
    await minute();
    expect(delivered).toEqual(['a']);
    now += 30_000;
    await minute();
    expect(delivered.toSorted()).toEqual(['a', 'a', 'b']);
  });

  test('stops at a server that is away, without a try for every email', async () => {
    for (const id of ['a', 'b', 'c']) await outbox.queue(email(id));
    const away = { code: 'smtp-unreachable', reason: 'away', isVerdict: false } as const;
    outcomes = [{ kind: 'not-started', why: away, permanent: false }];
    expect(await minute()).toEqual([{ sent: 0, retrying: 1, failed: 0, unknown: 0 }]);
    expect(delivered).toEqual(['a']);
  });

  test('makes one entry in the activity list', async () => {
    for (const id of ['a', 'b', 'c']) await outbox.queue(email(id));
    await minute();
    const entries = tables.dump('Activity');
    expect(entries).toHaveLength(1);
    expect(entries[0]).toMatchObject({ what: '3 emails sent.', result: 'done' });
  });
});

test('a reply that was refused is reported to a person once it is recorded, and what waits by itself is not', async () => {
  for (const id of ['refused', 'waits']) await outbox.queue(email(id));
  await outbox.queue(email('ack', { kind: 'acknowledgement' }));
  const refused = { kind: 'refused', why, permanent: true, isOfWayOut: false } as const;
  // In the order of their IDs.
  outcomes = [refused, refused, { ...refused, permanent: false }];
  await minute();
  expect(told).toEqual(['refused needs a person: failed']);
});

test('a process that ends before it reported a refused reply leaves that to the next run', async () => {
  await outbox.queue(email('reply'));
  outcomes = [{ kind: 'refused', why, permanent: true, isOfWayOut: false }];
  const ends = { ...deps(), replyNeedsPerson: () => Promise.reject(new Error('the process ended')) };
  const job = { mailboxId: MAILBOX, due: due() };
  await expect(sendEmails(ends, job)).rejects.toThrow('ended');
  await minute();
  expect(told).toEqual(['reply needs a person: failed']);
  expect(due()).toEqual([]);
});

describe('a reply whose way out is closed', () => {
  const closed = { kind: 'refused', why, permanent: true, isOfWayOut: true } as const;

  test('fails at once with the reason, and leaves by itself when it is open again', async () => {
    await outbox.queue(email('reply'));
    outcomes = [closed];
    await minute();
    expect(await stateOf()).toEqual({ state: 'failed', at: iso(now), why, isOfWayOut: true });
    expect(due()).toEqual([]);
    now += 3_600_000;
    expect(await outbox.held()).toEqual({ mailboxIds: new Set([MAILBOX]), expired: [] });
    expect(await outbox.releaseHeld('other')).toBe(0);
    expect(await outbox.releaseHeld(MAILBOX)).toBe(1);
    expect(await outbox.releaseHeld(MAILBOX), 'once').toBe(0);
    expect(await outbox.held()).toEqual({ mailboxIds: new Set(), expired: [] });
    await minute();
    expect(delivered).toEqual(['reply', 'reply']);
    expect(await stateOf()).toMatchObject({ state: 'sent' });
  });

  test('does not leave after a week, unless a person sends it again', async () => {
    await outbox.queue(email('reply'));
    way = undefined;
    await minute();
    expect(await stateOf()).toMatchObject({ state: 'failed', why: { code: 'no-way-out' } });
    now += 8 * 24 * 3_600_000;
    const { mailboxIds, expired } = await outbox.held();
    expect([mailboxIds, expired]).toEqual([new Set(), [expect.objectContaining(ref)]]);
    expect(await outbox.releaseHeld(MAILBOX)).toBe(0);
    expect(await outbox.sendAgain(ref)).toBe('queued');
    expect(await outbox.sendAgain(ref)).toBe('not-failed');
    expect(await outbox.sendAgain({ ...ref, id: 'other' })).toBe('missing');
  });

  test('does not leave more than a week after it was written, however often it was tried meanwhile', async () => {
    await outbox.queue(email('reply'));
    for (let day = 0; day < 8; day += 1) {
      outcomes = [closed];
      await minute();
      now += 24 * 3_600_000;
      expect(await outbox.releaseHeld(MAILBOX), `day ${day + 1}`).toBe(day < 6 ? 1 : 0);
    }
    expect(await stateOf()).toMatchObject({ state: 'failed' });
  });

  test('is not confused with an acknowledgement, which would come too late', async () => {
    await outbox.queue(email('ack', { kind: 'acknowledgement' }));
    outcomes = [closed];
    await minute();
    expect(await outbox.releaseHeld(MAILBOX)).toBe(0);
  });
});

test('an attempt that ends late still knows better than the guess that its process was gone', async () => {
  await outbox.queue(email('reply'));
  const real = way;
  if (real === undefined) throw new Error('no way out');
  way = {
    ...real,
    deliver: async (mail) => {
      const answer = await real.deliver(mail);
      // Another process finds the claim expired, while this one is frozen.
      const stored = await outbox.get(ref);
      if (stored === undefined) throw new Error('no row');
      const lost = { kind: 'unknown', why } as const;
      const delivery = afterAttempt('reply', stored.record.delivery, lost, now);
      await outbox.replace({ ...stored.record, delivery }, stored.etag);
      return answer;
    },
  };
  await minute();
  expect(await stateOf()).toMatchObject({ state: 'sent' });
});

test('the emails of a ticket are listed in the order in which they were written', async () => {
  await outbox.queue(email('b', { createdAt: iso(START) }));
  await outbox.queue(email('a', { createdAt: iso(START + 1) }));
  await outbox.queue(email('c', { ticketId: 'other' }));
  expect((await outbox.list('ticket')).map(({ id }) => id)).toEqual(['b', 'a']);
});
