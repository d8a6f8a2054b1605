import type { TokenCredential } from '@azure/identity';

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
