import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MAIL_SCOPES } from '../../dev/emulators/entra/scopes.ts';
import { type DemoApp, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';
import { CLIENT, REDIRECT, SECRET } from '../harness/stack/demo-directory.ts';

// RFC 9700 section 4.4: a malicious authorization server redirects the browser to an honest one, and hopes that the client
// mistakes the honest one's code for its own.

const SUPPORT = 'support@contoso.example';

let app: DemoApp;
let hostile: Server;
/** Where the malicious server redirects the browser, and as which client with which redirect URI. */
let onward: { authorize: string; clientId: string; redirectUri: string };
/** Bodies with a code that reached the malicious token endpoint. */
let heard: string[] = [];

beforeAll(async () => {
  app = await startDemoApp();
  hostile = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://hostile');
    if (url.pathname === '/authorize') {
      const target = new URL(onward.authorize);
      for (const [name, value] of url.searchParams) target.searchParams.set(name, value);
      target.searchParams.set('client_id', onward.clientId);
      target.searchParams.set('redirect_uri', onward.redirectUri);
      response.writeHead(302, { location: target.href }).end();
      return;
    }
    let body = '';
    request.on('data', (piece) => {
      body += piece;
    });
    request.on('end', () => {
      if (body.includes('code=')) heard.push(body);
      response
        .writeHead(400, { 'content-type': 'application/json' })
        .end(JSON.stringify({ error: 'invalid_grant' }));
    });
  });
  await new Promise<void>((resolve) => {
    hostile.listen(0, '127.0.0.1', resolve);
  });
});
afterAll(async () => {
  hostile.close();
  await app.stop();
});
beforeEach(() => {
  heard = [];
});

const endpoints = () => {
  const [tenant] = app.idp.tenants;
  if (tenant === undefined) throw new Error('no tenant');
  return { authorize: tenant.authorizeUrl, token: tenant.tokenUrl };
};

/** Opens the form of a custom provider as an admin does, and saves it with these endpoints. */
async function addCustom(
  admin: Visitor,
  name: string,
  at: { authorize: string; token: string },
): Promise<{ id: string; redirectUri: string }> {
  const opened = await admin.get('/providers/new?preset=custom');
  const form = await admin.get(opened.location ?? '');
  const redirectUri = /value="([^"]+\/oauth\/callback[^"]*)"/.exec(form.html)?.[1] ?? '';
  const id = /name="id" value="([^"]+)"/.exec(form.html)?.[1] ?? '';
  const saved = await admin.post('/providers/new', {
    preset: 'custom',
    id,
    name,
    clientId: CLIENT,
    credential: 'secret',
    secret: SECRET,
    expiresOn: '2030-01-01',
    expiryConfirmed: 'on',
    endpoints: 'manual',
    authorizationEndpoint: at.authorize,
    tokenEndpoint: at.token,
    imapHost: new URL(at.token).hostname,
    scopes: MAIL_SCOPES.join(' '),
  });
  if (saved.status !== 303) throw new Error(`not saved: ${saved.title} ${saved.html}`);
  return { id, redirectUri };
}

/** An honest custom provider, whose redirect URI was entered at its server, and a malicious one beside it. */
async function twoProviders(): Promise<{
  admin: Visitor;
  honest: { id: string; redirectUri: string };
  evil: { id: string; redirectUri: string };
}> {
  const admin = new Visitor(app);
  const honest = await addCustom(admin, 'Honest', endpoints());
  const { port } = hostile.address() as AddressInfo;
  const evil = await addCustom(admin, 'Evil', {
    authorize: `http://127.0.0.1:${port}/authorize`,
    token: `http://127.0.0.1:${port}/token`,
  });
  app.idp.setApp(CLIENT, { redirectUris: [REDIRECT, honest.redirectUri] });
  return { admin, honest, evil };
}

const codeRequests = (): number =>
  app.idp.tokenRequests().filter(({ grantType }) => grantType === 'authorization_code').length;

describe('a custom provider', () => {
  it('has its own redirect URI, shown before it is saved, and signs in with it', async () => {
    const { admin, honest } = await twoProviders();
    expect(honest.redirectUri).toBe(`${REDIRECT}/${honest.id}`);
    const page = (await admin.get(`/providers/${honest.id}`)).html;
    expect(page).toContain(`value="${honest.redirectUri}"`);
    const { callback, authorization } = await admin.leave(honest.id, { address: SUPPORT }, SUPPORT);
    expect(authorization.searchParams.get('redirect_uri')).toBe(honest.redirectUri);
    expect(callback).toMatch(new RegExp(`^/oauth/callback/${honest.id}\\?`));
    expect((await admin.get(callback)).location).toContain(`/mailboxes/new?account=${honest.id}.`);
  });

  it('keeps its redirect URI when the form is reloaded, and is saved once when it is submitted twice', async () => {
    const admin = new Visitor(app);
    const opened = await admin.get('/providers/new?preset=custom');
    const uri = /value="([^"]+\/oauth\/callback\/[^"]+)"/;
    const [first, again] = [await admin.get(opened.location ?? ''), await admin.get(opened.location ?? '')];
    expect(uri.exec(first.html)?.[1]).toBeDefined();
    expect(uri.exec(again.html)?.[1]).toBe(uri.exec(first.html)?.[1]);
    const id = /name="id" value="([^"]+)"/.exec(first.html)?.[1] ?? '';
    const draft = { preset: 'custom', id, name: 'Twice', intent: 'draft' };
    expect((await admin.post('/providers/new', draft)).location).toBe(`/providers/${id}?flash=draft`);
    expect((await admin.post('/providers/new', { ...draft, name: 'Thrice' })).location).toBe(
      `/providers/${id}?flash=saved-before`,
    );
    expect((await app.services.providers.get(id))?.name).toBe('Twice');
    // Back, after it was saved.
    expect((await admin.get(opened.location ?? '')).location).toBe(`/providers/${id}/edit`);
  });

  it('keeps its redirect URI after a mistake, and rejects an invented ID', async () => {
    const admin = new Visitor(app);
    const id = 'a'.repeat(26);
    const wrong = await admin.post('/providers/new', { preset: 'custom', id });
    expect(wrong.status).toBe(422);
    expect(wrong.html).toContain(`value="${REDIRECT}/${id}"`);
    const odd = await admin.post('/providers/new', { preset: 'custom', id: '../../x', name: '' });
    expect(odd.html).not.toContain('../../x');
  });
});

describe('a malicious provider that redirects the browser to another one’s sign-in', () => {
  it('receives neither code nor verifier of an honest custom provider', async () => {
    const { admin, honest, evil } = await twoProviders();
    onward = { authorize: endpoints().authorize, clientId: CLIENT, redirectUri: honest.redirectUri };
    const before = codeRequests();
    const { callback } = await admin.leave(evil.id, { address: SUPPORT }, SUPPORT);
    expect(callback).toContain(honest.id);
    expect(callback).toContain('code=');
    expect(callback).not.toContain('iss=');
    const reply = await admin.get(callback);
    expect(reply.title).toBe('The response could not be trusted');
    expect(reply.html).toContain('the redirect URI of another provider');
    expect(heard).toEqual([]);
    expect(codeRequests()).toBe(before);
    // The attempt is over: the same response sent to the malicious one's own redirect URI redeems nothing.
    await admin.get(callback.replace(honest.id, evil.id));
    expect(heard).toEqual([]);
  });

  it('receives neither code nor verifier of a preset', async () => {
    const { admin, evil } = await twoProviders();
    await admin.addDemoProvider();
    onward = { authorize: endpoints().authorize, clientId: CLIENT, redirectUri: REDIRECT };
    const { callback } = await admin.leave(evil.id, { address: SUPPORT }, SUPPORT);
    expect(callback).toMatch(/^\/oauth\/callback\?/);
    expect((await admin.get(callback)).title).toBe('The response could not be trusted');
    expect(heard).toEqual([]);
  });

  it('is stopped by the honest server when it names its own redirect URI', async () => {
    const { admin, evil } = await twoProviders();
    onward = { authorize: endpoints().authorize, clientId: CLIENT, redirectUri: evil.redirectUri };
    await expect(admin.leave(evil.id, { address: SUPPORT }, SUPPORT)).rejects.toThrow('AADSTS50011');
    expect(heard).toEqual([]);
  });
});

describe('HEAD at the redirect URI', () => {
  it('uses up no state and connects no mailbox', async () => {
    const { admin, honest } = await twoProviders();
    const { callback } = await admin.leave(honest.id, { address: SUPPORT }, SUPPORT);
    const before = codeRequests();
    expect((await admin.head(callback)).status).toBe(405);
    expect(codeRequests()).toBe(before);
    expect(await app.services.accounts.listOf(honest.id)).toEqual([]);
    expect((await admin.get(callback)).status).toBe(303);
  });
});
