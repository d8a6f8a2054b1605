import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { glanceAt } from '../../dev/drill/home-page.ts';
import { expectUsableInBrowser, expectWhole } from '../harness/browser/check-drawn.ts';
import { ALEX, addressOf, type DemoApp, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';

const SUPPORT = 'support@contoso.example';
const SALES = 'alex@contoso.example';
const NO_ACTION = 'No action needed.';

let app: DemoApp;
let admin: Visitor;
let agent: Visitor;

const verifyMailbox = async () => ({ kind: 'opened', unread: 0, total: 0 }) as const;

beforeEach(async () => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
  app = await startDemoApp();
  admin = new Visitor(app, ALEX, { verifyMailbox });
  agent = new Visitor(app, { id: 'ben', roles: ['agent'] }, { verifyMailbox });
});
afterEach(() => app.stop());

/** Signs in for a mailbox without finishing its set-up; returns the path of its settings. */
async function signIn(providerId: string, address: string): Promise<string> {
  admin.providerJar.clear();
  const { callback } = await admin.leave(providerId, { address }, address);
  const { location } = await admin.get(callback);
  if (location?.startsWith('/mailboxes/new?account=') !== true) throw new Error(`at ${location}`);
  return location;
}

async function save(settings: string, address: string): Promise<void> {
  const account = new URL(settings, 'https://x.example').searchParams.get('account') ?? '';
  const fields = {
    address,
    account,
    host: 'localhost',
    port: '1',
    folder: 'INBOX',
    after: 'mark-seen',
    interval: '1',
  };
  const reply = await admin.post('/mailboxes/new', fields);
  if (reply.status !== 303) throw new Error(`not saved: ${reply.title}`);
}

/** Every mailbox was fetched a moment ago. */
async function fetched(): Promise<void> {
  const { mailboxes, heartbeats, seam } = app.services;
  const now = seam.now();
  await heartbeats.beat('fetchMail', now);
  const { shards } = await mailboxes.fetchState();
  const all = (await mailboxes.list()).map(({ id }) => [id, new Date(now).toISOString()] as const);
  await mailboxes.saveSuccesses(0, new Map([...(shards.get(0) ?? []), ...all]), []);
}

describe('"Add a mailbox"', () => {
  it('asks for a provider if there is none, and names a waiting draft', async () => {
    expect((await admin.get('/mailboxes/new')).html).toContain('href="/providers/new"');
    await admin.post('/providers/new', { preset: 'microsoft', name: 'Contoso', intent: 'draft' });
    expect((await admin.get('/mailboxes/new')).html).toContain('Finish setting up Contoso');
  });

  it('starts at “Connect a mailbox”, also if a mailbox exists, and signs in for a second one', async () => {
    const providerId = await admin.addDemoProvider();
    const first = await admin.get('/mailboxes/new');
    expect(first.title).toBe('Connect a mailbox');
    expect(first.html).toContain(`action="/providers/${providerId}/connect"`);
    expect(first.html).not.toContain('already signed in');
    await save(await signIn(providerId, SUPPORT), SUPPORT);
    const second = await admin.get('/mailboxes/new');
    expect(second.title).toBe('Connect a mailbox');
    expect(second.html).not.toContain(`value="${SUPPORT}"`);
    // Another folder of an existing mailbox needs no new sign-in.
    expect(second.html).toContain('Use an account that is already signed in');
    const drawn = { 'which mailbox': second.html };
    expectWhole(drawn);
    await expectUsableInBrowser(drawn);
    await save(await signIn(providerId, SALES), SALES);
    expect((await app.services.mailboxes.list()).map(({ address }) => address).sort()).toEqual([
      SALES,
      SUPPORT,
    ]);
  });

  it('lets a person choose among several providers', async () => {
    const ids = [await admin.addDemoProvider(), await admin.addDemoProvider()];
    const { html, title } = await admin.get('/mailboxes/new');
    expect(title).toBe('Connect a mailbox');
    for (const id of ids) expect(html).toContain(`href="/providers/${id}/connect"`);
    const drawn = { 'which provider': html };
    expectWhole(drawn);
    await expectUsableInBrowser(drawn);
  });
});

describe('"Finish setup"', () => {
  it('names an account that waits for its settings, on the mailboxes page, at home and before a new one', async () => {
    const providerId = await admin.addDemoProvider();
    const settings = (await signIn(providerId, SUPPORT)).replace('&flash=connected', '');
    await save(await signIn(providerId, SALES), SALES);
    await fetched();
    for (const path of ['/mailboxes', '/', '/mailboxes/new']) {
      const { html } = await admin.get(path);
      expect(html, path).toContain('<h2>Finish setup</h2>');
      expect(html, path).toContain(`href="${settings}"`);
      expect(html, path).not.toContain(NO_ACTION);
    }
    const seen = await agent.get('/');
    expect(seen.html).toContain('An administrator can finish this.');
    expect(seen.html).not.toContain('/mailboxes/new');
    const drawn = { home: (await admin.get('/')).html, 'home of an agent': seen.html };
    expectWhole(drawn);
    await expectUsableInBrowser(drawn);
    await save(settings, SUPPORT);
    await fetched();
    const { html } = await admin.get('/');
    expect(html).not.toContain('Finish setup');
    expect(html).toContain(NO_ACTION);
  });

  it('names an open invitation until it is revoked or used', async () => {
    const providerId = await admin.addDemoProvider();
    await save(await signIn(providerId, SALES), SALES);
    await fetched();
    expect((await admin.get('/')).html).toContain(NO_ACTION);
    const link = await admin.invite(providerId, { address: SUPPORT });
    for (const path of ['/mailboxes', '/', '/mailboxes/new']) {
      const { html } = await admin.get(path);
      expect(html, path).toContain(`Invitation for ${SUPPORT}`);
      expect(html, path).not.toContain(NO_ACTION);
    }
    await admin.post(`${addressOf(link).replace('/invite/', '/invitations/')}/revoke`, {});
    await fetched();
    expect((await admin.get('/')).html).toContain(NO_ACTION);
  });
});

describe('the home page', () => {
  it('does not say "No action needed" while a mailbox is paused', async () => {
    const providerId = await admin.addDemoProvider();
    await save(await signIn(providerId, SALES), SALES);
    await save(await signIn(providerId, SUPPORT), SUPPORT);
    await fetched();
    expect((await admin.get('/')).html).toContain(NO_ACTION);
    const [mailbox] = await app.services.mailboxes.list();
    await admin.post(`/mailboxes/${mailbox?.id}/pause`, {});
    const { html } = await admin.get('/');
    expect(glanceAt(html).says).toBe('Mail is flowing');
    expect(html).toContain(`${mailbox?.address} is paused; the other mailboxes are up to date.`);
    expect(html).not.toContain(NO_ACTION);
  });
});
