/** The page of a folder's check, and its summary in the list of mailboxes. */
import { beforeEach, describe, expect, test } from 'vitest';
import { createReconciliationStore, type FolderCheck } from '../../shared/intake/reconciliation-records.ts';
import { uidRef } from '../../shared/mailboxes/imap-position.ts';
import type { MemoryQueues } from '../harness/memory/memory-queues.ts';
import { headingsInOrder, readPage } from '../harness/pages/read-page.ts';
import { ago, type SamplePostroom, samplePostroom } from '../harness/pages/sample-postroom.ts';

let postroom: SamplePostroom;
beforeEach(async () => {
  postroom = samplePostroom();
  await postroom.mailbox();
});

const page = async (path = '/mailboxes/support/check'): Promise<string> =>
  (await (await postroom.ask(path, { role: 'admin' })).text()).replaceAll(/\s+/g, ' ');
const press = async (path: string): Promise<Response> =>
  postroom.ask(path, { role: 'admin', method: 'POST', body: new URLSearchParams() });
const save = (changes: Partial<FolderCheck>): Promise<void> =>
  createReconciliationStore(postroom.services.tables).saveCheck({
    mailboxId: 'support',
    folder: 'INBOX',
    startedAt: ago(60),
    checkedAt: ago(59),
    missing: [],
    ...changes,
  });
const missing = { ref: uidRef(4), receivedAt: ago(90), size: 2048, messageId: '<lost@customer.example>' };

describe('the check of a folder', () => {
  test('is not made at first, and a button starts it as a job', async () => {
    expect(await page()).toContain('Not checked yet');
    const answer = await press('/mailboxes/support/check');
    expect(answer.headers.get('location')).toBe('/mailboxes/support/check?flash=checking');
    expect(await page('/mailboxes/support/check?flash=checking')).toContain('The check has started.');
    expect((postroom.services.queues as MemoryQueues).sent).toEqual([
      { name: 'fetch-shard', value: { shard: 0, mailboxIds: ['support'], task: { kind: 'check' } } },
    ]);
    const [entry] = (await postroom.audit.page({ kind: 'mailbox', limit: 1 })).entries;
    expect(entry?.action).toBe('folder checked');
  });

  test('shows how many are in the folder, and that all are accounted for', async () => {
    await save({ count: { inLedger: 1200, waiting: 4, older: 30, missing: 0 } });
    expect(await page()).toContain('1,234 in the folder, 1,234 accounted for');
    expect(await page('/mailboxes')).toContain('1,234 in the folder, 1,234 accounted for');
    expect(await page()).not.toContain('fetch-missing');
  });

  test('lists what is missing, and one click fetches it', async () => {
    await save({ count: { inLedger: 10, waiting: 0, older: 0, missing: 1 }, missing: [missing] });
    const html = await page();
    expect(html).toContain('11 in the folder, 10 accounted for');
    expect(html).toContain('&lt;lost@customer.example&gt;');
    expect(html).toContain('Fetch the missing email');
    const answer = await press('/mailboxes/support/fetch-missing');
    expect(answer.headers.get('location')).toBe('/mailboxes/support/check?flash=fetching');
    expect((postroom.services.queues as MemoryQueues).sent.at(-1)?.value).toMatchObject({
      task: { kind: 'fetch-missing' },
    });
  });

  test('shows the number if only the first are listed', async () => {
    await save({ count: { inLedger: 0, waiting: 0, older: 0, missing: 2345 }, missing: [missing] });
    expect(await page()).toContain('The first 1 of 2,345 missing emails');
    expect(await page()).toContain('Fetch the 2,345 missing emails');
  });

  test('shows that it is running, and why it could not be made', async () => {
    await save({ startedAt: ago(1) });
    expect(await page()).toContain('Checking');
    await save({ problem: 'The mail server does not answer.' });
    expect(await page()).toContain('The last check failed: The mail server does not answer.');
  });

  test('shows how many emails were recovered after an outage, here and in the list of mailboxes', async () => {
    await createReconciliationStore(postroom.services.tables).saveRecovered({
      mailboxId: 'support',
      since: ago(300),
      until: ago(20),
      emails: 14,
      more: false,
    });
    expect(await page()).toContain('14 emails recovered by the first fetch afterwards.');
    expect(await page('/mailboxes')).toContain('Fetching works again, 14 emails recovered');
  });

  test('is a readable page, and a 404 for an unknown mailbox', async () => {
    await save({ count: { inLedger: 10, waiting: 0, older: 0, missing: 1 }, missing: [missing] });
    const read = readPage(await page());
    expect(read).toMatchObject({ repeatedIds: [], unlabelled: [], danglingIds: [], inline: [] });
    expect(headingsInOrder(read.headings)).toBe(true);
    expect((await postroom.ask('/mailboxes/none/check', { role: 'admin' })).status).toBe(404);
    expect((await press('/mailboxes/none/fetch-missing')).status).toBe(404);
    expect((await postroom.ask('/mailboxes/support/check', { role: 'agent' })).status).toBe(403);
  });
});
