import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InboxError } from '../../shared/mailboxes/inbox.ts';
import { expectUsableInBrowser, expectWhole } from '../harness/browser/check-drawn.ts';
import { connectSupport, type DemoApp, startDemoApp, type Visitor } from '../harness/pages/demo-app.ts';
import { fillInbox, mailboxOf } from '../harness/pages/sample-mailbox.ts';

let app: DemoApp;
let visitor: Visitor;
let address: string;

beforeAll(async () => {
  app = await startDemoApp();
  const connected = await connectSupport(app);
  ({ visitor } = connected);
  const mailbox = mailboxOf(connected.account);
  await app.services.mailboxes.save(mailbox);
  address = `/mailboxes/${mailbox.id}/connected`;
});
afterAll(() => app.stop());

describe('a connected mailbox', () => {
  it('is opened and counted, and shows its three latest subjects, newest first', async () => {
    const subjects = ['Oldest', 'Older', '', '<b>New</b>', '=?utf-8?b?0J/RgNC40LLQtdGC?='];
    const folder = fillInbox(app, subjects);
    for (const mail of folder.mails.slice(0, 3)) mail.seen = true;
    const { html, title } = await visitor.get(address);
    expect(title).toBe('support@contoso.example is connected');
    expect(html).toContain('2 unread of 5 messages in INBOX');
    const places = ['Привет', '&lt;b&gt;New&lt;/b&gt;', '(no subject)'].map((subject) =>
      html.indexOf(subject),
    );
    expect(places.every((place) => place > 0)).toBe(true);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(html).not.toContain('Older');
    expect(folder.mails.map(({ seen }) => seen)).toEqual([true, true, true, false, false]);
  });

  it('is still connected if it is empty, or if its last emails are gone', async () => {
    fillInbox(app, []);
    expect((await visitor.get(address)).html).toContain('The folder is empty');
    const folder = fillInbox(
      app,
      Array.from({ length: 60 }, (_, n) => `Mail ${n}`),
    );
    folder.mails = folder.mails.slice(0, 5);
    const { html } = await visitor.get(address);
    expect(html).toContain('5 unread of 5 messages');
    expect(html).toContain('Mail 4');
  });

  it('survives an unreadable email', async () => {
    const folder = fillInbox(app, ['Good']);
    folder.deliver(new Uint8Array(), '2026-11-23T00:00:00.000Z');
    const { html, status } = await visitor.get(address);
    expect(status).toBe(200);
    expect(html).toContain('(no subject)');
    expect(html).toContain('Good');
  });

  it('is not reported as connected while it cannot be opened', async () => {
    app.services.intake.openInbox = () =>
      Promise.reject(new InboxError('no-access', 'User is authenticated but not connected.'));
    const { html, title } = await visitor.get(address);
    expect(title).toBe('Could not open support@contoso.example');
    expect(html).toContain('cannot open');
    expect(html).not.toContain('is connected');
  });

  it('shows whether sending works, and promises no replies, which nothing sends yet', async () => {
    fillInbox(app, ['Hello']);
    const [mailbox] = await app.services.mailboxes.list();
    if (mailbox === undefined) throw new Error('no mailbox');
    const { providerId, accountId } = mailbox;
    await app.services.mailboxes.save({
      ...mailbox,
      sending: { host: 'localhost', port: 1, providerId, accountId },
    });
    const { html, title } = await visitor.get(address);
    expect(title).toBe('support@contoso.example is connected');
    expect(html).toContain('Receiving works, but sending does not work yet:');
    const drawn = { 'connected, sends not': html };
    expectWhole(drawn);
    await expectUsableInBrowser(drawn);
  });

  it('responds 404 for an invalid ID', async () => {
    expect((await visitor.get('/mailboxes/x/connected')).status).toBe(404);
    expect((await visitor.get(`/mailboxes/${'z'.repeat(26)}/connected`)).status).toBe(404);
  });
});
