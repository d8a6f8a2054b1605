/** The form of a mailbox, from the count of what would be imported to the list that shows the progress of the import. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { verifyMailbox } from '../../shared/mailboxes/verify-mailbox.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { MemoryFolder, openMemoryInbox } from '../harness/memory/memory-inbox.ts';
import { connectSupport, type DemoApp, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';
import { readPage } from '../harness/pages/read-page.ts';

const SUPPORT = 'support@contoso.example';
let app: DemoApp;
let visitor: Visitor;
let form: Record<string, string>;
let folder = new MemoryFolder();

beforeAll(async () => {
  app = await startDemoApp();
  const { account } = await connectSupport(app);
  const intake = {
    ...app.services.intake,
    accessTokens: { get: async () => ({ kind: 'token', token: new Secret('token') }) as const },
    openInbox: () => openMemoryInbox(folder, openSeam),
  };
  visitor = new Visitor(app, { id: 'alex', roles: ['admin'] }, { intake, verifyMailbox });
  form = {
    address: SUPPORT,
    account: `${account.providerId}.${account.accountId}`,
    host: 'localhost',
    port: '993',
    folder: 'INBOX',
    after: 'mark-seen',
    moveFolder: '',
    deleteDays: '30',
    first: 'unread',
    since: '',
    interval: '1',
  };
});
afterAll(() => app.stop());
beforeEach(async () => {
  folder = new MemoryFolder();
  for (const { id } of await app.services.mailboxes.list()) await app.services.mailboxes.remove(id);
});

const deliver = (count: number, receivedAt: string, seen: boolean): void => {
  for (let each = 0; each < count; each += 1)
    folder.deliver(Buffer.from(`From: a@b.example\r\nSubject: ${each}\r\n\r\nHi\r\n`), receivedAt).seen =
      seen;
};
const only = async () => {
  const [mailbox] = await app.services.mailboxes.list();
  if (mailbox === undefined) throw new Error('no mailbox');
  return mailbox;
};

describe('a new mailbox', () => {
  it('is counted before anything is saved', async () => {
    deliver(214, '2026-09-01T10:00:00.000Z', false);
    deliver(3112, '2026-10-02T10:00:00.000Z', true);
    const { html, status } = await visitor.post('/mailboxes/new', {
      ...form,
      first: 'since',
      since: '2026-10-01',
      count: 'yes',
    });
    expect(status).toBe(200);
    expect(html).toContain('214 unread emails, 3,112 emails since 1 October 2026.');
    expect(readPage(html)).toMatchObject({ repeatedIds: [], unlabelled: [], danglingIds: [], inline: [] });
    expect(await app.services.mailboxes.list()).toEqual([]);
  });

  it('with up to 500 emails to import starts automatically', async () => {
    deliver(500, '2026-10-02T10:00:00.000Z', false);
    const { location } = await visitor.post('/mailboxes/new', form);
    const mailbox = await only();
    expect(mailbox).toMatchObject({ enabled: true });
    expect(mailbox.fetchSince).toBeUndefined();
    expect(location).toBe(`/mailboxes/${mailbox.id}/connected`);
    expect((await visitor.get(location ?? '')).html).toContain('Postroom imports 500 unread emails.');
    expect((await visitor.get('/mailboxes')).html).toContain('0 of 500 emails processed');
  });

  it('with more waits until a person starts it, and the first day may still be changed', async () => {
    deliver(501, '2026-09-02T10:00:00.000Z', false);
    deliver(2, '2026-10-02T10:00:00.000Z', true);
    const { location } = await visitor.post('/mailboxes/new', form);
    const waiting = await only();
    expect(waiting.enabled).toBe(false);
    const asked = (await visitor.get(location ?? '')).html;
    expect(asked).toContain('501 unread emails would become tickets.');
    expect(asked).toContain('Import 501 emails');
    expect((await visitor.get('/mailboxes')).html).toContain('Waiting to import 501 unread emails.');
    const edit = await visitor.get(`/mailboxes/${waiting.id}/edit`);
    expect(edit.html).toContain('Import all email since a date');
    await visitor.post(`/mailboxes/${waiting.id}/edit`, { ...form, first: 'since', since: '2026-10-01' });
    expect((await visitor.get(location ?? '')).html).toContain(
      '2 emails since 1 October 2026 would become tickets.',
    );
    await visitor.post(`/mailboxes/${waiting.id}/resume`, {});
    expect(await only()).toMatchObject({ enabled: true, fetchSince: '2026-10-01' });
  });

  it('is rejected with an invalid or future day', async () => {
    for (const since of ['', '2026-02-30', '1.10.2026', '2999-01-01', '1970-01-01']) {
      const { status, html } = await visitor.post('/mailboxes/new', { ...form, first: 'since', since });
      expect([since, status]).toEqual([since, 422]);
      expect(html).toContain('id="since-error"');
    }
    const days = await visitor.post('/mailboxes/new', { ...form, after: 'delete-later', deleteDays: '0' });
    expect(days.html).toContain('Enter a number of days from 1 to 3650.');
  });
});

describe('an imported mailbox', () => {
  it('keeps its first day and its classes, and the audit log has the changes', async () => {
    await visitor.post('/mailboxes/new', { ...form, first: 'since', since: '2026-10-01' });
    const { id } = await only();
    const { first: _, since: __, ...later } = form;
    const page = await visitor.get(`/mailboxes/${id}/edit`);
    expect(page.html).not.toContain('Import all email since a date');
    expect(page.html).toMatch(/<details class="fields">\s*<summary>More settings/);
    await visitor.post(`/mailboxes/${id}/edit`, {
      ...later,
      after: 'delete-later',
      deleteDays: '90',
      'class-list': 'skip',
      'class-bounce': 'ticket',
    });
    expect(await only()).toMatchObject({
      fetchSince: '2026-10-01',
      afterFetch: { kind: 'delete-later', days: 90 },
      classes: { list: 'skip' },
    });
    const again = await visitor.get(`/mailboxes/${id}/edit`);
    expect(again.html).toMatch(/<details class="fields" open=""/);
    expect(again.html).toMatch(/<option value="skip" selected="">/);
    const log = (await visitor.get('/audit?kind=mailbox')).html;
    expect(log).toContain('delete after 90 days');
    expect(log).toContain('list: skip');
    const wrong = await visitor.post(`/mailboxes/${id}/edit`, { ...later, 'class-list': 'burn' });
    expect(wrong.html).toContain('Choose one of the list.');
  });
});
