/**
 * No page with a message blocks the event loop, whatever the message contains. Measured as processor time of this thread
 * between two turns of the loop, so that a busy machine does not count.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SCANNED_TICKETS } from '../../shared/intake/find-email.ts';
import { openRecords } from '../../shared/platform/open-records.ts';
import { messageRef } from '../../shared/tickets/message-records.ts';
import { indexKind } from '../../shared/tickets/ticket-records.ts';
import { corpusMails, hostileMails } from '../harness/memory/hostile-megabytes.ts';
import { ago, type SamplePostroom, samplePostroom } from '../harness/pages/sample-postroom.ts';

const BUDGET_MS = 100;
const mails = [...hostileMails(), ...(await corpusMails())];
let postroom: SamplePostroom;
beforeAll(async () => {
  postroom = samplePostroom();
  // Code that is compiled for the first time is slow once, with any email.
  for (const html of ['<p>warm</p>', undefined])
    for (const path of await pathsOf(
      await postroom.file({ text: 'warm http://a.example', ...(html && { html }) }),
    ))
      await (await postroom.ask(path)).arrayBuffer();
});
afterAll(() => postroom.services.htmlViewer.close());

/** Every URL that shows a part of a message. */
async function pathsOf(id: string): Promise<string[]> {
  const first = (await postroom.tickets.conversation(id, { limit: 1 }))?.messages[0];
  const ref = first === undefined ? '' : messageRef(first);
  const message = `/tickets/${id}/messages/${ref}`;
  return [
    '/tickets',
    `/tickets/${id}`,
    `/tickets/${id}?text=${ref}`,
    `/tickets/${id}?images=${ref}`,
    `${message}/body`,
    `${message}/body?images=shown`,
    `${message}/text`,
    `${message}/raw`,
    `${message}/attachments/0`,
  ];
}

/** The longest time for which this thread computed without a pause during `work`, in milliseconds. */
async function longestHold(work: () => Promise<unknown>): Promise<number> {
  const spent = (): number => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1_000;
  };
  let longest = 0;
  let over = false;
  const watch = async (): Promise<void> => {
    for (let before = spent(); !over; before = spent()) {
      await turn();
      longest = Math.max(longest, spent() - before);
    }
  };
  const watching = watch();
  await work();
  over = true;
  await watching;
  return longest;
}

test.each(mails)('$name', async ({ name: _, ...mail }) => {
  const id = await postroom.file(mail);
  const held: Record<string, number> = {};
  for (const path of await pathsOf(id)) {
    const ms = await longestHold(async () => {
      const answer = await postroom.ask(path);
      expect(answer.status).toBeLessThan(500);
      await answer.arrayBuffer();
    });
    if (ms > BUDGET_MS) held[path] = Math.round(ms);
  }
  expect(held).toEqual({});
});

test('fifty of the longest texts on one page', async () => {
  const texts = mails.filter(({ name }) => name.startsWith('text of'));
  const fifty = Array.from({ length: 50 }, (_, place) => ({
    ...texts[place % texts.length],
    minutesAgo: 100 - place,
  }));
  const [first = {}, ...replies] = fifty;
  const id = await postroom.file(first, ...replies);
  expect(await longestHold(async () => (await postroom.ask(`/tickets/${id}`)).text())).toBeLessThan(
    BUDGET_MS,
  );
});

test('unimported email, with all that a sender can write into it', async () => {
  for (const [place, { subject, from }] of mails.filter(({ name }) => name.startsWith('names')).entries())
    await postroom.quarantine.put('support', [
      {
        contentKey: `k${place}`,
        place: 'x',
        kind: 'quarantined',
        reason: 'x',
        at: ago(place),
        from: from?.address,
        subject,
        size: 1,
        rawBlob: 'r',
      },
    ]);
  await postroom.mailbox();
  expect(await longestHold(async () => (await postroom.ask('/unimported')).text())).toBeLessThan(BUDGET_MS);
});

test('“Where is my email?” among as many tickets and unimported emails as it searches', async () => {
  const full = samplePostroom();
  await full.mailbox();
  const index = openRecords(full.services.tables, indexKind);
  const rows = Array.from({ length: SCANNED_TICKETS }, (_, place) => place);
  for (const status of ['open', 'closed'] as const)
    for (const place of rows)
      await index.put({
        id: `${status}${place}`,
        number: place,
        status,
        subject: `${'a subject of some length '.repeat(30)}${place}`,
        requester: { name: 'Kim Berg', address: `kim${place}@customer.example` },
        mailboxId: 'support',
        lastAt: ago(place),
        messageCount: 1,
        preview: 'x'.repeat(200),
      });
  await full.quarantine.put(
    'support',
    rows.map((place) => ({
      contentKey: `k${place}`,
      place: 'x',
      kind: 'skipped' as const,
      reason: 'x'.repeat(200),
      at: ago(place),
      from: `kim${place}@customer.example`,
      subject: 'a subject of some length '.repeat(18),
      size: 1,
      rawBlob: 'r',
    })),
  );
  const find = async (text: string): Promise<string> => {
    const body = new URLSearchParams({ text });
    return (await full.ask('/find-email', { method: 'POST', body })).text();
  };
  await find('warm');
  for (const text of ['customer.example', 'no such email'])
    expect(await longestHold(() => find(text)), text).toBeLessThan(BUDGET_MS);
});
