import type { TokenCredential } from '@azure/identity';
import { PostroomError } from './errors.ts';
import { Secret } from './secret.ts';

let cached: { clientId: string | undefined; credential: TokenCredential } | undefined;

/** The app's own identity in Azure: the user-assigned managed identity, or whoever is signed in on a developer's machine. */
export async function appCredential(clientId: string | undefined): Promise<TokenCredential> {
  if (cached?.clientId === clientId && cached !== undefined) return cached.credential;
  const { DefaultAzureCredential } = await import('@azure/identity');
  const credential = new DefaultAzureCredential(
    clientId === undefined ? {} : { managedIdentityClientId: clientId },
  );
  cached = { clientId, credential };
  return credential;
}

/**
 * Gets a token of the managed identity for an audience (`api://…`). An app registration with a federated
 * credential accepts it as a client assertion.
 */
export type IdentityAssertion = (audience: string) => Promise<Secret>;

/**
 * Asks only the identity endpoint of the Functions host: an identity on a developer's machine can't
 * authenticate the app. The library caches the token until shortly before it expires.
 * https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity
 */
export function managedIdentityAssertion(settings: {
  managedIdentityClientId: string | undefined;
  identityEndpoint: boolean;
}): IdentityAssertion {
  const { managedIdentityClientId: clientId, identityEndpoint } = settings;
  let identity: Promise<TokenCredential> | undefined;
  return async (audience) => {
    // Without this check the library would try the identity endpoint of a virtual machine, an address we do
    // not use.
    if (!identityEndpoint)
      throw new PostroomError(
        'no-identity',
        'The managed identity returned no token: there is none on this machine.',
      );
    identity ??= import('@azure/identity').then(
      ({ ManagedIdentityCredential }) =>
        new ManagedIdentityCredential(clientId === undefined ? {} : { clientId }),
    );
    const answer = await (await identity).getToken(`${audience}/.default`);
    if (answer === null) throw new PostroomError('no-identity', 'The managed identity returned no token.');
    return new Secret(answer.token);
  };
}
