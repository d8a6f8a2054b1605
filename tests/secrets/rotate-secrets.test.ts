/** Rotation of a client secret: Microsoft Graph, the identity provider and the managed identity as peers. */
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type RunningGraph, startGraph } from '../../dev/peers/graph/graph.ts';
import type { SecretPolicy } from '../../dev/peers/graph/graph-call.ts';
import {
  type RunningIdentityProvider,
  startIdentityProvider,
} from '../../dev/peers/identity-provider/identity-provider.ts';
import { type RunningManagedIdentity, startManagedIdentity } from '../../dev/peers/managed-identity.ts';
import { createOAuthClient, type OAuthClient } from '../../shared/accounts/oauth-client.ts';
import { createMailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import { managedIdentityAssertion } from '../../shared/platform/credential.ts';
import { createAuditStore } from '../../shared/audit/audit-store.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { keepSecret } from '../../shared/providers/keep-credential.ts';
import type { Provider } from '../../shared/providers/provider.ts';
import { createProviderStore, type ProviderStore } from '../../shared/providers/provider-store.ts';
import { settleCredential } from '../../shared/providers/settle-credential.ts';
import { createGraphApplications } from '../../shared/secrets/graph-applications.ts';
import { readEntraDates } from '../../shared/secrets/read-entra-dates.ts';
import { lookAtSecrets } from '../../shared/secrets/review-secrets.ts';
import { type RotateDeps, rotateSecrets } from '../../shared/secrets/rotate-secrets.ts';
import { createRotationStore, type RotationStore } from '../../shared/secrets/rotation-store.ts';
import { MemoryVault } from '../accounts/memory-vault.ts';
import { MemoryTables } from '../harness/memory-tables.ts';
import { CLIENT, SECRET, tenant } from '../peers/practice-directory.ts';
import { sampleProvider } from '../providers/sample-provider.ts';

const DAY_MS = 86_400_000;
const NOW = Math.floor(Date.now() / 1000) * 1000;
const SCOPES = ['https://outlook.office.com/.default'];
const OWNED = 'Application.ReadWrite.OwnedBy';
const before = { ...process.env };
let identity: RunningManagedIdentity;
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  identity = await startManagedIdentity({ tenantId: '3a0c7f0e-0000-4000-8000-000000000001' });
  process.env['IDENTITY_ENDPOINT'] = identity.endpoint;
  process.env['IDENTITY_HEADER'] = identity.header;
  for (const level of ['log', 'warn'] as const) vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});
afterAll(async () => {
  process.env = { ...before };
  await identity.stop();
});

interface World {
  graph: RunningGraph;
  idp: RunningIdentityProvider;
  vault: MemoryVault;
  tables: MemoryTables;
  /** Points of the seam at which the vault is away. */
  away: Set<string>;
  providers: ProviderStore;
  rotations: RotationStore;
  oauth: OAuthClient;
  deps: RotateDeps;
  provider: Provider;
  current(): Promise<Provider>;
  /** As the next refresh of a token does it. */
  use(): Promise<string>;
  /** Names of the app registration's secrets. */
  registered(): (string | null)[];
  problem(): Promise<string | undefined>;
}

interface Wish {
  permissions?: readonly string[];
  owns?: boolean;
  policy?: SecretPolicy;
  daysLeft?: number;
  enabled?: boolean;
}

async function world(wish: Wish = {}): Promise<World> {
  const { permissions = [OWNED], owns = true, daysLeft = 20, enabled = true } = wish;
  const idp = await startIdentityProvider({ tenants: [tenant()] });
  stops.push(() => idp.stop());
  const graph = await startGraph({
    tenantId: identity.principalId,
    jwks: identity.jwks,
    appPermissions: { [identity.principalId]: permissions },
    onSecret: ({ secretText }) => {
      if (secretText !== undefined) idp.addClientSecret(CLIENT, { value: secretText });
    },
    ...(wish.policy !== undefined && { policy: wish.policy }),
  });
  stops.push(() => graph.stop());
  const endDateTime = new Date(NOW + daysLeft * DAY_MS + 3_600_000).toISOString();
  registration(graph, endDateTime, owns);
  const [at] = idp.tenants;
  const tables = new MemoryTables(openSeam);
  const away = new Set<string>();
  const vault = new MemoryVault({
    ...openSeam,
    call: (point, effect) =>
      away.has(point) ? Promise.reject(new PostroomError('key-vault', 'died here')) : effect(),
  });
  const providers = createProviderStore(tables);
  const audit = createAuditStore(tables);
  const rotations = createRotationStore(tables);
  const identityAssertion = managedIdentityAssertion({
    managedIdentityClientId: undefined,
    identityEndpoint: true,
  });
  const mail = { host: 'localhost', port: 1 };
  const practice = {
    authority: at?.issuer ?? '',
    tenant: at?.id ?? '',
    clientId: CLIENT,
    clientSecret: SECRET,
    imap: mail,
    pop3: mail,
    smtp: mail,
  };
  const oauth = createOAuthClient({
    config: { local: true, practice },
    seam: openSeam,
    vault,
    identityAssertion,
  });
  const provider = sampleProvider({ tenant: practice.tenant });
  const credential = await keepSecret({ vault, seam: openSeam }, provider.id, {
    value: new Secret(SECRET),
    expiresOn: endDateTime,
  });
  await providers.save({ ...provider, credential });
  await rotations.save({
    providerId: provider.id,
    enabled,
    changedAt: new Date(NOW).toISOString(),
    changedBy: 'Ada',
    rotatedAt: undefined,
    leftover: false,
    problem: undefined,
  });
  const applications = createGraphApplications({
    seam: openSeam,
    local: true,
    identityAssertion,
    origin: graph.url,
  });
  const current = async (): Promise<Provider> => {
    const found = await providers.get(provider.id);
    if (found === undefined) throw new TypeError('no provider');
    return found;
  };
  return {
    graph,
    idp,
    vault,
    tables,
    away,
    providers,
    rotations,
    oauth,
    provider,
    deps: { seam: openSeam, audit, vault, providers, rotations, graph: applications },
    current,
    async use() {
      const used = await current();
      const answer = await oauth.clientCredentials(used, SCOPES);
      if (answer.kind !== 'granted') return answer.kind;
      await settleCredential({ providers, vault, seam: openSeam, audit }, used, answer.credential);
      return answer.credential.kind === 'secret' ? answer.credential.version : 'none';
    },
    registered: () =>
      graph.directory.applications.flatMap(({ passwordCredentials }) =>
        passwordCredentials.map(({ displayName }) => displayName),
      ),
    problem: async () => (await rotations.get(provider.id))?.problem,
  };
}

/** The app registration with the secret that a person typed, owned by the managed identity. */
function registration(graph: RunningGraph, endDateTime: string, owns: boolean): void {
  const id = '70000000-0000-4000-8000-000000000001';
  graph.directory.applications.push({
    id,
    appId: CLIENT,
    uniqueName: null,
    displayName: 'Postroom mail',
    signInAudience: 'AzureADMyOrg',
    createdDateTime: endDateTime,
    web: { redirectUris: [] },
    requiredResourceAccess: [],
    appRoles: [],
    passwordCredentials: [
      {
        keyId: '71000000-0000-4000-8000-000000000001',
        displayName: 'typed by a person',
        hint: 'pra',
        startDateTime: endDateTime,
        endDateTime,
        secretText: null,
        customKeyIdentifier: null,
      },
    ],
  });
  if (owns) graph.directory.owners[id] = [identity.principalId];
}

const versionOf = ({ credential }: Provider): string =>
  credential?.kind === 'secret' ? credential.version : '';

describe('a secret that an admin lets Postroom rotate', () => {
  test('is replaced without a moment in which neither works, and what was made before is removed', async () => {
    const desk = await world();
    const typed = versionOf(await desk.current());
    expect(await desk.use()).toBe(typed);
    await rotateSecrets(desk.deps);
    const between = await desk.current();
    expect(between.credential).toMatchObject({ version: typed });
    expect(between.nextCredential).toMatchObject({ kind: 'secret' });
    expect(desk.registered()).toEqual(['typed by a person', `Postroom ${desk.provider.id}`]);
    // Until the new one has worked, nothing more happens.
    await rotateSecrets(desk.deps);
    expect(desk.registered()).toHaveLength(2);
    const made = await desk.use();
    expect(made).not.toBe(typed);
    expect(versionOf(await desk.current())).toBe(made);
    expect([...desk.vault.disabled]).toEqual([`provider-${desk.provider.id}/${typed}`]);
    // Half a year on, the one that Postroom made is due itself.
    const later = { ...desk.deps, seam: { now: () => NOW + 160 * DAY_MS } };
    await rotateSecrets(desk.deps);
    expect((await desk.rotations.get(desk.provider.id))?.leftover).toBe(false);
    await rotateSecrets(later);
    const second = await desk.use();
    expect([typed, made]).not.toContain(second);
    await rotateSecrets(later);
    expect(desk.registered()).toEqual(['typed by a person', `Postroom ${desk.provider.id}`]);
    const [, kept] = desk.graph.directory.applications[0]?.passwordCredentials ?? [];
    const inVault = (await desk.vault.versionsOf(`provider-${desk.provider.id}`)).find(
      ({ version }) => version === second,
    );
    expect(inVault?.tags).toEqual({ provider: desk.provider.id, key: kept?.keyId });
    expect(await desk.use()).toBe(second);
    // Nobody pressed a button: the audit says by whom all the same, and never a secret.
    const audited = [];
    for await (const entry of createAuditStore(desk.tables).all({})) audited.unshift(entry);
    expect(audited.map(({ action }) => action).sort()).toEqual([
      'new credential in use',
      'new credential in use',
      'new secret made',
      'new secret made',
      'old secret removed at the app registration',
    ]);
    expect(new Set(audited.map(({ principal }) => principal.name))).toEqual(new Set(['Postroom, by itself']));
    const changes = audited.find(({ action }) => action === 'new secret made')?.changes;
    expect(changes).toMatchObject([
      { name: 'new credential', after: expect.stringMatching(/^client secret until /) },
    ]);
  });

  test('is left alone while there is time, and where nobody switched it on', async () => {
    const early = await world({ daysLeft: 40 });
    await rotateSecrets(early.deps);
    const off = await world({ enabled: false });
    await rotateSecrets(off.deps);
    expect([early.graph.requests, off.graph.requests]).toEqual([[], []]);
  });

  test.each<[string, Wish, string]>([
    ['the identity has no permission', { permissions: [] }, 'it needs Application.ReadWrite.OwnedBy'],
    ['the identity is no owner', { owns: false }, 'it needs Application.ReadWrite.OwnedBy'],
    ['a policy forbids secrets', { policy: { secrets: 'forbidden' } }, 'A policy of the tenant forbids it.'],
    ['a policy wants shorter ones', { policy: { longestDays: 90 } }, 'A policy of the tenant forbids it.'],
  ])('stays as it is when %s; the warning says why', async (_case, wish, words) => {
    const desk = await world(wish);
    const typed = versionOf(await desk.current());
    await rotateSecrets(desk.deps);
    await rotateSecrets(desk.deps);
    expect(await desk.problem()).toContain(words);
    expect(await desk.current()).toMatchObject({ nextCredential: undefined, credential: { version: typed } });
    expect(desk.registered()).toEqual(['typed by a person']);
    const mailboxes = createMailboxStore(new MemoryTables(openSeam));
    const [seen] = await lookAtSecrets({ ...desk.deps, mailboxes });
    expect(seen?.state).toMatchObject({ kind: 'due', stage: 30 });
    expect(seen?.rotationProblem).toContain(words);
    expect(await desk.use()).toBe(typed);
  });

  test.each([
    [429, 'takes no more requests'],
    [404, 'no app registration with this client ID'],
    [503, 'Microsoft Graph refused.'],
  ])('stays as it is when Graph answers %i, and the next day it is tried again', async (status, words) => {
    const desk = await world();
    desk.graph.faults.push({ match: { path: 'addPassword' }, status });
    await rotateSecrets(desk.deps);
    expect(await desk.problem()).toContain(words);
    expect((await desk.current()).nextCredential).toBeUndefined();
    await rotateSecrets(desk.deps);
    expect(await desk.problem()).toBeUndefined();
    expect((await desk.current()).nextCredential).toBeDefined();
  });

  test('stays as it is when there is no answer and when there is no identity', async () => {
    const desk = await world();
    desk.graph.faults.push({ match: { path: 'applications' }, destroy: true });
    await rotateSecrets(desk.deps);
    expect(await desk.problem()).toContain('Microsoft Graph does not answer.');
    identity.fail(500);
    const graph = createGraphApplications({
      seam: openSeam,
      local: true,
      identityAssertion: () => Promise.reject(new Error('no endpoint')),
      origin: desk.graph.url,
    });
    await rotateSecrets({ ...desk.deps, graph });
    identity.fail(undefined);
    expect(await desk.problem()).toContain('gives no token for Microsoft Graph');
  });

  test('a run that died before it had kept the value: the next one removes what nobody knows and makes another', async () => {
    const desk = await world();
    desk.away.add('vault.set');
    await expect(rotateSecrets(desk.deps)).rejects.toThrow('died here');
    desk.away.clear();
    expect(desk.registered()).toHaveLength(2);
    await rotateSecrets(desk.deps);
    expect(desk.registered()).toHaveLength(2);
    expect(await desk.use()).not.toBe('failed');
    expect((await desk.current()).nextCredential).toBeUndefined();
  });

  test('a run that died before the provider knew of it: the next one takes what was kept', async () => {
    const desk = await world();
    const providers = Object.assign(Object.create(desk.providers) as ProviderStore, desk.providers, {
      change: () => Promise.reject(new PostroomError('table-storage', 'died here')),
    });
    await expect(rotateSecrets({ ...desk.deps, providers })).rejects.toThrow('died here');
    await rotateSecrets(desk.deps);
    expect(desk.registered()).toHaveLength(2);
    expect(await desk.vault.versionsOf(`provider-${desk.provider.id}`)).toHaveLength(2);
    const next = (await desk.current()).nextCredential;
    expect(await desk.use()).toBe(next?.kind === 'secret' ? next.version : 'none');
  });
});

describe('the date of a secret', () => {
  test('is read from the directory where the identity may, and corrects what a person typed', async () => {
    const desk = await world({ daysLeft: 100 });
    const { credential } = await desk.current();
    if (credential?.kind !== 'secret') throw new TypeError();
    const entra = credential.expiresOn;
    await desk.vault.setExpiry(credential.vaultName, credential.version, '2040-01-01T00:00:00.000Z');
    await readEntraDates(desk.deps);
    const [kept] = await desk.vault.versionsOf(credential.vaultName);
    expect(kept?.expiresOn).toBe(entra);
    expect(await desk.current()).toMatchObject({
      credential: { expiresOn: entra },
      changedAt: desk.provider.changedAt,
    });
  });

  test('stands as typed where the identity may not read, or several secrets could be ours', async () => {
    const denied = await world({ permissions: [] });
    const several = await world();
    several.graph.directory.applications[0]?.passwordCredentials.push({
      keyId: '72000000-0000-4000-8000-000000000001',
      displayName: 'of another program',
      hint: 'abc',
      startDateTime: new Date(NOW).toISOString(),
      endDateTime: new Date(NOW + DAY_MS).toISOString(),
      secretText: null,
      customKeyIdentifier: null,
    });
    for (const desk of [denied, several]) {
      const typed = await desk.current();
      await readEntraDates(desk.deps);
      expect(await desk.current()).toEqual(typed);
    }
  });
});
