/** What is sent to a mail server: a provider's token goes to the provider's own servers and to no other host. */
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeCertificates } from '../../dev/emulators/certificates.ts';
import type { Account } from '../../shared/accounts/account.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { verifyMailbox } from '../../shared/mailboxes/verify-mailbox.ts';
import { routeOf } from '../../shared/outbox/send-mail.ts';
import { IN_A_YEAR } from '../harness/memory/in-a-year.ts';
import { type DemoApp, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';
import {
  type MailListener,
  startImapListener,
  startTokenServer,
  type TokenServer,
} from '../harness/stack/hostile-servers.ts';

const OWNER = 'victim@corp.example';
/** The provider's own server and the malicious one are two names of this machine. */
const OWN = 'localhost';
const HOSTILE = '127.0.0.1';
const TOKEN = /access-token-\d+-of-/;

const certificates = await makeCertificates();
const trusted = getCACertificates('default');
beforeAll(() => setDefaultCACertificates([...trusted, certificates.ca]));
afterAll(() => setDefaultCACertificates(trusted));

let app: DemoApp;
let visitor: Visitor;
let tokens: TokenServer;
let mail: MailListener;
let account: Account;
let form: Record<string, string>;

beforeEach(async () => {
  [app, tokens, mail] = await Promise.all([
    startDemoApp(),
    startTokenServer(),
    startImapListener(certificates),
  ]);
  visitor = new Visitor(app, { id: 'alex', roles: ['admin'] });
  account = await connect();
  form = {
    address: OWNER,
    account: `${account.providerId}.${account.accountId}`,
    host: HOSTILE,
    port: String(mail.port),
    folder: 'INBOX',
    after: 'mark-seen',
    interval: '1',
  };
});
afterEach(async () => {
  await Promise.all([app.stop(), tokens.stop(), mail.stop()]);
});

const provider = (): Record<string, string> => ({
  name: 'Own',
  clientId: 'client-1',
  scopes: 'mail',
  endpoints: 'manual',
  authorizationEndpoint: `${tokens.origin}/authorize`,
  tokenEndpoint: `${tokens.origin}/token`,
  imapHost: OWN,
  smtpHost: OWN,
});

async function connect(): Promise<Account> {
  const secret = { credential: 'secret', secret: 's3cret-word', expiresOn: IN_A_YEAR };
  const saved = await visitor.post('/providers/new', { preset: 'custom', ...provider(), ...secret });
  const id = /^\/providers\/([a-z2-7]{26})/.exec(saved.location ?? '')?.[1] ?? '';
  const started = await visitor.post(`/providers/${id}/connect`, { who: 'self', address: OWNER });
  const { html } = await visitor.get(started.location ?? '');
  const state = /[?&;]state=([\w-]+)/.exec(html)?.[1] ?? '';
  await visitor.get(`/oauth/callback/${id}?${new URLSearchParams({ code: 'c1', state })}`);
  const [connected] = await app.services.accounts.listOf(id);
  if (connected === undefined) throw new Error(`not connected: ${html}`);
  return connected;
}

const heard = (): string => mail.heard.join('\n');
const actions = async (): Promise<string[]> =>
  (await app.services.audit.page({ kind: 'mailbox', limit: 9 })).entries.map(({ action }) => action);

/** A mailbox in the table, whoever wrote it. */
async function stored(host: string): Promise<Mailbox> {
  const { providerId, accountId } = account;
  const login = { host, port: mail.port, providerId, accountId };
  const mailbox: Mailbox = {
    id: 'm'.repeat(26),
    address: OWNER,
    protocol: 'imap',
    ...login,
    folder: 'INBOX',
    enabled: true,
    intervalMinutes: 1,
    afterFetch: { kind: 'mark-seen' },
    createdAt: '2026-11-24T08:00:00.000Z',
  };
  await app.services.mailboxes.save(mailbox);
  return mailbox;
}

describe('a mail server that is not the provider’s', () => {
  it.each([
    ['tested before it is saved', { test: 'yes' }],
    ['saved', {}],
    ['saved although it does not open', { anyway: 'yes' }],
  ])('receives no token when it is entered for a mailbox and %s', async (_what, button) => {
    const reply = await visitor.post('/mailboxes/new', { ...form, ...button });
    expect(reply.status).toBe(422);
    expect(reply.html).toContain(`This provider only allows ${OWN}.`);
    const sends = { smtpAccount: form['account'] ?? '', smtpHost: HOSTILE, smtpPort: String(mail.port) };
    expect((await visitor.post('/mailboxes/new', { ...form, host: OWN, ...sends, ...button })).status).toBe(
      422,
    );
    expect(mail.heard).toEqual([]);
    expect(await app.services.mailboxes.list()).toEqual([]);
  });

  it('receives no token when it is in a row: not from a fetch, a test or an outgoing email', async () => {
    const mailbox = await stored(HOSTILE);
    expect(await verifyMailbox(app.services.intake, mailbox)).toMatchObject({
      kind: 'failed',
      code: 'mail-host-refused',
      message: expect.stringContaining(`can be used only at ${OWN}, not at ${HOSTILE}`),
    });
    await visitor.post(`/mailboxes/${mailbox.id}/test`, {});
    const { providerId, accountId, port } = mailbox;
    const route = routeOf({ ...mailbox, sending: { host: HOSTILE, port, providerId, accountId } });
    if (route === undefined) throw new Error('no way to send');
    expect(await app.services.mailSender.signIn(route)).toMatchObject({ code: 'mail-host-refused' });
    expect(heard()).not.toMatch(TOKEN);
  });

  it('receives no token that is requested at the same time for the provider’s own', async () => {
    const mailbox = await stored(HOSTILE);
    const own = { ...mailbox, host: OWN };
    await Promise.all([
      ...[1, 2, 3].map(() => app.services.accessTokens.get(account, { host: OWN })),
      ...[1, 2, 3].map(async () => {
        expect((await app.services.accessTokens.get(account, { host: HOSTILE })).kind).toBe(
          'action-required',
        );
      }),
    ]);
    expect((await app.services.accessTokens.get(account, { host: OWN.toUpperCase() })).kind).toBe('token');
    // The same listener under the provider's own name would have received the token.
    await verifyMailbox(app.services.intake, own);
    expect(heard()).toMatch(TOKEN);
  });
});

describe('the provider’s own mail server', () => {
  it.each([
    ['tested', { test: 'yes' }],
    ['opened', {}],
  ])('is in the audit log before a token is sent to it, when a mailbox is %s', async (what, button) => {
    const known: string[][] = [];
    mail.onSignIn = async () => {
      known.push(await actions());
    };
    await visitor.post('/mailboxes/new', { ...form, host: OWN, ...button });
    expect(heard()).toMatch(TOKEN);
    expect(known[0]).toEqual([`${what} before it was saved`]);
    const [entry] = (await app.services.audit.page({ kind: 'mailbox', limit: 1 })).entries;
    expect(entry?.changes).toContainEqual({ name: 'mail server', after: `${OWN}:${mail.port}` });
  });

  it('is changed only at the provider, which requires its secret and ends the sign-ins', async () => {
    const path = `/providers/${account.providerId}/edit`;
    const other = { ...provider(), imapHost: HOSTILE, severalDomains: 'on' };
    expect((await visitor.post(path, other)).html).toContain('href="#secret"');
    const secret = { credential: 'secret', secret: 's3cret-word', expiresOn: IN_A_YEAR };
    expect((await visitor.post(path, { ...other, ...secret })).html).toContain('href="#signInAgain"');
    expect((await visitor.post(path, { ...other, ...secret, signInAgain: 'on' })).status).toBe(303);
    const mailbox = await stored(HOSTILE);
    expect(await verifyMailbox(app.services.intake, mailbox)).toMatchObject({ code: 'provider-changed' });
    expect(heard()).not.toMatch(TOKEN);
  });
});
