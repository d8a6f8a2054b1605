import type { RunningGraph } from '../../../dev/emulators/graph/graph.ts';
import type { Stack } from '../../../dev/stack.ts';
import type { Services } from '../../../functions/services.ts';

const DAY_MS = 86_400_000;

/**
 * A provider whose secret expires in twenty days and may be rotated: enabled in Postroom, and its app registration in the
 * directory of the Graph emulator, owned by the managed identity.
 */
export async function makeRotationDue(
  { services, stack, graph }: { services: Services; stack: Stack; graph: RunningGraph },
  providerId: string,
): Promise<void> {
  const expiresOn = new Date(Math.floor(Date.now() / 1000) * 1000 + 20 * DAY_MS).toISOString();
  await services.providers.change(providerId, (provider) =>
    provider.credential?.kind === 'secret'
      ? { ...provider, nextCredential: undefined, credential: { ...provider.credential, expiresOn } }
      : undefined,
  );
  const at = new Date().toISOString();
  await services.rotations.save({
    providerId,
    enabled: true,
    changedAt: at,
    changedBy: 'Ada',
    rotatedAt: undefined,
    leftover: false,
    problem: undefined,
  });
  const id = '70000000-0000-4000-8000-000000000001';
  graph.directory.applications.push({
    id,
    appId: stack.identityProvider.clientId,
    uniqueName: null,
    displayName: 'Postroom mail',
    signInAudience: 'AzureADMyOrg',
    createdDateTime: at,
    web: { redirectUris: [] },
    requiredResourceAccess: [],
    appRoles: [],
    passwordCredentials: [],
  });
  graph.directory.owners[id] = [stack.managedIdentity.principalId];
}
