import type { SecretClient } from '@azure/keyvault-secrets';
import { appCredential } from './credential.ts';
import { PostroomError } from './errors.ts';
import { statusOf } from './sdk-error.ts';
import type { Seam } from './seam.ts';
import { Secret } from './secret.ts';
import type { Vault } from './vault.ts';

/** Key Vault with the app's own identity. The SDK is loaded at the first call. */
export function azureVault(
  settings: { vaultUri: string; managedIdentityClientId: string | undefined; local: boolean },
  seam: Seam,
): Vault {
  let client: Promise<SecretClient> | undefined;

  async function call<T>(
    operation: string,
    name: string,
    effect: (client: SecretClient) => Promise<T>,
  ): Promise<T> {
    client ??= connect(settings);
    const ready = await client;
    return seam.call(`vault.${operation}`, async () => {
      try {
        return await effect(ready);
      } catch (error) {
        const status = statusOf(error);
        throw new PostroomError(
          'key-vault',
          `Key Vault did not ${operation} ${name}${status === undefined ? '' : ` (status ${status})`}`,
          { cause: error },
        );
      }
    });
  }

  return {
    get: (name, version) =>
      call('get', name, async (vault) => {
        try {
          const entry = await vault.getSecret(name, version === undefined ? {} : { version });
          return {
            value: new Secret(entry.value ?? ''),
            version: entry.properties.version ?? '',
            expiresOn: entry.properties.expiresOn?.toISOString(),
          };
        } catch (error) {
          if (statusOf(error) === 404) return undefined;
          throw error;
        }
      }),
    set: (name, value, { expiresOn, contentType, tags }) =>
      call('set', name, async (vault) => {
        const entry = await vault.setSecret(name, value.expose(), {
          contentType,
          ...(tags !== undefined && { tags }),
          ...(expiresOn !== undefined && { expiresOn: new Date(expiresOn) }),
        });
        return { version: entry.properties.version ?? '' };
      }),
    remove: (name) =>
      call('remove', name, async (vault) => {
        try {
          await vault.beginDeleteSecret(name);
        } catch (error) {
          if (statusOf(error) !== 404) throw error;
        }
      }),
  };
}

async function connect(settings: {
  vaultUri: string;
  managedIdentityClientId: string | undefined;
  local: boolean;
}): Promise<SecretClient> {
  const { SecretClient } = await import('@azure/keyvault-secrets');
  const credential = await appCredential(settings.managedIdentityClientId);
  // The client insists that the vault's host ends in the challenge's resource, which a vault on this machine cannot.
  return new SecretClient(settings.vaultUri, credential, {
    disableChallengeResourceVerification: settings.local,
  });
}
