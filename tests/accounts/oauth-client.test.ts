import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createOAuthClient, type OAuthClient, type Redeemed } from '../../shared/accounts/oauth-client.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import type { Provider } from '../../shared/providers/provider.ts';
import { MemoryVault } from '../harness/memory/memory-vault.ts';

interface Asked {
  path: string;
  authorization: string | undefined;
  body: URLSearchParams;
}

const CLIENT = 'my-app';
const now = (): number => Math.floor(Date.now() / 1000);

/** An authorization server whose every response a test may change. */
class OddServer {
  origin = '';
  metadata: Record<string, unknown> = {};
  claims: Record<string, unknown> = {};
  token: Record<string, unknown> = {};
  signWith: CryptoKey | undefined;
  asked: Asked[] = [];
  jwk: JWK = {};
  key: CryptoKey | undefined;
  readonly #server = createServer((request, response) => {
    void (async () => {
      let text = '';
      for await (const chunk of request) text += String(chunk);
      const { pathname } = new URL(request.url ?? '/', 'http://x');
      this.asked.push({
        path: pathname,
        authorization: request.headers.authorization,
        body: new URLSearchParams(text),
      });
      const answer = await this.#answer(pathname);
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    })();
  });

  async #answer(path: string): Promise<unknown> {
    if (path.endsWith('/openid-configuration')) return this.metadata;
    if (path === '/keys') return { keys: [this.jwk] };
    const key = this.signWith ?? this.key;
    if (key === undefined) throw new Error('not started');
    const id_token = await new SignJWT(this.claims).setProtectedHeader({ alg: 'RS256', kid: 'k' }).sign(key);
    return {
      token_type: 'Bearer',
      access_token: 'at',
      refresh_token: 'rt',
      expires_in: 3600,
      id_token,
      ...this.token,
    };
  }

  async start(): Promise<void> {
    const pair = await generateKeyPair('RS256');
    this.key = pair.privateKey;
    this.jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k', alg: 'RS256', use: 'sig' };
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.origin = `http://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  reset(): void {
    this.asked = [];
    this.signWith = undefined;
    this.token = {};
    this.metadata = {
      issuer: this.origin,
      authorization_endpoint: `${this.origin}/authorize`,
      token_endpoint: `${this.origin}/token`,
      jwks_uri: `${this.origin}/keys`,
    };
    this.claims = {
      iss: this.origin,
      aud: CLIENT,
      sub: 'u1',
      nonce: 'n1',
      iat: now(),
      exp: now() + 600,
      preferred_username: 'a@b.example',
    };
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

const server = new OddServer();
let client: OAuthClient;
beforeAll(() => server.start());
afterAll(() => server.stop());
beforeEach(async () => {
  server.reset();
  client = await newClient();
});

/** A client whose vault contains the one secret. */
async function newClient({ local = true } = {}): Promise<OAuthClient> {
  const vault = new MemoryVault(openSeam);
  await vault.set('x', new Secret('s3cret/+'), { contentType: 'text/plain' });
  const identityAssertion = (): Promise<Secret> => Promise.reject(new Error('not part of this test'));
  return createOAuthClient({
    config: { local, demo: undefined },
    seam: openSeam,
    vault,
    identityAssertion,
  });
}

const provider = (change: Partial<Provider> = {}): Provider => ({
  id: 'p'.repeat(26),
  name: 'Odd',
  state: 'ready',
  preset: 'custom',
  cloud: 'worldwide',
  tenant: undefined,
  clientId: CLIENT,
  credential: { kind: 'secret', vaultName: 'x', version: 'v1', setAt: '', expiresOn: '' },
  nextCredential: undefined,
  retired: [],
  endpoints: { kind: 'discovery', issuer: server.origin },
  scopes: ['mail'],
  createdAt: '',
  changedAt: '',
  ...change,
});

const redeem = (one: Provider = provider(), parameters = 'code=c1&state=s'): Promise<Redeemed> =>
  client.redeem(one, {
    parameters: new URLSearchParams(parameters),
    redirectUri: 'http://localhost/cb',
    verifier: new Secret('v'.repeat(43)),
    nonce: new Secret('n1'),
    scopes: ['mail'],
  });

describe('an id_token', () => {
  it('with the right issuer, audience, nonce and key identifies the signed-in user', async () => {
    expect(await redeem()).toMatchObject({
      kind: 'redeemed',
      identity: { subject: 'u1', user: 'a@b.example' },
    });
  });

  it.each([
    ['another issuer', { iss: 'https://evil.example' }],
    ['another audience', { aud: 'other-app' }],
    ['several audiences without us as the party', { aud: [CLIENT, 'other'], azp: 'other' }],
    ['another nonce', { nonce: 'n2' }],
    ['no nonce', { nonce: undefined }],
    ['an end in the past', { exp: now() - 600 }],
    ['no subject', { sub: undefined }],
  ])('with %s is rejected', async (_name, change) => {
    Object.assign(server.claims, change);
    expect((await redeem()).kind).toBe('untrusted');
  });

  it('with a signature of another key is rejected', async () => {
    server.signWith = (await generateKeyPair('RS256')).privateKey;
    expect((await redeem()).kind).toBe('untrusted');
  });

  it('that is missing is rejected', async () => {
    server.token = { id_token: undefined };
    expect((await redeem()).kind).toBe('untrusted');
  });

  it('gives a verified email address if there is no username, never an unverified one', async () => {
    Object.assign(server.claims, {
      preferred_username: undefined,
      email: 'g@b.example',
      email_verified: true,
    });
    expect(await redeem()).toMatchObject({ identity: { user: 'g@b.example' } });
    Object.assign(server.claims, { email_verified: false });
    expect(await redeem()).toMatchObject({ identity: { user: undefined } });
  });
});

describe('a provider', () => {
  it('with another issuer in its metadata receives neither code nor secret', async () => {
    server.metadata['issuer'] = 'https://other.example';
    expect((await redeem()).kind).toBe('failed');
    expect(server.asked.map(({ path }) => path)).toEqual(['/.well-known/openid-configuration']);
  });

  it('that announces iss must send it', async () => {
    server.metadata['authorization_response_iss_parameter_supported'] = true;
    expect((await redeem()).kind).toBe('untrusted');
    expect((await redeem(provider(), `code=c1&state=s&iss=${encodeURIComponent(server.origin)}`)).kind).toBe(
      'redeemed',
    );
  });

  it('that supports only Basic receives the secret that way, others in the body', async () => {
    await redeem();
    expect(server.asked.at(-2)).toMatchObject({ path: '/token', authorization: undefined });
    expect(server.asked.at(-2)?.body.get('client_secret')).toBe('s3cret/+');
    expect(server.asked.at(-2)?.body.get('code_verifier')).toBe('v'.repeat(43));
    client = await newClient();
    server.metadata['token_endpoint_auth_methods_supported'] = ['client_secret_basic'];
    await redeem();
    expect(server.asked.at(-2)?.authorization).toMatch(/^Basic /);
    expect(server.asked.at(-2)?.body.has('client_secret')).toBe(false);
  });

  it('entered by hand works without discovery and without an id_token', async () => {
    const byHand = provider({
      endpoints: {
        kind: 'manual',
        authorization: `${server.origin}/authorize`,
        token: `${server.origin}/token`,
      },
    });
    server.token = { id_token: undefined };
    expect(await redeem(byHand)).toMatchObject({ kind: 'redeemed', identity: undefined });
    expect(server.asked.map(({ path }) => path)).toEqual(['/token']);
  });

  it('entered by hand may have an issuer with a path, in the response and in the id_token', async () => {
    const byHand = provider({
      endpoints: {
        kind: 'manual',
        authorization: `${server.origin}/realms/mail/auth`,
        token: `${server.origin}/token`,
      },
    });
    const issuer = `${server.origin}/realms/mail`;
    server.claims['iss'] = issuer;
    expect(await redeem(byHand, `code=c1&state=s&iss=${encodeURIComponent(issuer)}`)).toMatchObject({
      kind: 'redeemed',
      identity: { issuer, subject: 'u1' },
    });
  });

  it.each(['https://other.example/realms/mail', 'mail', ''])(
    'entered by hand whose response names an issuer elsewhere (%s) receives neither code nor secret',
    async (issuer) => {
      const byHand = provider({
        endpoints: {
          kind: 'manual',
          authorization: `${server.origin}/authorize`,
          token: `${server.origin}/token`,
        },
      });
      const answer = await redeem(byHand, `code=c1&state=s&iss=${encodeURIComponent(issuer)}`);
      expect(answer).toMatchObject({ kind: 'untrusted', reason: expect.stringContaining('different host') });
      expect(server.asked).toEqual([]);
    },
  );

  it('with private addresses is not contacted if Azure runs the app', async () => {
    client = await newClient({ local: false });
    const result = await redeem();
    expect(result).toMatchObject({ kind: 'failed', failure: { error: 'endpoint-refused' } });
    expect(server.asked).toEqual([]);
  });
});
