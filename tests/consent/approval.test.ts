import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { expectUsableInBrowser, expectWhole } from '../harness/browser/check-drawn.ts';
import { allRows, type DemoApp, ORIGIN, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';
import { CLIENT, tenant } from '../harness/stack/demo-directory.ts';

const SUPPORT = 'support@contoso.example';
const apps: DemoApp[] = [];
let app: DemoApp;
let visitor: Visitor;
let providerId: string;

// A granted consent lasts forever at the provider, so each test has its own.
beforeEach(async () => {
  app = await startDemoApp({ tenants: [tenant({ userConsent: false })] });
  apps.push(app);
  visitor = new Visitor(app);
  providerId = await visitor.addDemoProvider();
});
afterAll(async () => {
  await Promise.all(apps.map((one) => one.stop()));
});

/** The owner is refused, and returns to the page where the attempt waits. */
async function turnedAway(): Promise<{ waiting: string; link: string }> {
  const { callback } = await visitor.leave(providerId, { address: SUPPORT }, 'no-approval');
  const reply = await visitor.get(callback);
  expect(reply.status, reply.html).toBe(303);
  const waiting = reply.location ?? '';
  return { waiting, link: linkOn((await visitor.get(waiting)).html) };
}

const linkOn = (html: string): string =>
  (/value="(http[^"]+adminconsent[^"]+)"/.exec(html)?.[1] ?? '').replaceAll('&amp;', '&');
const accounts = () => app.services.accounts.listOf(providerId);

describe('if only an admin of the tenant may consent', () => {
  it('the owner gets a link to forward, with this app, its permissions and its redirect URI', async () => {
    const { waiting, link } = await turnedAway();
    const { title, html } = await visitor.get(waiting);
    expect(title).toBe('Admin consent required');
    expect(html).toContain('AADSTS90094');
    expect(html).toContain('they do not need access to Postroom');
    const asked = new URL(link).searchParams;
    expect(asked.get('redirect_uri')).toBe(`${ORIGIN}/oauth/callback`);
    expect(asked.get('scope')).toContain('https://outlook.office.com/IMAP.AccessAsUser.All');
    expect(asked.get('state')).toMatch(/^admin_[\w-]{43}$/);
    expect(await accounts()).toEqual([]);
  });

  it('an admin without a Postroom account grants it, and the owner continues where the attempt stopped', async () => {
    const { waiting, link } = await turnedAway();
    const admin = Visitor.signedOut(app);
    const granted = await admin.get(await admin.walk(link, 'alex@contoso.example'));
    expect(granted.status).toBe(200);
    expect(granted.title).toBe('Thank you, access is granted');
    expect(granted.html).not.toContain('href="/providers"');

    const resumed = await visitor.get(waiting);
    expect(resumed.title).toBe('Admin consent granted');
    expect(resumed.html).toContain(`Continue as ${SUPPORT}`);
    const { callback } = await visitor.leave(providerId, { address: SUPPORT }, SUPPORT);
    expect((await visitor.get(callback)).status).toBe(303);
    expect(await accounts()).toMatchObject([{ user: SUPPORT, state: 'ok' }]);
  });

  it('the callback of a link with all permissions proves the redirect URI and is shown in the checklist', async () => {
    const { link } = await turnedAway();
    await app.services.providers.change(providerId, (now) => ({ ...now, redirectSeenAt: undefined }));
    const admin = Visitor.signedOut(app);
    await admin.get(await admin.walk(link, SUPPORT));
    const provider = await app.services.providers.get(providerId);
    expect(provider?.redirectSeenAt).toBeDefined();
    expect(provider?.approvedAt).toBeDefined();
  });

  it('the audit log has it with the tenant, as reported and not verified', async () => {
    const { link } = await turnedAway();
    const admin = Visitor.signedOut(app);
    await admin.get(await admin.walk(link, SUPPORT));
    const { entries } = await app.services.audit.page({ kind: 'provider', limit: 10 });
    const entry = entries.find(({ action }) => action === 'consent reported');
    expect(entry?.principal.name).toBe('Someone with the admin consent link');
    expect(JSON.stringify(entry)).toContain('no: the next sign-in shows it');
    expect(JSON.stringify(entry)).toContain(app.idp.tenants[0]?.id);
  });

  it('the same owner gets the same link at the next attempt', async () => {
    const first = await turnedAway();
    expect(await turnedAway()).toEqual(first);
  });

  it('an admin who declines leaves the link valid', async () => {
    const { waiting, link } = await turnedAway();
    const admin = Visitor.signedOut(app);
    const declined = await admin.get(await admin.walk(link, 'cancel'));
    expect(declined.title).toBe('Access was not granted');
    expect(declined.html).toContain('The link is still valid');
    expect((await visitor.get(waiting)).title).toBe('Admin consent required');
    expect((await admin.get(await admin.walk(link, SUPPORT))).title).toBe('Thank you, access is granted');
  });

  it.each([
    ['with an invented state', (state: string) => ({ state: `${state.slice(0, -1)}_` }), 'Unknown link'],
    [
      'of another organization',
      () => ({ tenant: '11111111-2222-4333-8444-555555555555' }),
      'Wrong organization',
    ],
    ['without a tenant', () => ({ tenant: '' }), 'Access was not granted'],
    ['that says False', () => ({ admin_consent: 'False' }), 'Access was not granted'],
    ['with an error beside it', () => ({ error: 'access_denied' }), 'Access was not granted'],
  ])('a callback %s writes nothing', async (_, change: (state: string) => Record<string, string>, title) => {
    const { waiting, link } = await turnedAway();
    const state = new URL(link).searchParams.get('state') ?? '';
    const tenantId = app.idp.tenants[0]?.id ?? '';
    const query = { admin_consent: 'True', tenant: tenantId, state, ...change(state) };
    const before = allRows(app);
    const reply = await Visitor.signedOut(app).get(`/oauth/callback?${new URLSearchParams(query)}`);
    expect(reply.status).toBe(400);
    expect(reply.title).toBe(title);
    expect(allRows(app)).toEqual(before);
    expect((await visitor.get(waiting)).title).toBe('Admin consent required');
  });

  it('a callback is accepted once, and not after a week', async () => {
    const { waiting, link } = await turnedAway();
    const admin = Visitor.signedOut(app);
    const callback = await admin.walk(link, SUPPORT);
    app.seam.skewMs = 8 * 86_400_000;
    const before = allRows(app);
    expect((await admin.get(callback)).title).toBe('This link has expired');
    expect((await visitor.get(waiting)).html).toContain('has expired');
    expect(allRows(app)).toEqual(before);
    app.seam.skewMs = 0;
    const replies = await Promise.all([admin.get(callback), admin.get(callback)]);
    expect(replies.map(({ title }) => title).sort()).toEqual([
      'Access was already granted',
      'Thank you, access is granted',
    ]);
    const after = allRows(app);
    expect((await admin.get(callback)).title).toBe('Access was already granted');
    expect(allRows(app)).toEqual(after);
  });

  it('a state of one kind is never accepted as one of the other kind', async () => {
    const { link } = await turnedAway();
    const approval = new URL(link).searchParams.get('state') ?? '';
    const { authorization } = await visitor.leave(providerId, { address: SUPPORT }, 'no-approval');
    const signIn = authorization.searchParams.get('state') ?? '';
    const before = allRows(app);
    const swapped = [
      { state: approval, code: 'x' },
      { state: approval.replace('admin_', ''), code: 'x' },
      { state: signIn, admin_consent: 'True', tenant: app.idp.tenants[0]?.id ?? '' },
      { state: `admin_${signIn}`, admin_consent: 'True', tenant: app.idp.tenants[0]?.id ?? '' },
    ];
    for (const query of swapped)
      expect((await visitor.get(`/oauth/callback?${new URLSearchParams(query)}`)).status).toBe(400);
    expect(allRows(app)).toEqual(before);
  });

  it('a link without a state shows that Microsoft granted it, and writes nothing', async () => {
    const [at] = app.idp.tenants;
    const link = `${app.idp.origin}/${at?.id}/adminconsent?client_id=${CLIENT}`;
    const admin = Visitor.signedOut(app);
    const before = allRows(app);
    const callback = await admin.walk(link, SUPPORT);
    expect(callback).toContain('admin_consent=True');
    const reply = await admin.get(callback);
    expect([reply.status, reply.title]).toEqual([200, 'Access is reported as granted']);
    expect(allRows(app)).toEqual(before);
    const declined = await admin.get(await admin.walk(link, 'cancel'));
    expect([declined.status, declined.title]).toEqual([400, 'Access was not granted']);
    expect(allRows(app)).toEqual(before);
  });

  it('the pages are complete and accessible', async () => {
    const { waiting, link } = await turnedAway();
    const admin = Visitor.signedOut(app);
    const drawn: Record<string, string> = {
      'waits for approval': (await visitor.get(waiting)).html,
      'approval declined': (await admin.get(await admin.walk(link, 'cancel'))).html,
      'approval unknown': (await admin.get('/oauth/callback?admin_consent=True&state=admin_x')).html,
      'approval without a state': (await admin.get('/oauth/callback?admin_consent=True')).html,
      'approval granted': (await admin.get(await admin.walk(link, SUPPORT))).html,
    };
    drawn['approved'] = (await visitor.get(waiting)).html;
    expectWhole(drawn);
    await expectUsableInBrowser(drawn);
  });
});
