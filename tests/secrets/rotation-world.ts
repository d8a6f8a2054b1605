import { afterAll, afterEach, beforeAll, vi } from 'vitest';
import { type RunningEntra, startEntra } from '../../dev/emulators/entra/entra.ts';
import { type RunningGraph, startGraph } from '../../dev/emulators/graph/graph.ts';
import type { SecretPolicy } from '../../dev/emulators/graph/graph-call.ts';
import {
  type RunningManagedIdentity,
  startManagedIdentity,
} from '../../dev/emulators/identity/managed-identity.ts';
import { createOAuthClient, type OAuthClient } from '../../shared/accounts/oauth-client.ts';
import { createAuditStore } from '../../shared/audit/audit-store.ts';
import { managedIdentityAssertion } from '../../shared/platform/credential.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { promoteCredential } from '../../shared/providers/promote-credential.ts';
import type { Provider } from '../../shared/providers/provider.ts';
import { createProviderStore, type ProviderStore } from '../../shared/providers/provider-store.ts';
import { storeSecret } from '../../shared/providers/store-credential.ts';
import { createGraphApplications } from '../../shared/secrets/graph-applications.ts';
import type { RotateDeps } from '../../shared/secrets/rotate-secrets.ts';
import { createRotationStore, type RotationStore } from '../../shared/secrets/rotation-store.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { MemoryVault } from '../harness/memory/memory-vault.ts';
import { sampleProvider } from '../harness/memory/sample-provider.ts';
import { CLIENT, SECRET, tenant } from '../harness/stack/demo-directory.ts';

export const DAY_MS = 86_400_000;
export const NOW = Math.floor(Date.now() / 1000) * 1000;
export const SCOPES = ['https://outlook.office.com/.default'];
export const OWNED = 'Application.ReadWrite.OwnedBy';
const before = { ...process.env };
let identity: RunningManagedIdentity;
const stops: (() => Promise<void>)[] = [];

/** Starts the managed identity before all tests of a file, and stops after each what `world` started. */
export function useRotationEmulators(): void {
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
}

export interface World {
  identity: RunningManagedIdentity;
  graph: RunningGraph;
  idp: RunningEntra;
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

export interface Wish {
  permissions?: readonly string[];
  owns?: boolean;
  policy?: SecretPolicy;
  daysLeft?: number;
  enabled?: boolean;
}

export async function world(connectRequest: Wish = {}): Promise<World> {
  const { permissions = [OWNED], owns = true, daysLeft = 20, enabled = true } = connectRequest;
  const idp = await startEntra({ tenants: [tenant()] });
  stops.push(() => idp.stop());
  const graph = await startGraph({
    tenantId: identity.principalId,
    jwks: identity.jwks,
    appPermissions: { [identity.principalId]: permissions },
    onSecret: ({ secretText }) => {
      if (secretText !== undefined) idp.addClientSecret(CLIENT, { value: secretText });
    },
    ...(connectRequest.policy !== undefined && { policy: connectRequest.policy }),
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
  const demo = {
    authority: at?.issuer ?? '',
    tenant: at?.id ?? '',
    clientId: CLIENT,
    clientSecret: SECRET,
    imap: mail,
    pop3: mail,
    smtp: mail,
  };
  const oauth = createOAuthClient({
    config: { local: true, demo },
    seam: openSeam,
    vault,
    identityAssertion,
  });
  const provider = sampleProvider({ tenant: demo.tenant });
  const credential = await storeSecret({ vault, seam: openSeam }, provider.id, {
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
    identity,
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
      await promoteCredential({ providers, vault, seam: openSeam, audit }, used, answer.credential);
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

export const versionOf = ({ credential }: Provider): string =>
  credential?.kind === 'secret' ? credential.version : '';
