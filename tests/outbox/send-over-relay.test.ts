/** A mailbox that sends over the SMTP relay of the installation: its form, its pages, and what happens without a relay. */
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { servicesOn } from '../../functions/services.ts';
import type { Account } from '../../shared/accounts/account.ts';
import { recheckSending } from '../../shared/alerts/recheck-sending.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { loginsOf, usesAccount, withAccount } from '../../shared/mailboxes/mailbox-logins.ts';
import type { OutboxJob } from '../../shared/outbox/outbox-store.ts';
import { queueDueEmails } from '../../shared/outbox/queue-due-emails.ts';
import { sendEmails } from '../../shared/outbox/send-emails.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { MemoryQueues } from '../harness/memory/memory-queues.ts';
import { email } from '../harness/memory/outbox-emails.ts';
import { allRows, connectSupport, type DemoApp, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';
import { mailboxOf } from '../harness/pages/sample-mailbox.ts';
import { useMailServer } from '../harness/stack/mail-under-test.ts';

const SALES = 'sales@contoso.example';
const OPTION = 'value="relay"';
const MINUTE = 60_000;

const mail = useMailServer('npm');
beforeAll(() => setDefaultCACertificates([...getCACertificates('default'), mail.lab().ca]));
let app: DemoApp;
let visitor: Visitor;
let account: Account;
let mailbox: Mailbox;
let queues: MemoryQueues;

beforeEach(async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {});
  app = await startDemoApp();
  ({ account } = await connectSupport(app));
  const { config, blobs } = app.services;
  queues = new MemoryQueues(app.seam);
  app.services = servicesOn({ config, blobs, seam: app.seam, tables: app.tables, vault: app.vault, queues });
  const verifyMailbox = async () => ({ kind: 'opened', unread: 0, total: 0 }) as const;
  visitor = new Visitor(app, { id: 'alex', roles: ['admin'] }, { verifyMailbox });
  mailbox = mailboxOf(account, { sending: undefined });
  await app.services.mailboxes.save(mailbox);
});
afterEach(() => app.stop());

/** What an operator stores in the vault; the app reads it again after ten minutes. */
async function setRelay(url: string): Promise<void> {
  await app.vault.set('smtp-relay-url', new Secret(url), { contentType: 'text/plain' });
  app.seam.skewMs += 10 * MINUTE;
}
const freeRelay = (): string => `smtp://${mail.server().drop.host}:${mail.server().drop.port}`;
const form = async (): Promise<string> => (await visitor.get(`/mailboxes/${mailbox.id}/edit`)).html;
const now = () => app.services.mailboxes.get(mailbox.id);
const choose = (smtpAccount = 'relay', more: Record<string, string> = {}) =>
  visitor.post(`/mailboxes/${mailbox.id}/edit`, {
    address: mailbox.address,
    account: `${account.providerId}.${account.accountId}`,
    smtpAccount,
    sendingProtocol: 'smtp',
    folder: 'INBOX',
    after: 'mark-seen',
    interval: '1',
    ...more,
  });

describe('the form of a mailbox', () => {
  it('does not offer the relay while there is none, and says where to set it up', async () => {
    const html = await form();
    expect(html).not.toContain(OPTION);
    expect(html).toContain('as the secret smtp-relay-url');
    const refused = await choose();
    expect(refused.status).toBe(422);
    expect(refused.html).toContain('href="#smtpAccount"');
    expect(refused.html).toContain('There is no SMTP relay.');
    expect(await now()).toEqual(mailbox);
  });

  it('says that its address cannot be used', async () => {
    await setRelay('nowhere');
    const html = await form();
    expect(html).not.toContain(OPTION);
    expect(html).toContain('the secret smtp-relay-url cannot be used');
    expect(html).toContain('href="/health"');
  });

  it('offers it with what it needs, and saves it without an account, a host or a password', async () => {
    await setRelay('smtps://installation:canary@relay.contoso.example:465');
    const html = await form();
    expect(html).toContain(OPTION);
    expect(html).toContain('SPF');
    expect(html).toContain('over POP3 and Microsoft Graph, only in the ticket');
    expect((await choose('relay', { smtpHost: 'smtp.evil.example', smtpPort: '25' })).status).toBe(303);
    const saved = await now();
    expect(saved?.sending).toEqual({ protocol: 'relay' });
    const [entry] = (await app.services.audit.page({ kind: 'mailbox', id: mailbox.id, limit: 1 })).entries;
    expect(entry?.changes).toContainEqual({ name: 'sends over', before: undefined, after: 'SMTP relay' });
    const again = await form();
    expect(again).toMatch(/<option value="relay" selected/);
    const everything = [again, JSON.stringify(allRows(app))].join();
    expect(everything).not.toContain('canary');
    expect(everything).not.toContain('relay.contoso.example');
  });

  it('keeps the relay of a mailbox when its address is gone, until another way is chosen', async () => {
    await app.services.mailboxes.save({ ...mailbox, sending: { protocol: 'relay' } });
    expect(await form()).toMatch(/<option value="relay" selected/);
    expect((await choose('relay', { interval: '5' })).status).toBe(303);
    expect(await now()).toMatchObject({ intervalMinutes: 5, sending: { protocol: 'relay' } });
    expect((await choose('')).status).toBe(303);
    expect((await now())?.sending).toBeUndefined();
  });
});

it('has no account that sends, so that no account is needed or replaced for it', () => {
  const sends: Mailbox = { ...mailbox, sending: { protocol: 'relay' } };
  expect(loginsOf(sends).sending).toBeUndefined();
  expect(usesAccount(sends, account)).toBe(true);
  const other = { providerId: 'q', accountId: 'b' };
  expect(withAccount(sends, account, other)).toMatchObject({ ...other, sending: { protocol: 'relay' } });
});

describe('a reply over a relay', () => {
  const queued = () => app.services.outbox.get({ ticketId: 'ticket', id: 'reply' });
  const state = async () => (await queued())?.record.delivery.status;
  async function send(): Promise<void> {
    await queueDueEmails({ ...app.services, queues });
    for (const { value } of queues.sent.splice(0)) await sendEmails(app.services.sending, value as OutboxJob);
  }
  /** As the monitor does, at its next tenth minute. */
  async function recheck(): Promise<void> {
    const at = app.seam.now();
    app.seam.skewMs += 10 * MINUTE - (at % (10 * MINUTE));
    await recheckSending({ ...app.services, sender: app.services.mailSender });
  }
  beforeEach(async () => {
    await app.services.mailboxes.save({ ...mailbox, sending: { protocol: 'relay' } });
    const createdAt = new Date(app.seam.now()).toISOString();
    const reply = email('reply', { mailboxId: mailbox.id, to: [SALES], createdAt });
    await app.services.outbox.queue(reply);
  });

  it.each<[string, (() => string) | undefined, string, RegExp]>([
    ['that is not set up', undefined, 'no-relay', /: there is no SMTP relay\.$/],
    [
      'whose address is wrong',
      () => 'smtp://user:canary@',
      'bad-relay',
      /: the URL of the SMTP relay is not valid\.$/,
    ],
    [
      'that refuses the sign-in',
      () => `smtp://user:canary@${mail.server().smtp.host}:${mail.server().smtp.port}`,
      'relay-refused',
      /: the SMTP relay refuses the sign-in\.$/,
    ],
  ])('%s waits with an alert, and leaves by itself once it works', async (_what, wrong, code, headline) => {
    if (wrong !== undefined) await setRelay(wrong());
    await send();
    expect(await state()).toMatchObject({ state: 'failed', isOfWayOut: true, why: { code } });
    const [alert] = await app.services.alerts.open();
    expect(alert?.findings.sending).toMatchObject({ kind: 'smtp-refused', code, severity: 'error' });
    expect(alert?.findings.sending?.headline).toMatch(headline);
    expect(JSON.stringify([await queued(), alert])).not.toContain('canary');

    await recheck();
    expect(await app.services.alerts.open(), 'the relay is still missing').toHaveLength(1);
    await setRelay(freeRelay());
    const inbox = await mail.emptyInbox(SALES);
    await recheck();
    expect(await app.services.alerts.open()).toEqual([]);
    await send();
    expect(await state()).toMatchObject({ state: 'sent' });
    expect(await mail.received(inbox, 'reply')).toContain('<ticket.reply@contoso.example>');
    const usage = app.tables.dump('OutboxDue').filter(({ partitionKey }) => partitionKey === 'usage');
    expect(
      usage.map(({ rowKey }) => rowKey),
      'counted for the relay',
    ).toEqual(['relay']);
  });

  it('is tried again while the vault does not answer', async () => {
    app.seam.around = (point, effect) =>
      point === 'vault.get' ? Promise.reject(new Error('no answer')) : effect();
    await send();
    expect(await state()).toMatchObject({ state: 'retrying', why: { code: 'key-vault' } });
  });

  it('that is missing is a warning of the daily check, before anything has to leave', async () => {
    await app.services.outbox.withdraw({ ticketId: 'ticket', id: 'reply' });
    for (let turn = 0; turn < 145 && (await app.services.alerts.open()).length === 0; turn += 1)
      await recheck();
    const [alert] = await app.services.alerts.open();
    expect(alert?.findings.sending).toMatchObject({ code: 'no-relay', severity: 'warning' });
  });
});
