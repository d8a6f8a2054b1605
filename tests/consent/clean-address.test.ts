import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hasChromium, openChromium } from '../../dev/browser.ts';
import { aadstsBody } from '../../dev/emulators/entra/error-bodies.ts';
import { createWeb } from '../../functions/web.ts';
import { type Served, serve } from '../harness/browser/serve.ts';
import {
  ALEX,
  addressOf,
  allRows,
  type DemoApp,
  ORIGIN,
  startDemoApp,
  Visitor,
} from '../harness/pages/demo-app.ts';
import { principalHeaderOf } from '../harness/pages/principal-header.ts';
import { fillInbox } from '../harness/pages/sample-mailbox.ts';

// After a sign-in the URL contains no code, state or error, and a reload shows the same page.

const SUPPORT = 'support@contoso.example';
const CLEAN = /^\/oauth\/result\/[a-z2-7]{52}$/;

let app: DemoApp;
let visitor: Visitor;
let providerId: string;

beforeAll(async () => {
  app = await startDemoApp();
  providerId = await new Visitor(app).addDemoProvider();
  fillInbox(app, ['First']);
});
afterAll(() => app.stop());
beforeEach(() => {
  app.idp.clearFaults();
  app.seam.skewMs = 0;
  visitor = new Visitor(app);
});

const leave = async (browser = visitor): Promise<string> =>
  (await browser.leave(providerId, { address: SUPPORT }, SUPPORT)).callback;

const secretExpired = (): void =>
  app.idp.addFault({
    match: { path: 'token' },
    status: 401,
    body: aadstsBody(7000222, 'invalid_client', 'The provided client secret keys are expired.'),
  });

describe('the URL after a sign-in', () => {
  it('that was refused is clean, and keeps its explanation after reloads', async () => {
    const callback = await leave();
    secretExpired();
    const back = await visitor.returned(callback);
    expect(back.status).toBe(303);
    expect(back.location).toMatch(CLEAN);
    const [shown, requests] = [await visitor.get(back.location ?? ''), app.idp.tokenRequests().length];
    expect(shown.title).toBe('The client secret has expired');
    expect(shown.html).toContain('The provided client secret keys are expired.');
    const before = allRows(app);
    expect((await visitor.get(back.location ?? '')).html).toBe(shown.html);
    // The back button returns to the old URL: the same explanation, and no second request.
    expect((await visitor.get(callback)).html).toBe(shown.html);
    expect(app.idp.tokenRequests().length).toBe(requests);
    expect(allRows(app)).toEqual(before);
  });

  it('works in no other browser and for no other user', async () => {
    const callback = await leave();
    secretExpired();
    const { location = '' } = await visitor.returned(callback);
    const elsewhere = await new Visitor(app).get(location);
    expect(elsewhere.title).toBe('Sign-in already processed');
    expect(elsewhere.html).not.toContain(SUPPORT);
    const mallory = new Visitor(app, { id: 'mallory', roles: ['admin'] });
    for (const [name, value] of visitor.jar) mallory.jar.set(name, value);
    expect((await mallory.get(location)).title).toBe('This sign-in was started by someone else');
    const unknown = await visitor.get(`/oauth/result/${'a'.repeat(52)}`);
    expect([unknown.status, unknown.title]).toEqual([400, 'Unknown sign-in']);
  });

  it('of an unknown sign-in contains only the code of its error', async () => {
    const query = { code: 'a-code', state: 'a-state', error: 'x', error_description: 'AADSTS65001: hush' };
    const back = await visitor.returned(`/oauth/callback?${new URLSearchParams(query)}`);
    expect(back.location).toBe('/oauth/result/unknown?error=AADSTS65001');
    const plain = await visitor.returned('/oauth/callback?code=a-code&state=a-state');
    expect(plain.location).toBe('/oauth/result/unknown');
    for (const said of ['<b>x</b>', 'Call 555', 'AADSTS', 'key-vault-denied'])
      expect((await visitor.get(`/oauth/result/unknown?${new URLSearchParams({ error: said })}`)).html).toBe(
        (await visitor.get('/oauth/result/unknown')).html,
      );
  });

  it('shows the reason to a user who was signed out or too late', async () => {
    const callback = await leave();
    const signedOut = Visitor.signedOut(app);
    for (const [name, value] of visitor.jar) signedOut.jar.set(name, value);
    const back = await signedOut.returned(callback);
    expect(back.location).toMatch(CLEAN);
    expect((await signedOut.get(back.location ?? '')).title).toBe('You are signed out of Postroom');
    // Signed in again, the redirect to the provider still works.
    expect((await visitor.get(back.location ?? '')).location).toMatch(/^\/connect\//);
    app.seam.skewMs = 11 * 60_000;
    expect((await visitor.get(callback)).title).toBe('This sign-in took too long');
  });

  it('of a connected invited owner can be reloaded there, and shows no email to others', async () => {
    const link = await visitor.invite(providerId, { address: SUPPORT });
    const owner = Visitor.signedOut(app);
    const { callback } = await owner.ride(await owner.post(link, {}), SUPPORT);
    const { location = '' } = await owner.returned(callback);
    expect(location).toMatch(CLEAN);
    for (const _reload of [1, 2]) {
      const shown = await owner.get(location);
      expect([shown.status, shown.title]).toEqual([200, 'Done, you can close this page']);
      expect(shown.html).toContain('First');
    }
    const late = Visitor.signedOut(app);
    await late.get(link);
    expect((await late.get(addressOf(link))).html).not.toContain('First');
    expect((await late.get(location)).html).not.toContain('First');
  });
});

describe('the URL after an approval', () => {
  it('is clean, and a reload shows the same page without a second audit entry', async () => {
    const page = await visitor.get(`/providers/${await visitor.addDemoProvider()}`);
    const link = /value="(http[^"]+adminconsent[^"]+)"/.exec(page.html)?.[1]?.replaceAll('&amp;', '&') ?? '';
    const state = new URL(link).searchParams.get('state') ?? '';
    const tenant = app.idp.tenants[0]?.id ?? '';
    const query = { admin_consent: 'True', tenant, state };
    const approver = Visitor.signedOut(app);
    const back = await approver.returned(`/oauth/callback?${new URLSearchParams(query)}`);
    expect([back.status, back.location]).toEqual([303, '/oauth/result/approval']);
    const reported = async (): Promise<number> =>
      (await app.services.audit.page({ limit: 50 })).entries.filter(
        ({ action }) => action === 'consent reported',
      ).length;
    const once = await reported();
    expect(once).toBe(1);
    const shown = await approver.get('/oauth/result/approval');
    expect([shown.status, shown.title]).toEqual([200, 'Thank you, access is granted']);
    expect((await approver.get('/oauth/result/approval')).html).toBe(shown.html);
    expect(await reported()).toBe(once);
    expect((await Visitor.signedOut(app).get('/oauth/result/approval')).title).toBe('Unknown link');
  });

  it('that was declined keeps the explanation, however long the error is', async () => {
    const approver = Visitor.signedOut(app);
    const query = {
      admin_consent: 'True',
      error: 'access_denied',
      error_description: `AADSTS65004: User declined. ${'x'.repeat(6000)}`,
    };
    const back = await approver.returned(`/oauth/callback?${new URLSearchParams(query)}`);
    expect(back.location).toBe('/oauth/result/approval');
    const cookie = [...approver.jar].find(([name]) => name === '__Host-postroom-approval') ?? ['', ''];
    expect(cookie.join('=').length).toBeLessThan(4000);
    expect((await approver.get('/oauth/result/approval')).title).toBe('Access was not granted');
  });
});

describe.skipIf(!hasChromium)('in a browser', () => {
  let served: Served;
  let browser: Browser;
  const principal = principalHeaderOf([
    ['oid', ALEX.id],
    ['name', ALEX.id],
    ['roles', 'admin'],
  ]);
  beforeAll(async () => {
    const web = createWeb(() => app.services);
    served = await serve(async (path, request) => {
      const url = new URL(path, served.url);
      // Copies the cookies of the visitor who was sent to the provider into this browser.
      const set = url.pathname === '/set' ? url.searchParams.get('cookie') : null;
      if (set !== null)
        return new Response('set', {
          headers: { 'set-cookie': `${set}; Path=/; Secure; HttpOnly; SameSite=Lax` },
        });
      const headers = Object.entries(request.headers).map(([name, value]): [string, string] => [
        name,
        String(value),
      ]);
      const asked = new Request(url, { headers });
      asked.headers.set('x-ms-client-principal', principal);
      return web.fetch(asked);
    });
    browser = await openChromium();
  });
  afterAll(async () => {
    await browser.close();
    await served.close();
  });

  it('the address bar is clean, and reload and Back keep the explanation', async () => {
    const callback = await leave();
    secretExpired();
    const page = await (await browser.newContext()).newPage();
    for (const [name, value] of visitor.jar)
      await page.goto(`${served.url}/set?${new URLSearchParams({ cookie: `${name}=${value}` })}`);
    await page.goto(served.url + callback);
    const { state, code } = Object.fromEntries(new URL(callback, ORIGIN).searchParams);
    for (const go of [
      async () => undefined,
      () => page.reload(),
      () => page.goBack(),
      () => page.goForward(),
    ]) {
      await go();
      expect(page.url()).not.toContain(state ?? 'no state');
      expect(page.url()).not.toContain(code ?? 'no code');
    }
    const { pathname, search } = new URL(page.url());
    expect(pathname + search).toMatch(CLEAN);
    expect(await page.locator('h1').innerText()).toBe('The client secret has expired');
  });
});
