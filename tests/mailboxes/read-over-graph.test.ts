/** “Read over Microsoft Graph instead”: where it is offered, and what it does. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fetchSinceAfterSwitch, planGraph } from '../../functions/use-cases/read-over-graph.ts';
import type { Account } from '../../shared/accounts/account.ts';
import { appAccountId } from '../../shared/accounts/app-account.ts';
import type { ConnectionTest } from '../../shared/connection-test/connection-test.ts';
import type { Cursor } from '../../shared/mailboxes/cursor.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import type { VerifiedMailbox } from '../../shared/mailboxes/verify-mailbox.ts';
import { connectSupport, type DemoApp, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';
import { mailboxOf } from '../harness/pages/sample-mailbox.ts';

const SUPPORT = 'support@contoso.example';
const INFO = 'info@contoso.example';
const GRAPH = { host: 'localhost', port: 7443 };
/** The form with the button; explanations mention its words. */
const BUTTON = '/read-over-graph"><p>';

let app: DemoApp;
let visitor: Visitor;
let account: Account;
let mailbox: Mailbox;
let opened: VerifiedMailbox;

beforeEach(async () => {
  app = await startDemoApp({}, { graph: `http://localhost:${GRAPH.port}` });
  ({ account } = await connectSupport(app));
  opened = { kind: 'opened', unread: 0, total: 2 };
  visitor = new Visitor(app, { id: 'alex', roles: ['admin'] }, { verifyMailbox: async () => opened });
  mailbox = mailboxOf(account);
  await app.services.mailboxes.save(mailbox);
});
afterEach(() => app.stop());

const now = () => app.services.mailboxes.get(mailbox.id);

/** As Exchange Online refuses a mailbox with IMAP switched off. */
const closed = (change: Partial<ConnectionTest['steps'][number]> = {}): ConnectionTest => ({
  protocol: 'imap',
  server: 'localhost:1',
  startedAt: new Date().toISOString(),
  steps: [
    {
      name: 'folder',
      state: 'failed',
      ms: 1,
      found: '',
      evidence: 't2 BAD User is authenticated but not connected.',
      ...change,
    },
  ],
  transcript: [],
});

describe('is offered', () => {
  it('by the connection test of a mailbox that IMAP keeps closed, and not where IMAP was seen to work', async () => {
    const page = async (): Promise<string> => (await visitor.get(`/mailboxes/${mailbox.id}/test`)).html;
    expect(await page()).not.toContain(BUTTON);
    await app.services.connectionTests.save(mailbox.id, [closed()]);
    expect(await page()).toContain(`IMAP is probably switched off for ${SUPPORT}.`);
    expect(await page()).toContain(BUTTON);
    await app.services.connectionTests.save(mailbox.id, [closed({ protocolWorks: true })]);
    expect(await page()).not.toContain(BUTTON);
    await app.services.connectionTests.save(mailbox.id, [closed({ evidence: 't1 BAD throttled' })]);
    expect(await page()).not.toContain(BUTTON);
  });

  it('by the list and the untested page of a mailbox whose fetch failed for it', async () => {
    const at = new Date(app.seam.now()).toISOString();
    await app.services.mailboxes.setFailure(mailbox.id, {
      state: 'action-required',
      code: 'imap-no-access',
      problem: 'The sign-in works.',
      said: 'User is authenticated but not connected.',
      since: at,
      failures: 1,
      triedAt: at,
      nextTryAt: at,
    });
    for (const path of ['/mailboxes', `/mailboxes/${mailbox.id}/test`])
      expect((await visitor.get(path)).html, path).toContain(BUTTON);
  });

  it('never where the provider has no Microsoft Graph', async () => {
    const { demo } = app.services.config;
    if (demo === undefined) throw new Error('no demo');
    app.services = {
      ...app.services,
      config: { ...app.services.config, demo: { ...demo, graph: undefined } },
    };
    const elsewhere = new Visitor(app);
    await app.services.connectionTests.save(mailbox.id, [closed()]);
    expect((await elsewhere.get(`/mailboxes/${mailbox.id}/test`)).html).not.toContain(BUTTON);
    const { location } = await elsewhere.post(`/mailboxes/${mailbox.id}/read-over-graph`, {});
    expect(location).toBe(`/mailboxes/${mailbox.id}/test?flash=no-graph`);
    expect(await now()).toEqual(mailbox);
  });
});

describe('asks for the permission', () => {
  const press = () => visitor.post(`/mailboxes/${mailbox.id}/read-over-graph`, {});

  it('at one sign-in, after which the mailbox is read over Graph, with an audit entry', async () => {
    const asked = await press();
    expect(asked.location).toMatch(/^\/connect\//);
    expect(await now(), 'nothing changes before').toEqual(mailbox);
    const { callback, authorization } = await visitor.ride(await visitor.get(asked.location ?? ''), SUPPORT);
    const scopes = authorization.searchParams.get('scope');
    expect(scopes).toContain('https://graph.microsoft.com/Mail.ReadWrite');
    expect(scopes, 'what worked goes on').toContain('IMAP.AccessAsUser.All');
    const back = await visitor.get(callback);
    expect(back.location).toBe(`/mailboxes/${mailbox.id}/connected?flash=over-graph`);
    expect(await now()).toEqual({ ...mailbox, protocol: 'graph', ...GRAPH });
    const [entry] = (await app.services.audit.page({ kind: 'mailbox', id: mailbox.id, limit: 1 })).entries;
    expect([entry?.action, entry?.principal.id]).toEqual(['changed', 'alex']);
    expect(entry?.changes).toContainEqual({ name: 'reads over', before: 'IMAP', after: 'Microsoft Graph' });
    const got = await app.services.accessTokens.get(account, { host: GRAPH.host, protocol: 'graph' });
    expect(got.kind).toBe('token');
    expect((await visitor.get(`/mailboxes/${mailbox.id}/test`)).html).not.toContain(BUTTON);
  });

  it('and changes nothing when Graph does not open the mailbox, which is explained', async () => {
    opened = { kind: 'failed', code: 'graph-no-access', message: 'Not opened.' };
    const asked = await press();
    const { callback } = await visitor.ride(await visitor.get(asked.location ?? ''), SUPPORT);
    const back = await visitor.get(callback);
    expect(back.location).toBe(`/mailboxes/${mailbox.id}/test?flash=graph-not-opened&code=graph-no-access`);
    expect(await now()).toEqual(mailbox);
    const { html } = await visitor.get(back.location ?? '');
    expect(html).toContain('Nothing was changed.');
    expect(html).toContain('Mail.ReadWrite');
    const strange = await visitor.get(`/mailboxes/${mailbox.id}/test?code=%3Cscript%3E`);
    expect([strange.status, strange.html.includes('&lt;script')]).toEqual([200, false]);
  });

  it('and changes nothing when the person declines', async () => {
    const asked = await press();
    const { callback } = await visitor.ride(await visitor.get(asked.location ?? ''), 'cancel');
    expect((await visitor.get(callback)).status).toBe(400);
    expect(await now()).toEqual(mailbox);
  });

  it('which, once granted, needs no second sign-in', async () => {
    const scopes = [...account.scopes, 'https://graph.microsoft.com/Mail.ReadWrite'];
    await app.services.accounts.save({ ...account, scopes });
    expect((await press()).location).toBe(`/mailboxes/${mailbox.id}/connected?flash=over-graph`);
    expect((await now())?.protocol).toBe('graph');
  });
});

it('shows an app which permission it needs, and the script that grants it for this mailbox alone', async () => {
  const provider = await app.services.providers.get(account.providerId);
  if (provider === undefined) throw new Error('no provider');
  const ofApp: Account = { ...account, kind: 'app', accountId: appAccountId(provider) };
  await app.services.accounts.save(ofApp);
  await app.services.mailboxes.save({ ...mailbox, accountId: ofApp.accountId });
  opened = { kind: 'failed', code: 'graph-no-access', message: 'Not opened.' };
  const { location } = await visitor.post(`/mailboxes/${mailbox.id}/read-over-graph`, {});
  expect(location).toBe(`/providers/${provider.id}/app-access?mailbox=${mailbox.id}&way=graph`);
  const { html } = await visitor.get(location ?? '');
  expect(html).toContain('<strong>Mail.ReadWrite</strong>');
  expect(html).toContain('&#39;Application Mail.ReadWrite&#39; -CustomResourceScope &#39;Postroom support@');
  expect((await now())?.protocol).toBe('imap');
});

describe('the plan', () => {
  const granted = (name: string): Account => ({
    ...account,
    scopes: [...account.scopes, `https://graph.microsoft.com/${name}`],
  });

  it('asks for the permission for shared mailboxes, where only the one for the own mailbox was granted', () => {
    const shared = mailboxOf(account, { address: INFO });
    const plan = planGraph(shared, granted('Mail.ReadWrite'), GRAPH);
    expect(plan).toMatchObject({
      kind: 'ask',
      connectRequest: { shared: true, address: INFO, signIn: SUPPORT },
    });
    expect(planGraph(shared, granted('Mail.ReadWrite.Shared'), GRAPH).kind).toBe('switch');
    expect(planGraph(mailbox, granted('Mail.ReadWrite.Shared'), GRAPH).kind).toBe('ask');
  });

  it('lets an app try, because no token shows what Exchange has granted to it', () => {
    expect(planGraph(mailbox, { ...account, kind: 'app' }, GRAPH).kind).toBe('switch');
  });

  it('keeps what happens to stored email, also from POP3', () => {
    const plan = planGraph(
      { ...mailbox, protocol: 'pop3', afterFetch: { kind: 'leave' } },
      granted('Mail.ReadWrite'),
      GRAPH,
    );
    expect(plan).toMatchObject({ mailbox: { protocol: 'graph', ...GRAPH, afterFetch: { kind: 'leave' } } });
  });
});

describe('the first fetch over Graph', () => {
  const cursor: Cursor = { validity: '1', position: null, left: [], waiting: [], lastMailAt: undefined };
  const at = '2026-11-25T17:00:00.000Z';
  const later = Date.parse('2026-11-28T08:00:00.000Z');
  const since = (change: Partial<Cursor>, fetchSince?: string): string | undefined =>
    fetchSinceAfterSwitch(
      { ...mailbox, fetchSince },
      {
        cursors: new Map([[mailbox.id, { ...cursor, ...change }]]),
        successes: new Map([[mailbox.id, at]]),
        shards: new Map(),
      },
      later,
    );

  it('takes what came since the day of the last success, whether somebody has read it or not', () => {
    expect(since({})).toBe('2026-11-25');
    expect(since({}, '2020-01-01')).toBe('2026-11-25');
    expect(since({}, '2026-11-27')).toBe('2026-11-27');
  });

  it('takes what the mailbox was set to take, where messages were still waiting or nothing was fetched', () => {
    expect(since({ backlog: 3 })).toBeUndefined();
    const first = { since: undefined, upTo: null, at: undefined, total: 9, done: 0, startedAt: at };
    expect(since({ first }, '2020-01-01')).toBe('2020-01-01');
    const never = { cursors: new Map(), successes: new Map(), shards: new Map() };
    expect(fetchSinceAfterSwitch(mailbox, never, later)).toBeUndefined();
  });
});
