/** What a person can do with an unimported email, on its page. */

import { beforeEach, describe, expect, test } from 'vitest';
import { uidRef } from '../../shared/mailboxes/imap-position.ts';
import { parserHere } from '../harness/memory/intake-world.ts';
import type { MemoryQueues } from '../harness/memory/memory-queues.ts';
import { type SamplePostroom, samplePostroom } from '../harness/pages/sample-postroom.ts';

const AT = '2026-11-24T09:00:00.000Z';
let postroom: SamplePostroom;
let key: string;

beforeEach(async () => {
  postroom = samplePostroom();
  postroom.services.intake.parser = parserHere;
  await postroom.mailbox();
  key = await keep('a');
});

/** An email whose original is stored, and whose ledger row says that it could not be imported. */
async function keep(name: string, kind: 'quarantined' | 'skipped' = 'quarantined'): Promise<string> {
  const { ledger } = postroom.services.intake;
  const place = `at|0123456789abcdef|0000000001|000000000${name.charCodeAt(0) - 96}|fedcba9876543210`;
  const rawBlob = `raw/support/${name}.eml`;
  const raw = Buffer.from(
    `From: Kim Berg <kim@customer.example>\r\nSubject: Lost ${name}\r\nMessage-ID: <${name}@customer.example>\r\n\r\nHello\r\n`,
  );
  await postroom.blobs.putOnce(rawBlob, raw);
  const found = {
    ref: uidRef(1),
    place,
    key: name.repeat(64),
    rawBlob,
    receivedAt: AT,
    size: raw.byteLength,
  };
  const claim = await ledger.claim('support', [found], { alone: false, present: new Set() });
  const decision = {
    disposition: kind === 'quarantined' ? ('quarantine' as const) : ('skip' as const),
    ticketId: undefined,
    number: undefined,
    opens: false,
    follows: undefined,
    reason: 'it takes longer than 3 s',
  };
  const decided = await ledger.decide(
    'support',
    claim.mine.map((mail) => ({ mail, decision })),
  );
  await ledger.complete('support', decided);
  const { reason } = decision;
  const entry = { kind, reason, at: AT, from: 'kim@customer.example', subject: `Lost ${name}` };
  await postroom.quarantine.put('support', [
    { ...entry, size: raw.byteLength, rawBlob, contentKey: found.key, place },
  ]);
  const { entries } = await postroom.quarantine.page('support', { limit: 10 });
  return entries.find(({ subject }) => subject === entry.subject)?.key ?? '';
}

const press = async (action: string, fields: Record<string, string> = { key }): Promise<Response> =>
  postroom.ask(`/unimported/support/${action}`, { method: 'POST', body: new URLSearchParams(fields) });
const page = async (query = ''): Promise<string> => (await postroom.ask(`/unimported${query}`)).text();
const lastAudit = async (): Promise<string | undefined> =>
  (await postroom.audit.page({ kind: 'quarantine', limit: 1 })).entries[0]?.action;

describe('an unimported email', () => {
  test('can be retried, made a ticket, dismissed and downloaded', async () => {
    const html = await page();
    for (const label of ['Try again', 'Make a ticket', 'Dismiss'])
      expect(html).toContain(`aria-label="${label}: Lost a"`);
    expect(html).toContain('/unimported/support/raw?key=');
    expect(html).toContain('Not imported');
  });

  test('is imported by a retry, and its entry shows that with the ticket', async () => {
    const answer = await press('retry');
    expect(answer.status).toBe(303);
    const html = await page(answer.headers.get('location')?.replace('/unimported', ''));
    expect(html).toContain('The email is now in ticket #1.');
    expect(html).toContain('>Imported<');
    expect(html).toMatch(/<a href="\/tickets\/[a-z2-7]{26}">Ticket #1<\/a>/);
    expect(html).toContain('by Mira Sund');
    expect(html).not.toContain('Try again');
    expect(await postroom.quarantine.open(10)).toEqual([]);
    expect(await lastAudit()).toBe('tried again');
    const { tickets } = await postroom.tickets.page('open', { limit: 5 });
    expect(tickets.map(({ subject }) => subject)).toEqual(['Lost a']);
  });

  test('that is unreadable again is reported as such, and stays', async () => {
    postroom.services.intake.parser = {
      parse: () => Promise.resolve({ kind: 'unreadable', reason: 'it needs too much memory' }),
      async close() {},
    };
    const answer = await press('retry');
    const html = await page(answer.headers.get('location')?.replace('/unimported', ''));
    expect(html).toContain('still could not be imported');
    expect(html).toContain('it needs too much memory');
    expect(html).toContain('Try again');
    expect(await postroom.quarantine.open(10)).toHaveLength(1);
  });

  test('becomes a ticket anyway, with the original as its attachment', async () => {
    const answer = await press('ticket');
    expect(answer.headers.get('location')).toBe('/unimported?flash=ticket&number=1');
    const { tickets } = await postroom.tickets.page('open', { limit: 5 });
    const html = await (await postroom.ask(`/tickets/${tickets[0]?.id}`)).text();
    expect(html).toContain('message.eml');
    expect(html).toContain('This email could not be imported: it takes longer than 3 s.');
    expect(await page()).toContain('>Ticket made<');
    expect(await lastAudit()).toBe('made a ticket');
  });

  test('is dismissed, stays listed, and can still become a ticket', async () => {
    await press('dismiss');
    const html = await page('?flash=dismissed');
    expect(html).toContain('>Dismissed<');
    expect(html).toContain('Make a ticket');
    expect(html).not.toContain('aria-label="Dismiss: Lost a"');
    expect(await page('?show=waiting')).toContain('No email needs a decision');
    expect(await lastAudit()).toBe('dismissed');
  });

  test('is listed among those that wait, and a skipped one is not', async () => {
    await keep('b', 'skipped');
    const html = await page('?show=waiting');
    expect(html).toContain('Lost a');
    expect(html).not.toContain('Lost b');
  });

  test('that was skipped becomes a complete ticket', async () => {
    key = await keep('b', 'skipped');
    await press('ticket');
    const { tickets } = await postroom.tickets.page('open', { limit: 5 });
    expect(tickets).toMatchObject([{ subject: 'Lost b', preview: 'Hello' }]);
  });

  test('that only the mail server has is fetched again by a job', async () => {
    await postroom.quarantine.put('support', [
      {
        kind: 'quarantined',
        reason: 'the mail server cannot hand it out',
        at: AT,
        from: undefined,
        subject: 'On the server',
        size: 12,
        rawBlob: undefined,
        contentKey: 'c'.repeat(64),
        place: 'at|0123456789abcdef|0000000001|0000000007|fedcba9876543210',
      },
    ]);
    const { entries } = await postroom.quarantine.page('support', { limit: 10 });
    key = entries.find(({ subject }) => subject === 'On the server')?.key ?? '';
    expect((await press('retry')).headers.get('location')).toBe('/unimported?flash=asked');
    expect((postroom.services.queues as MemoryQueues).sent).toEqual([
      {
        name: 'fetch-shard',
        value: {
          shard: 0,
          mailboxIds: ['support'],
          task: { kind: 'again', refs: [uidRef(7)], by: 'Mira Sund' },
        },
      },
    ]);
  });

  test('of a deleted mailbox cannot be fetched, and can still become a ticket', async () => {
    await postroom.mailboxes.remove('support');
    expect((await press('retry')).headers.get('location')).toBe('/unimported?flash=deleted');
    expect((await press('ticket')).headers.get('location')).toBe('/unimported?flash=ticket&number=1');
  });

  test('that does not exist is not found, for any request', async () => {
    for (const action of ['retry', 'ticket', 'dismiss'])
      for (const made of [{ key: 'x' }, { key: 'a/b' }, {}])
        expect((await press(action, made as Record<string, string>)).status, action).toBe(404);
  });
});
