import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type RunningEntra, startEntra } from '../../dev/emulators/entra/entra.ts';
import { type AccountStore, createAccountStore } from '../../shared/accounts/account-store.ts';
import { checkProvider } from '../../shared/accounts/check-provider.ts';
import { createOAuthClient, type OAuthClient } from '../../shared/accounts/oauth-client.ts';
import { preflightProvider } from '../../shared/accounts/preflight-provider.ts';
import { type AuditStore, createAuditStore } from '../../shared/audit/audit-store.ts';
import { explainText } from '../../shared/explanations/explain.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { openSeam, type Seam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { secretName, withNext } from '../../shared/providers/credential.ts';
import { isReadyToSignIn, type Preflight } from '../../shared/providers/preflight.ts';
import type { Provider } from '../../shared/providers/provider.ts';
import { createProviderStore, type ProviderStore } from '../../shared/providers/provider-store.ts';
import { storeSecret } from '../../shared/providers/store-credential.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { MemoryVault } from '../harness/memory/memory-vault.ts';
import { sampleProvider } from '../harness/memory/sample-provider.ts';
import { CLIENT, SECRET, tenant } from '../harness/stack/demo-directory.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

interface World {
  idp: RunningEntra;
  oauth: OAuthClient;
  vault: MemoryVault;
  providers: ProviderStore;
  accounts: AccountStore;
  audit: AuditStore;
  seam: Seam;
  /** A saved provider with this secret. */
  provider(secret: string, change?: Partial<Provider>): Promise<Provider>;
  preflight(provider: Provider): Promise<Preflight>;
}

async function start(options: { tenantSegment?: string; seam?: Seam } = {}): Promise<World> {
  const idp = await startEntra({ tenants: [tenant()] });
  stops.push(() => idp.stop());
  const seam = options.seam ?? openSeam;
  const vault = new MemoryVault(seam);
  const tables = new MemoryTables(openSeam);
  const providers = createProviderStore(tables);
  const mail = { host: 'localhost', port: 1 };
  const segment = options.tenantSegment ?? idp.tenants[0]?.id ?? '';
  const demo = {
    authority: `${idp.origin}/${segment}/v2.0`,
    tenant: segment,
    clientId: CLIENT,
    clientSecret: SECRET,
    imap: mail,
    pop3: mail,
    smtp: mail,
  };
  const oauth = createOAuthClient({
    config: { local: true, demo },
    seam,
    vault,
    identityAssertion: () => Promise.reject(new Error('no endpoint')),
  });
  return {
    idp,
    oauth,
    vault,
    providers,
    accounts: createAccountStore(tables),
    audit: createAuditStore(tables),
    seam,
    async provider(secret, change) {
      const bare = sampleProvider({ tenant: segment, ...change });
      const expiresOn = '2030-01-01T23:59:59.000Z';
      const credential = await storeSecret({ vault, seam }, bare.id, {
        value: new Secret(secret),
        expiresOn,
      });
      const provider = { ...bare, credential };
      await providers.save(provider);
      return provider;
    },
    preflight: (provider) => preflightProvider({ oauth, seam }, provider),
  };
}

const findings = ({ tenant, client, credential }: Preflight): string[] => [tenant, client, credential];
const codeOf = (found: Preflight): string => explainText({ text: found.evidence ?? '' }).code;

describe('a check before anyone signs in', () => {
  it('verifies tenant, client ID and credential', async () => {
    const world = await start();
    const found = await world.preflight(await world.provider(SECRET));
    expect(findings(found)).toEqual(['proven', 'proven', 'proven']);
    expect(found.evidence).toBeUndefined();
    expect(found.enterpriseId).toMatch(/^[0-9a-f-]{36}$/);
    expect(isReadyToSignIn(found)).toBe(true);
  });

  it('reports a wrong tenant', async () => {
    const world = await start({ tenantSegment: 'nobody.example' });
    const found = await world.preflight(await world.provider(SECRET));
    expect(findings(found)).toEqual(['wrong', 'unknown', 'unknown']);
    expect(codeOf(found)).toBe('AADSTS90002');
  });

  it('reports a wrong client ID', async () => {
    const world = await start();
    const clientId = '99999999-0000-4000-8000-000000000001';
    const found = await world.preflight(await world.provider(SECRET, { clientId }));
    expect(findings(found)).toEqual(['proven', 'wrong', 'unknown']);
    expect(codeOf(found)).toBe('AADSTS700016');
  });

  it.each([
    ['is another one', 'wrong-secret', 'AADSTS7000215'],
    ['has expired', 'old', 'AADSTS7000222'],
  ])('reports that the secret %s', async (_name, secret, code) => {
    const world = await start();
    const found = await world.preflight(await world.provider(secret));
    expect(findings(found)).toEqual(['proven', 'proven', 'wrong']);
    expect(codeOf(found)).toBe(code);
    expect(JSON.stringify(found)).not.toContain(secret === 'old' ? '"old"' : secret);
  });

  it('reports a secret that is missing in Key Vault', async () => {
    const world = await start();
    const provider = await world.provider(SECRET);
    await world.vault.remove(secretName(provider.id));
    const found = await world.preflight(provider);
    expect(findings(found)).toEqual(['proven', 'unknown', 'wrong']);
    expect(codeOf(found)).toBe('secret-missing');
  });

  it('blames no setting when nothing responds', async () => {
    const world = await start();
    const provider = await world.provider(SECRET);
    world.idp.addFault({ match: { path: 'openid-configuration' }, destroy: true });
    const silent = await world.preflight(provider);
    expect(findings(silent)).toEqual(['unknown', 'unknown', 'unknown']);
    expect(silent.evidence).not.toBe('');
    world.idp.addFault({ match: { path: 'token' }, status: 503, body: 'busy' });
    expect(findings(await world.preflight(provider))).toEqual(['proven', 'unknown', 'unknown']);
  });

  it('blames no setting when the vault or the managed identity is unavailable', async () => {
    let vaultAway = true;
    const seam: Seam = {
      now: () => Date.now(),
      call: (point, effect) =>
        vaultAway && point === 'vault.get'
          ? Promise.reject(new PostroomError('key-vault', 'Key Vault did not get it'))
          : effect(),
    };
    const world = await start({ seam });
    const provider = await world.provider(SECRET);
    expect(findings(await world.preflight(provider))).toEqual(['proven', 'unknown', 'unknown']);
    vaultAway = false;
    const credential = { kind: 'federated' as const, setAt: '' };
    const found = await world.preflight({ ...provider, credential });
    expect(findings(found)).toEqual(['proven', 'unknown', 'unknown']);
    expect(found.evidence).toContain('managed identity');
  });

  it('reports both credentials separately, and removes the current one once the next one is accepted', async () => {
    const world = await start();
    const old = await world.provider(SECRET);
    const expiresOn = '2030-01-01T23:59:59.000Z';
    const next = await storeSecret(world, old.id, { value: new Secret('next-one'), expiresOn });
    await world.providers.save(withNext(old, next));

    const waiting = await checkProvider(world, withNext(old, next));
    expect(waiting.preflight).toMatchObject({ credential: 'proven', next: 'wrong' });
    expect(explainText({ text: waiting.preflight?.nextEvidence ?? '' }).code).toBe('AADSTS7000215');
    expect(waiting).toMatchObject({ credential: old.credential, nextCredential: next });

    world.idp.addClientSecret(CLIENT, { value: 'next-one' });
    const settled = await checkProvider(world, waiting);
    expect(settled).toMatchObject({ credential: next, nextCredential: undefined, retired: [] });
    expect(settled.preflight).toMatchObject({ credential: 'proven' });
    expect(settled.preflight?.next).toBeUndefined();
  });

  it('allows accounts to be retried after something was fixed at the provider', async () => {
    const world = await start();
    const provider = await world.provider('soon-known');
    const wrong = await checkProvider(world, provider);
    expect(wrong.changedAt).toBe(provider.changedAt);
    world.idp.addClientSecret(CLIENT, { value: 'soon-known' });
    const right = await checkProvider(world, wrong);
    expect(right.changedAt).not.toBe(provider.changedAt);
    expect((await checkProvider(world, right)).changedAt).toBe(right.changedAt);
  });

  it('does not overwrite changes made while it ran', async () => {
    const world = await start();
    const provider = await world.provider(SECRET);
    const newer = { ...provider, name: 'Renamed', changedAt: '2026-12-01T00:00:00.000Z' };
    await world.providers.save(newer);
    expect(await checkProvider(world, provider)).toMatchObject({ name: 'Renamed', preflight: undefined });
  });
});

describe('a check at a provider other than Microsoft', () => {
  async function custom(answer: { status: number; body: unknown }): Promise<Preflight> {
    const asked: URLSearchParams[] = [];
    const server = createServer((request, response) => {
      void (async () => {
        let text = '';
        for await (const chunk of request) text += String(chunk);
        asked.push(new URLSearchParams(text));
        response.writeHead(answer.status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(answer.body));
      })();
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    stops.push(async () => {
      server.closeAllConnections();
      server.close();
    });
    const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
    const world = await start();
    const provider = await world.provider('s3cret', {
      preset: 'custom',
      endpoints: { kind: 'manual', authorization: `${origin}/authorize`, token: `${origin}/token` },
    });
    const found = await world.preflight(provider);
    expect(asked[0]?.get('grant_type')).toBe('refresh_token');
    return found;
  }

  it('accepts the refusal of a made-up token as proof that the app itself is accepted', async () => {
    const found = await custom({ status: 400, body: { error: 'invalid_grant' } });
    expect(findings(found)).toEqual(['proven', 'proven', 'proven']);
  });

  it('detects that the app is refused', async () => {
    const found = await custom({ status: 401, body: { error: 'invalid_client' } });
    expect(findings(found)).toEqual(['proven', 'unknown', 'wrong']);
    expect(codeOf(found)).toBe('invalid_client');
  });

  it('reports a wrong issuer if nothing is found there', async () => {
    const world = await start();
    const issuer = world.idp.tenants[0]?.issuer ?? '';
    world.idp.addFault({ match: { path: 'openid-configuration' }, status: 404, body: 'no' });
    const provider = await world.provider('x', {
      preset: 'custom',
      endpoints: { kind: 'discovery', issuer },
    });
    const found = await world.preflight(provider);
    expect(findings(found)).toEqual(['wrong', 'unknown', 'unknown']);
    expect(codeOf(found)).toBe('endpoint-refused');
  });

  it('draws no conclusion from an ambiguous response', async () => {
    const found = await custom({ status: 400, body: { error: 'unsupported_grant_type' } });
    expect(findings(found)).toEqual(['proven', 'unknown', 'unknown']);
  });
});
