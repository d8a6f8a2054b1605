import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createInvitation } from '../../functions/use-cases/invite-owner.ts';
import type { Identity } from '../../shared/accounts/account.ts';
import { readGrant } from '../../shared/accounts/grant.ts';
import { acceptGrant } from '../../shared/consent/accept-grant.ts';
import type { ConnectRequest, Initiator } from '../../shared/consent/consent.ts';
import { consentCookie } from '../../shared/consent/consent.ts';
import type { Provider } from '../../shared/providers/provider.ts';
import { ALEX, allRows, type DemoApp, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';

// A consent is valid for one tenant, one success, one person and one browser.

const SUPPORT = 'support@contoso.example';
const OTHER_TENANT = '99999999-8888-4777-8666-555555555555';

let app: DemoApp;
let providerId: string;
let provider: Provider;

beforeAll(async () => {
  app = await startDemoApp();
  providerId = await new Visitor(app).addDemoProvider();
  const stored = await app.services.providers.get(providerId);
  if (stored === undefined) throw new Error('no provider');
  provider = stored;
});
afterAll(() => app.stop());
beforeEach(async () => {
  for (const account of await app.services.accounts.listOf(providerId))
    await app.services.accounts.remove(account);
});

const connectRequest = (): ConnectRequest => ({
  providerId,
  address: SUPPORT,
  signIn: SUPPORT,
  shared: false,
  chooseAccount: false,
  protocols: ['imap', 'smtp'],
  reconnect: undefined,
  replacement: undefined,
});
const identity = (change: Partial<Identity> = {}): Identity => ({
  issuer: app.idp.tenants[0]?.issuer ?? '',
  subject: 's1',
  tenantId: provider.tenant,
  objectId: '11111111-2222-4333-8444-555555555555',
  user: SUPPORT,
  name: undefined,
  ...change,
});
const grant = () =>
  readGrant(
    JSON.stringify({ access_token: 'AT', refresh_token: 'RT', token_type: 'Bearer', expires_in: 3600 }),
  );
const accept = (startedBy: Initiator, who: Identity) =>
  acceptGrant(
    app.services,
    provider,
    { connectRequest: connectRequest(), startedBy },
    { grant: grant(), identity: who },
  );

describe('an account of a tenant other than the provider’s', () => {
  it('is rejected, whatever its name is, and nothing is stored', async () => {
    expect(provider.tenant).toMatch(/^[0-9a-f-]{36}$/);
    const before = allRows(app);
    const refused = await accept({ kind: 'principal', id: 'alex' }, identity({ tenantId: OTHER_TENANT }));
    expect(refused).toEqual({
      kind: 'untrusted',
      reason: 'the account belongs to a different tenant than the provider',
    });
    expect(allRows(app)).toEqual(before);
  });

  it('differs from one of the same tenant in a different case', async () => {
    const same = identity({ tenantId: provider.tenant?.toUpperCase() });
    expect((await accept({ kind: 'principal', id: 'alex' }, same)).kind).toBe('connected');
  });
});

describe('an invitation', () => {
  const invited = async (): Promise<Initiator> => {
    const { invitation } = await createInvitation(app.services, connectRequest(), provider, {
      id: 'alex',
      name: 'Alex',
    });
    return { kind: 'invitation', key: invitation.key };
  };
  const other = (): Identity => identity({ objectId: '22222222-2222-4333-8444-555555555555', subject: 's2' });
  const stored = async () => (await app.services.accounts.listOf(providerId)).length;

  it('is valid for one of two concurrent callbacks', async () => {
    const startedBy = await invited();
    const both = await Promise.all([accept(startedBy, identity()), accept(startedBy, other())]);
    expect(both.map(({ kind }) => kind).sort()).toEqual(['connected', 'invitation-over']);
    expect(await stored()).toBe(1);
  });

  it('is valid for the first of two successive callbacks', async () => {
    const startedBy = await invited();
    expect((await accept(startedBy, identity())).kind).toBe('connected');
    const before = allRows(app);
    expect((await accept(startedBy, identity())).kind).toBe('invitation-over');
    expect(allRows(app)).toEqual(before);
  });

  it('that was revoked, or never existed, connects no mailbox', async () => {
    const before = await stored();
    const startedBy = await invited();
    if (startedBy.kind !== 'invitation') throw new Error('no invitation');
    await app.services.invitations.change(startedBy.key, (one) => ({
      ...one,
      revokedAt: new Date(app.seam.now()).toISOString(),
    }));
    expect((await accept(startedBy, other())).kind).toBe('invitation-over');
    expect((await accept({ kind: 'invitation', key: 'a'.repeat(52) }, other())).kind).toBe('invitation-over');
    expect(await stored()).toBe(before);
  });
});

describe('the redirect to the provider', () => {
  const started = async (): Promise<{ visitor: Visitor; path: string; cookie: string }> => {
    const visitor = new Visitor(app);
    const reply = await visitor.post(`/providers/${providerId}/connect`, { address: SUPPORT, who: 'self' });
    const path = reply.location ?? '';
    return { visitor, path, cookie: consentCookie(path.split('/').at(-1) ?? '') };
  };
  const OVER = 'This sign-in is no longer valid';
  const shows = async (browser: Visitor, path: string): Promise<[number, string, boolean]> => {
    const { status, title, html } = await browser.get(path);
    return [status, title, html.includes('http-equiv="refresh"')];
  };

  it('is shown to the person and the browser that started it', async () => {
    const { visitor, path } = await started();
    expect(await shows(visitor, path)).toEqual([200, 'Going to Demo', true]);
  });

  it('is shown to no other person, not even in the same browser', async () => {
    const { visitor, path } = await started();
    const other = new Visitor(app, { id: 'mallory', roles: ['admin'] });
    for (const [name, value] of visitor.jar) other.jar.set(name, value);
    expect(await shows(other, path)).toEqual([410, OVER, false]);
  });

  it('is shown in no other browser, not even to the same person', async () => {
    const { path, cookie } = await started();
    const elsewhere = new Visitor(app, ALEX);
    expect(await shows(elsewhere, path)).toEqual([410, OVER, false]);
    elsewhere.jar.set(cookie, 'A'.repeat(43));
    expect(await shows(elsewhere, path)).toEqual([410, OVER, false]);
  });

  it('expires', async () => {
    const { visitor, path } = await started();
    app.seam.skewMs = 10 * 60_000;
    expect(await shows(visitor, path)).toEqual([410, OVER, false]);
    app.seam.skewMs = 0;
  });
});
