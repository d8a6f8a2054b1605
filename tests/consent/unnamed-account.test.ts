import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectWhole } from '../harness/browser/check-drawn.ts';
import { addressOf, type DemoApp, type Reply, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';

// A provider whose id_token has neither a username nor a verified address identifies only "the account u1".

const SUPPORT = 'support@corp.example';
const CLIENT = 'client-1';

let app: DemoApp;
let server: Server;
let origin: string;
let providerId: string;
/** Additional claims of the next id_token. */
let claims: Record<string, unknown> = {};
const nonces = new Map<string, string>();

beforeAll(async () => {
  app = await startDemoApp();
  const { privateKey } = await generateKeyPair('RS256');
  server = createServer((request, response) => {
    void (async () => {
      const url = new URL(request.url ?? '', origin);
      if (url.pathname === '/authorize') {
        const code = `c${nonces.size}`;
        nonces.set(code, url.searchParams.get('nonce') ?? '');
        const back = new URL(url.searchParams.get('redirect_uri') ?? '');
        back.searchParams.set('code', code);
        back.searchParams.set('state', url.searchParams.get('state') ?? '');
        response.writeHead(302, { location: back.href }).end();
        return;
      }
      let body = '';
      for await (const piece of request) body += String(piece);
      const asked = new URLSearchParams(body);
      const json = { 'content-type': 'application/json' };
      const nonce = nonces.get(asked.get('code') ?? '');
      if (nonce === undefined) {
        response.writeHead(400, json).end(JSON.stringify({ error: 'invalid_grant' }));
        return;
      }
      const id_token = await new SignJWT({ sub: 'u1', nonce, ...claims })
        .setProtectedHeader({ alg: 'RS256' })
        .setIssuer(origin)
        .setAudience(CLIENT)
        .setIssuedAt()
        .setExpirationTime('5m')
        .sign(privateKey);
      const tokens = { access_token: 'AT', refresh_token: 'RT', token_type: 'Bearer', expires_in: 3600 };
      response.writeHead(200, json).end(JSON.stringify({ ...tokens, scope: 'mail', id_token }));
    })();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  await app.stop();
});

let admin: Visitor;
beforeEach(async () => {
  claims = {};
  admin = new Visitor(app);
  const opened = await admin.get('/providers/new?preset=custom');
  providerId = new URLSearchParams(opened.location?.split('?')[1]).get('id') ?? '';
  const saved = await admin.post('/providers/new', {
    preset: 'custom',
    id: providerId,
    name: 'Corp',
    clientId: CLIENT,
    credential: 'secret',
    secret: 'the-secret',
    expiresOn: '2030-01-01',
    expiryConfirmed: 'on',
    endpoints: 'manual',
    authorizationEndpoint: `${origin}/authorize`,
    tokenEndpoint: `${origin}/token`,
    imapHost: new URL(origin).hostname,
    scopes: 'mail',
  });
  expect(saved.status).toBe(303);
});

const RIGHT = 'Is this the right account?';
const accounts = () => app.services.accounts.listOf(providerId);

async function connect(fields: Record<string, string> = {}): Promise<Reply> {
  const { callback } = await admin.leave(providerId, { address: SUPPORT, ...fields }, SUPPORT);
  return admin.get(callback);
}

/** The hidden fields of the form with a button. */
function formOf(html: string, button: string): { action: string; fields: Record<string, string> } {
  const form = [...html.matchAll(/<form method="post" action="([^"]+)"[^>]*>(.*?)<\/form>/gs)].find(
    ([, , inner]) => inner?.includes(button),
  );
  const inputs = (form?.[2] ?? '').matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g);
  return {
    action: form?.[1] ?? '',
    fields: Object.fromEntries([...inputs].map(([, name, value]) => [name, value])),
  };
}

describe('an account without a verified name', () => {
  it('is connected only after a person has confirmed its subject', async () => {
    const asked = await connect();
    expect([asked.status, asked.title]).toEqual([400, RIGHT]);
    expect(asked.html).toContain('<dd>u1</dd>');
    expect(asked.html).toContain(SUPPORT);
    expect(await accounts()).toEqual([]);
    expectWhole({ unnamed: asked.html });
    const { action, fields } = formOf(asked.html, 'Yes, this is the account of');
    const started = await admin.post(action, fields);
    const { callback } = await admin.ride(await admin.get(started.location ?? ''), SUPPORT);
    expect((await admin.get(callback)).location).toContain(`/mailboxes/new?account=${providerId}.`);
    expect(await accounts()).toMatchObject([{ user: SUPPORT, identity: { subject: 'u1' } }]);
    const audit = JSON.stringify((await app.services.audit.page({ limit: 20 })).entries);
    expect(audit).toContain('subject confirmed by hand');
    // The same account under the same name needs no second confirmation.
    expect((await connect()).status).toBe(303);
  });

  it('is not connected by the confirmation of another subject', async () => {
    const { fields } = formOf((await connect()).html, 'Yes, this is the account of');
    claims = { sub: 'u2' };
    const other = await connect(fields);
    expect(other.title).toBe(RIGHT);
    expect(other.html).toContain('<dd>u2</dd>');
    expect(await accounts()).toEqual([]);
  });

  it('is rejected if it claims another address, whatever was confirmed', async () => {
    const { fields } = formOf((await connect()).html, 'Yes, this is the account of');
    claims = { email: 'someone.else@corp.example' };
    const refused = await connect(fields);
    expect(refused.title).toBe('Wrong account');
    expect(refused.html).toContain('someone.else@corp.example');
    expect(await accounts()).toEqual([]);
  });

  it('needs confirmation if it claims the right address without proof', async () => {
    claims = { email: SUPPORT, email_verified: false };
    const asked = await connect();
    expect(asked.title).toBe(RIGHT);
    expect(asked.html).toContain('without having verified it');
    claims = { email: SUPPORT, email_verified: true };
    expect((await connect()).status).toBe(303);
  });

  it('can also be confirmed by its owner, who follows an invitation', async () => {
    const link = await admin.invite(providerId, { address: SUPPORT });
    const owner = Visitor.signedOut(app);
    const first = await owner.ride(await owner.post(link, {}), SUPPORT);
    const asked = await owner.get(first.callback);
    expect(asked.title).toBe(RIGHT);
    const { action, fields } = formOf(asked.html, 'Yes, this is my account');
    expect(action).toBe(addressOf(link));
    const again = await owner.ride(await owner.post(action, fields), SUPPORT);
    expect((await owner.get(again.callback)).title).toBe('Done, you can close this page');
    expect(await accounts()).toMatchObject([{ user: SUPPORT, consentedBy: 'invitation' }]);
  });
});
