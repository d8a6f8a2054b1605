/** “Send over Microsoft Graph instead”: where it is offered, and what it does. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Account } from '../../shared/accounts/account.ts';
import { sendingObservation } from '../../shared/alerts/alert-channels.ts';
import type { ConnectionTest } from '../../shared/connection-test/connection-test.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { createOutboxStore } from '../../shared/outbox/outbox-store.ts';
import { readRefusal } from '../../shared/outbox/smtp-refusal.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { MemoryQueues } from '../harness/memory/memory-queues.ts';
import { connectSupport, type DemoApp, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';
import { mailboxOf } from '../harness/pages/sample-mailbox.ts';

const SUPPORT = 'support@contoso.example';
const OFF =
  '535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information.';
/** The form with the button; explanations mention its words. */
const BUTTON = '/send-over-graph"><p>';

let app: DemoApp;
let visitor: Visitor;
let account: Account;
let mailbox: Mailbox;
let graph: Awaited<ReturnType<typeof startGraphThatTakesMail>>;
const graphHost = () => ({ host: 'localhost', port: graph.port });

beforeEach(async () => {
  graph = await startGraphThatTakesMail();
  app = await startDemoApp({}, { graph: `http://localhost:${graph.port}` });
  ({ account } = await connectSupport(app));
  const { tables, seam } = app;
  app.services.outbox = createOutboxStore({ tables, queues: new MemoryQueues(openSeam), seam });
  visitor = new Visitor(app);
  const { providerId, accountId } = account;
  mailbox = mailboxOf(account, { sending: { host: 'localhost', port: 1, providerId, accountId } });
  await app.services.mailboxes.save(mailbox);
});
afterEach(async () => {
  await app.stop();
  await graph.stop();
});

const now = () => app.services.mailboxes.get(mailbox.id);
const page = async (): Promise<string> => (await visitor.get(`/mailboxes/${mailbox.id}/test`)).html;
const press = () => visitor.post(`/mailboxes/${mailbox.id}/send-over-graph`, {});
const overGraph = () => ({ ...mailbox.sending, protocol: 'graph-send', ...graphHost() });

const failedWith = (evidence: string): ConnectionTest => ({
  protocol: 'smtp',
  server: 'localhost:1',
  startedAt: new Date().toISOString(),
  steps: [{ name: 'sign-in', state: 'failed', ms: 1, found: '', evidence }],
  transcript: [],
});

describe('is offered', () => {
  it.each([
    ['for the tenant', OFF, true],
    ['for the mailbox', OFF.replace('Tenant', 'Mailbox'), true],
    [
      'by security defaults',
      "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy. Contact your administrator.",
      true,
    ],
    ['by nobody, and the token is refused', '535 5.7.3 Authentication unsuccessful', false],
    [
      'by nobody, and the user name is wrong',
      OFF.replace(/Smtp.*$/, 'the user credentials were incorrect.'),
      false,
    ],
  ])('by the connection test where SMTP AUTH is switched off %s', async (_what, line, offered) => {
    expect(await page()).not.toContain(BUTTON);
    await app.services.connectionTests.save(mailbox.id, [failedWith(line)]);
    expect((await page()).includes(BUTTON)).toBe(offered);
  });

  it('where the alert leads, before anybody has tested', async () => {
    const refusal = readRefusal(OFF, app.seam.now());
    await app.services.alerts.observe(sendingObservation([{ mailbox, refusal }], app.seam.now()));
    const [alert] = await app.services.alerts.open();
    expect(alert?.findings.sending?.fix.href).toBe(`/mailboxes/${mailbox.id}/test`);
    expect(await page()).toContain(BUTTON);
  });

  it('not to a mailbox that already sends over it, and never where the provider has no Microsoft Graph', async () => {
    await app.services.connectionTests.save(mailbox.id, [failedWith(OFF)]);
    const sending = { ...mailbox.sending, protocol: 'graph-send' } as Mailbox['sending'];
    await app.services.mailboxes.save({ ...mailbox, sending });
    expect(await page()).not.toContain(BUTTON);
    await app.services.mailboxes.save(mailbox);
    const { demo } = app.services.config;
    if (demo === undefined) throw new Error('no demo');
    app.services = {
      ...app.services,
      config: { ...app.services.config, demo: { ...demo, graph: undefined } },
    };
    expect(await page()).not.toContain(BUTTON);
    expect((await press()).location).toBe(`/mailboxes/${mailbox.id}/test?flash=no-graph`);
  });
});

describe('asks for the permission', () => {
  it('at one sign-in, after which the waiting reply leaves, the alert ends, and the audit log has the change', async () => {
    const { outbox, alerts, audit } = app.services;
    const reply = await failedReply();
    const refusal = readRefusal(OFF, app.seam.now());
    await alerts.observe(sendingObservation([{ mailbox, refusal }], app.seam.now()));
    const asked = await press();
    expect(asked.location).toMatch(/^\/connect\//);
    expect([await now(), graph.taken], 'nothing changes before').toEqual([mailbox, []]);
    const { callback, authorization } = await visitor.ride(await visitor.get(asked.location ?? ''), SUPPORT);
    const scopes = authorization.searchParams.get('scope');
    expect(scopes).toContain('https://graph.microsoft.com/Mail.Send');
    expect(scopes, 'what worked goes on').toContain('IMAP.AccessAsUser.All');
    const back = await visitor.get(callback);
    expect(back.location).toBe(`/mailboxes/${mailbox.id}/connected?flash=sends-over-graph`);
    expect(await now()).toEqual({ ...mailbox, sending: overGraph() });
    expect((await outbox.get(reply))?.record.delivery.status.state).toBe('queued');
    expect(await alerts.open()).toEqual([]);
    const [entry] = (await audit.page({ kind: 'mailbox', id: mailbox.id, limit: 1 })).entries;
    expect(entry?.changes).toContainEqual({ name: 'sends over', before: 'SMTP', after: 'Microsoft Graph' });
    expect(await page()).not.toContain(BUTTON);
  });

  it('and sends the token for Graph to Graph alone, never the one for the mail servers', async () => {
    const { accessTokens } = app.services;
    const asked = await press();
    const { callback } = await visitor.ride(await visitor.get(asked.location ?? ''), SUPPORT);
    await visitor.get(callback);
    const tokenFor = async (protocol: 'smtp' | 'graph-send'): Promise<string> => {
      const got = await accessTokens.get(account, { host: 'localhost', protocol });
      return got.kind === 'token' ? got.token.expose() : got.code;
    };
    const [forGraph, forSmtp] = [await tokenFor('graph-send'), await tokenFor('smtp')];
    expect(forGraph).not.toBe(forSmtp);
    expect(graph.taken.map(({ token }) => token)).toEqual([forGraph]);
    const elsewhere = await accessTokens.get(account, { host: 'evil.example', protocol: 'graph-send' });
    expect(elsewhere.kind).not.toBe('token');
  });

  it('and changes nothing when Graph refuses, which is explained', async () => {
    graph.answer = { status: 403, code: 'ErrorSendAsDenied' };
    const asked = await press();
    const { callback } = await visitor.ride(await visitor.get(asked.location ?? ''), SUPPORT);
    const back = await visitor.get(callback);
    expect(back.location).toBe(
      `/mailboxes/${mailbox.id}/test?flash=graph-not-sent&code=graph-send-as-denied`,
    );
    expect(await now()).toEqual(mailbox);
    const { html } = await visitor.get(back.location ?? '');
    expect(html).toContain('Nothing was changed.');
    expect(html).toContain('The account is not allowed to send from this address');
  });

  it('and changes nothing when the person declines', async () => {
    const asked = await press();
    const { callback } = await visitor.ride(await visitor.get(asked.location ?? ''), 'cancel');
    expect((await visitor.get(callback)).status).toBe(400);
    expect(await now()).toEqual(mailbox);
  });

  it('of a shared mailbox by its own name', async () => {
    await app.services.mailboxes.save({ ...mailbox, address: 'info@contoso.example' });
    const asked = await press();
    const { authorization } = await visitor.ride(await visitor.get(asked.location ?? ''), SUPPORT);
    expect(authorization.searchParams.get('scope')).toContain('https://graph.microsoft.com/Mail.Send.Shared');
  });
});

/** A reply that SMTP refused, and that waits for the mailbox to send again. */
async function failedReply(): Promise<{ ticketId: string; id: string }> {
  const { outbox } = app.services;
  const at = new Date(app.seam.now()).toISOString();
  const why = { code: readRefusal(OFF, 0).code, reason: OFF, isVerdict: true };
  const reply = {
    ticketId: 'ticket',
    id: 'reply',
    kind: 'reply' as const,
    mailboxId: mailbox.id,
    createdAt: at,
    from: { address: SUPPORT },
    to: ['kim@customer.example'],
    cc: [],
    bcc: [],
    subject: 'Waiting',
    text: { kind: 'inline' as const, text: 'Hello\n' },
    attachments: [],
    messageId: '<ticket.reply@contoso.example>',
    references: [],
    headers: {},
    delivery: { status: { state: 'failed' as const, at, why, isOfWayOut: true }, attempts: 1 },
  };
  await outbox.queue(reply);
  await outbox.hold(reply);
  return reply;
}

/** Answers as Graph does to `sendMail`, and notes the tokens it gets. */
async function startGraphThatTakesMail() {
  const taken: { path: string; token: string }[] = [];
  const running = { taken, port: 0, answer: { status: 202, code: '' }, stop: async () => {} };
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    request.resume().on('end', () => {
      const token = (request.headers.authorization ?? '').replace(/^Bearer /, '');
      taken.push({ path: request.url ?? '', token });
      const { status, code } = running.answer;
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(code === '' ? '' : JSON.stringify({ error: { code, message: 'Words.' } }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  running.port = (server.address() as AddressInfo).port;
  running.stop = () => new Promise((resolve) => server.close(() => resolve()));
  return running;
}
