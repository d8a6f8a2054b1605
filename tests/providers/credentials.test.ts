import { createPrivateKey, X509Certificate } from 'node:crypto';
import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type RunningEntra, startEntra } from '../../dev/emulators/entra/entra.ts';
import {
  type RunningManagedIdentity,
  startManagedIdentity,
} from '../../dev/emulators/identity/managed-identity.ts';
import { createOAuthClient, type OAuthClient } from '../../shared/accounts/oauth-client.ts';
import { type AuditStore, createAuditStore } from '../../shared/audit/audit-store.ts';
import type { DemoWorld } from '../../shared/platform/config.ts';
import { managedIdentityAssertion } from '../../shared/platform/credential.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { createCertificate } from '../../shared/providers/create-certificate.ts';
import {
  type Credential,
  certificatePem,
  secretName,
  sha256ThumbprintOf,
  thumbprintOf,
  withNext,
  withOnly,
} from '../../shared/providers/credential.ts';
import { promoteCredential } from '../../shared/providers/promote-credential.ts';
import type { Provider } from '../../shared/providers/provider.ts';
import { createProviderStore, type ProviderStore } from '../../shared/providers/provider-store.ts';
import { storeNewCertificate, storeSecret } from '../../shared/providers/store-credential.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { MemoryVault } from '../harness/memory/memory-vault.ts';
import { sampleProvider } from '../harness/memory/sample-provider.ts';
import { CLIENT, SECRET, tenant } from '../harness/stack/demo-directory.ts';

const SCOPES = ['https://outlook.office.com/.default'];
const NEXT_YEAR = '2030-01-01T23:59:59.000Z';
const here = { managedIdentityClientId: undefined, identityEndpoint: true };
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

interface World {
  idp: RunningEntra;
  vault: MemoryVault;
  tables: MemoryTables;
  providers: ProviderStore;
  oauth: OAuthClient;
  deps: { vault: MemoryVault; seam: typeof openSeam; providers: ProviderStore; audit: AuditStore };
  save(change?: Partial<Provider>): Promise<Provider>;
  secret(provider: Provider, value: string): Promise<Credential>;
  read(provider: Provider): Promise<Provider>;
}

async function startWorld(): Promise<World> {
  const idp = await startEntra({ tenants: [tenant()] });
  stops.push(() => idp.stop());
  const [at] = idp.tenants;
  const mail = { host: 'localhost', port: 1 };
  const demo: DemoWorld = {
    authority: at?.issuer ?? '',
    tenant: at?.id ?? '',
    clientId: CLIENT,
    clientSecret: SECRET,
    imap: mail,
    pop3: mail,
    smtp: mail,
  };
  const vault = new MemoryVault(openSeam);
  const tables = new MemoryTables(openSeam);
  const providers = createProviderStore(tables);
  const oauth = createOAuthClient({
    config: { local: true, demo },
    seam: openSeam,
    vault,
    identityAssertion: managedIdentityAssertion(here),
  });
  const audit = createAuditStore(tables);
  const deps = { vault, seam: openSeam, providers, audit };
  return {
    idp,
    vault,
    tables,
    providers,
    oauth,
    deps,
    async save(change) {
      const provider = sampleProvider({ tenant: demo.tenant, ...change });
      await providers.save(provider);
      return provider;
    },
    secret: (provider, value) =>
      storeSecret(deps, provider.id, { value: new Secret(value), expiresOn: NEXT_YEAR }),
    async read({ id }) {
      const provider = await providers.get(id);
      if (provider === undefined) throw new Error('no row');
      return provider;
    },
  };
}

/** Versions of the provider's entry that can still be read. */
const readable = async ({ vault }: World, { id }: Provider): Promise<(string | undefined)[]> =>
  (await vault.versionsOf(secretName(id))).filter(({ enabled }) => enabled).map(({ version }) => version);

// One for the file: Microsoft's library caches the first identity endpoint that it finds in a process.
const DIRECTORY = '3a0c7f0e-0000-4000-8000-000000000001';
let identity: RunningManagedIdentity;
const before = { ...process.env };
beforeAll(async () => {
  identity = await startManagedIdentity({ tenantId: DIRECTORY });
  process.env['IDENTITY_ENDPOINT'] = identity.endpoint;
  process.env['IDENTITY_HEADER'] = identity.header;
});
afterAll(async () => {
  process.env = before;
  await identity.stop();
});

/** The app trusts the managed identity, and has no secret. */
function trustIdentity({ idp }: World): void {
  const trusted = {
    issuer: `https://login.microsoftonline.com/${DIRECTORY}/v2.0`,
    subject: identity.principalId,
    audience: 'api://AzureADTokenExchange',
    jwks: identity.jwks,
  };
  idp.setApp(CLIENT, { federated: [trusted], secrets: [] });
}

describe('a certificate', () => {
  it('is created with its key, for signing only, and shows the thumbprint of the portal', async () => {
    const now = Date.parse('2026-11-24T10:00:00.000Z');
    const made = await createCertificate('Postroom Contoso', now, '2028-11-24T23:59:59.000Z');
    const read = new X509Certificate(certificatePem(made.certificate));
    expect(read.subject).toBe('CN=Postroom Contoso');
    expect(read.ca).toBe(false);
    expect(read.verify(read.publicKey)).toBe(true);
    expect(read.checkPrivateKey(createPrivateKey(made.pem.expose()))).toBe(true);
    expect(read.validToDate.toISOString()).toBe('2028-11-24T23:59:59.000Z');
    expect(read.validFromDate.getTime()).toBe(now - 3_600_000);
    expect(thumbprintOf(made.certificate)).toBe(read.fingerprint.replaceAll(':', ''));
    const sha256 = Buffer.from(read.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url');
    expect(sha256ThumbprintOf(made.certificate)).toBe(sha256);
    expect(JSON.stringify(made)).not.toContain('PRIVATE KEY');
  });

  it('has any name unchanged, cut to 64 characters, and an expiry date beyond 2049', async () => {
    const name = `#A "B" \\ C, O=Ömer+${'🎫'.repeat(64)}`;
    const made = await createCertificate(
      name,
      Date.parse('2049-11-24T10:00:00.000Z'),
      '2051-01-01T00:00:00.000Z',
    );
    const read = new X509Certificate(certificatePem(made.certificate));
    expect(read.toLegacyObject().subject.CN).toBe([...name].slice(0, 64).join(''));
    expect(read.validToDate.toISOString()).toBe('2051-01-01T00:00:00.000Z');
  });

  it('has a unique serial number, and allows its key only to sign', async () => {
    const make = async (): Promise<X509Certificate> => {
      const { certificate } = await createCertificate('Postroom', Date.now(), NEXT_YEAR);
      return new X509Certificate(certificatePem(certificate));
    };
    const [first, second] = [await make(), await make()];
    expect(first.serialNumber).toMatch(/^[0-9A-F]{28,32}$/);
    expect(second.serialNumber).not.toBe(first.serialNumber);
    // Key usage (2.5.29.15), critical, with digitalSignature as its one bit (RFC 5280 section 4.2.1.3).
    expect(first.raw.toString('hex')).toContain('0603551d0f0101ff040403020780');
    // Basic constraints (2.5.29.19), critical and empty: it is no CA.
    expect(first.raw.toString('hex')).toContain('0603551d130101ff04023000');
  });

  it('authenticates the app, by name and signature, once its public certificate is uploaded', async () => {
    const world = await startWorld();
    const provider = await world.save();
    const credential = await storeNewCertificate(world.deps, provider, NEXT_YEAR);
    await world.providers.save({ ...provider, credential });
    const saved = await world.read(provider);
    expect(await world.oauth.clientCredentials(saved, SCOPES)).toMatchObject({
      kind: 'failed',
      failure: { codes: [700027], error: 'invalid_client' },
    });
    world.idp.setApp(CLIENT, { certificates: [certificatePem(credential.certificate)] });
    expect(await world.oauth.clientCredentials(saved, SCOPES)).toMatchObject({ kind: 'granted', credential });
    const [entry] = world.vault.versions.get(secretName(provider.id)) ?? [];
    expect(entry?.expiresOn).toBe(NEXT_YEAR);
  });
});

describe('the managed identity', () => {
  it('authenticates an app that trusts it, without any secret', async () => {
    const world = await startWorld();
    trustIdentity(world);
    const provider = await world.save({ credential: { kind: 'federated', setAt: NEXT_YEAR } });
    expect((await world.oauth.clientCredentials(provider, SCOPES)).kind).toBe('granted');
    expect(world.vault.versions.size).toBe(0);
  });

  it('that the app does not trust is reported as such', async () => {
    const world = await startWorld();
    world.idp.setApp(CLIENT, { federated: [] });
    const provider = await world.save({ credential: { kind: 'federated', setAt: NEXT_YEAR } });
    expect(await world.oauth.clientCredentials(provider, SCOPES)).toMatchObject({
      kind: 'failed',
      failure: { codes: [700213] },
    });
  });

  it('requests the audience of the provider’s cloud', async () => {
    const world = await startWorld();
    const asked: string[] = [];
    const oauth = createOAuthClient({
      config: { local: true, demo: undefined },
      seam: openSeam,
      vault: world.vault,
      identityAssertion: async (audience) => {
        asked.push(audience);
        return new Secret('x');
      },
    });
    for (const cloud of ['worldwide', 'gcc-high', 'dod', 'china'] as const)
      await oauth.clientCredentials(
        sampleProvider({
          cloud,
          preset: 'custom',
          endpoints: {
            kind: 'manual',
            authorization: 'http://localhost:1/a',
            token: 'http://localhost:1/t',
          },
          credential: { kind: 'federated', setAt: NEXT_YEAR },
        }),
        SCOPES,
      );
    expect(asked).toEqual([
      'api://AzureADTokenExchange',
      'api://AzureADTokenExchangeUSGov',
      'api://AzureADTokenExchangeUSGov',
      'api://AzureADTokenExchangeChina',
    ]);
    const token = await managedIdentityAssertion({
      ...here,
      managedIdentityClientId: identity.clientId,
    })('api://AzureADTokenExchange');
    expect(decodeJwt(token.expose())).toMatchObject({
      sub: identity.principalId,
      aud: 'api://AzureADTokenExchange',
    });
  });

  it('that is missing is an outage with its own code, not a refusal', async () => {
    const world = await startWorld();
    const oauth = createOAuthClient({
      config: { local: true, demo: undefined },
      seam: openSeam,
      vault: world.vault,
      identityAssertion: () => Promise.reject(new Error('no endpoint')),
    });
    const provider = await world.save({ credential: { kind: 'federated', setAt: NEXT_YEAR } });
    const error = await oauth.clientCredentials(provider, SCOPES).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PostroomError);
    expect(error).toMatchObject({ code: 'no-identity' });
  });
});

describe('two credentials side by side', () => {
  it('are tried newest first; the older one is disabled only once the newer has worked', async () => {
    const world = await startWorld();
    const provider = await world.save();
    const old = await world.secret(provider, SECRET);
    const next = await world.secret(provider, 'not-yet-known');
    await world.providers.save(withNext(withOnly(provider, old), next));

    const before = await world.read(provider);
    const first = await world.oauth.clientCredentials(before, SCOPES);
    expect(first).toMatchObject({ kind: 'granted', credential: old });
    if (first.kind === 'granted') await promoteCredential(world.deps, before, first.credential);
    expect(await world.read(provider)).toMatchObject({ credential: old, nextCredential: next });

    world.idp.addClientSecret(CLIENT, { value: 'not-yet-known' });
    const second = await world.oauth.clientCredentials(before, SCOPES);
    expect(second).toMatchObject({ kind: 'granted', credential: next });
    if (second.kind === 'granted') await promoteCredential(world.deps, before, second.credential);
    const after = await world.read(provider);
    expect(after).toMatchObject({ credential: next, nextCredential: undefined, retired: [] });
    expect(await readable(world, provider)).toEqual([next.kind === 'secret' ? next.version : '']);
    const { entries } = await world.deps.audit.page({ limit: 9 });
    expect(entries).toMatchObject([
      {
        principal: { name: 'Postroom (automatic)' },
        action: 'new credential in use',
        subject: { kind: 'provider', id: provider.id, name: provider.name },
        // Both may have been set in the same millisecond.
        changes: expect.arrayContaining([
          {
            name: 'new credential',
            before: expect.stringContaining(`set at ${next.setAt}`),
            after: undefined,
          },
        ]),
      },
    ]);
    expect(JSON.stringify(world.tables.dump('Audit'))).not.toContain('not-yet-known');
    // A process that read the row earlier still works.
    expect((await world.oauth.clientCredentials(before, SCOPES)).kind).toBe('granted');
  });

  it('keep a record of the older one until it is disabled, even if the vault refuses at first', async () => {
    const world = await startWorld();
    const provider = await world.save();
    const old = await world.secret(provider, 'old-and-gone');
    const next = await world.secret(provider, SECRET);
    await world.providers.save(withNext(withOnly(provider, old), next));
    const refusing = Object.assign(Object.create(world.vault) as MemoryVault, {
      disable: () => Promise.reject(new PostroomError('key-vault', 'denied')),
    });
    await promoteCredential({ ...world.deps, vault: refusing }, await world.read(provider), next);
    const between = await world.read(provider);
    expect(between).toMatchObject({ credential: next, nextCredential: undefined });
    expect(between.retired).toHaveLength(1);
    await promoteCredential(world.deps, between, next);
    expect((await world.read(provider)).retired).toEqual([]);
    expect(await readable(world, provider)).toEqual([next.kind === 'secret' ? next.version : '']);
  });

  it('are still promoted if the audit log cannot be written', async () => {
    const world = await startWorld();
    const provider = await world.save();
    const [old, next] = [await world.secret(provider, 'old-and-gone'), await world.secret(provider, SECRET)];
    await world.providers.save(withNext(withOnly(provider, old), next));
    const audit = { record: () => Promise.reject(new Error('storage is away')) };
    await promoteCredential({ ...world.deps, audit }, await world.read(provider), next);
    expect(await world.read(provider)).toMatchObject({ credential: next, nextCredential: undefined });
  });

  it('are not promoted by a process whose row is outdated', async () => {
    const world = await startWorld();
    const provider = await world.save();
    const [one, two, three] = [
      await world.secret(provider, 'one'),
      await world.secret(provider, 'two'),
      await world.secret(provider, 'three'),
    ];
    const stale = withNext(withOnly(provider, one), two);
    await world.providers.save(withNext(stale, three));
    await promoteCredential(world.deps, stale, two);
    expect(await world.read(provider)).toMatchObject({ credential: one, nextCredential: three });
    expect((await world.deps.audit.page({ limit: 9 })).entries).toEqual([]);
  });

  it('report whether the vault has none of them, or they were disabled', async () => {
    const world = await startWorld();
    const provider = await world.save();
    expect(await world.oauth.clientCredentials(provider, SCOPES)).toEqual({
      kind: 'unproven',
      reason: 'draft',
    });
    const credential = await world.secret(provider, SECRET);
    await world.vault.disable(
      secretName(provider.id),
      credential.kind === 'secret' ? credential.version : '',
    );
    const held = { ...provider, credential };
    expect(await world.oauth.clientCredentials(held, SCOPES)).toEqual({
      kind: 'unproven',
      reason: 'disabled',
    });
    await world.vault.remove(secretName(provider.id));
    expect(await world.oauth.clientCredentials(held, SCOPES)).toEqual({
      kind: 'unproven',
      reason: 'missing',
    });
  });
});

describe('a row', () => {
  it('stores every kind of credential, two at a time', async () => {
    const world = await startWorld();
    const provider = await world.save();
    const kinds: Credential[] = [
      await world.secret(provider, 'a'),
      await storeNewCertificate(world.deps, provider, NEXT_YEAR),
      { kind: 'federated', setAt: NEXT_YEAR },
    ];
    for (const credential of kinds)
      for (const nextCredential of [...kinds, undefined]) {
        const retired = [
          { vaultName: 'x', version: '1' },
          { vaultName: 'x', version: '2' },
        ];
        await world.providers.save({ ...provider, credential, nextCredential, retired });
        expect(await world.read(provider)).toMatchObject({ credential, nextCredential, retired });
      }
  });

  it('is changed by two processes at once without losing a change', async () => {
    const world = await startWorld();
    const provider = await world.save();
    await Promise.all([
      world.providers.change(provider.id, (row) => ({ ...row, name: `${row.name} A` })),
      world.providers.change(provider.id, (row) => ({ ...row, scopes: [...row.scopes, 'b'] })),
    ]);
    expect(await world.read(provider)).toMatchObject({ name: 'Contoso A', scopes: ['b'] });
    expect(await world.providers.change(sampleProvider().id, (row) => row)).toBeUndefined();
  });
});
