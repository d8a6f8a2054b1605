import type { SecretClient, SecretClientOptions, SecretProperties } from '@azure/keyvault-secrets';
import { appCredential } from './credential.ts';
import { type Deadline, retryOnce, withDeadline } from './deadline.ts';
import { PostroomError } from './errors.ts';
import type { VaultCode } from './problem.ts';
import { field, statusOf } from './sdk-error.ts';
import type { Seam } from './seam.ts';
import { Secret } from './secret.ts';
import type { DeletedVaultEntry, Vault, VaultProperties } from './vault.ts';

type Policy = NonNullable<SecretClientOptions['additionalPolicies']>[number]['policy'];

/** Operations that are safe to retry. */
const retryable: ReadonlySet<string> = new Set(['get', 'list']);
const LONGEST_WAIT_SECONDS = 3;

/** Key Vault with the app's own identity. The SDK is loaded at the first call. */
export function azureVault(
  settings: { vaultUri: string; managedIdentityClientId: string | undefined; local: boolean },
  seam: Seam,
): Vault {
  let client: Promise<SecretClient> | undefined;

  async function call<T>(
    operation: string,
    name: string,
    effect: (client: SecretClient, deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    client ??= connect(settings);
    const ready = await client;
    const ask = retryable.has(operation) ? retryOnce : withDeadline;
    return seam.call(`vault.${operation}`, async () => {
      try {
        return await ask((deadline) => effect(ready, deadline));
      } catch (error) {
        const status = statusOf(error);
        throw new PostroomError(
          vaultCode(error),
          `Key Vault did not ${operation} ${name}${status === undefined ? '' : ` (status ${status})`}`,
          { cause: error },
        );
      }
    });
  }

  return {
    get: (name, version) =>
      call('get', name, async (vault, { signal: abortSignal }) => {
        try {
          const entry = await vault.getSecret(name, {
            abortSignal,
            ...(version !== undefined && { version }),
          });
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
      call('set', name, async (vault, { signal: abortSignal }) => {
        const entry = await vault.setSecret(name, value.expose(), {
          abortSignal,
          contentType,
          ...(tags !== undefined && { tags }),
          ...(expiresOn !== undefined && { expiresOn: new Date(expiresOn) }),
        });
        return { version: entry.properties.version ?? '' };
      }),
    disable: (name, version) =>
      call('disable', name, async (vault, { signal: abortSignal }) => {
        try {
          await vault.updateSecretProperties(name, version, { enabled: false, abortSignal });
        } catch (error) {
          if (statusOf(error) !== 404) throw error;
        }
      }),
    list: () =>
      call('list', 'the names of its secrets', async (vault, { signal: abortSignal, progress }) => {
        const all: VaultProperties[] = [];
        for await (const properties of vault.listPropertiesOfSecrets({ abortSignal })) {
          progress();
          all.push({ ...propertiesOf(properties), version: undefined });
        }
        return all;
      }),
    versionsOf: (name) =>
      call('list', `the versions of ${name}`, async (vault, { signal: abortSignal, progress }) => {
        const all: VaultProperties[] = [];
        try {
          for await (const properties of vault.listPropertiesOfSecretVersions(name, { abortSignal })) {
            progress();
            all.push(propertiesOf(properties));
          }
        } catch (error) {
          if (statusOf(error) !== 404) throw error;
        }
        return newestFirst(all);
      }),
    listDeleted: () =>
      call('list', 'its deleted secrets', async (vault, { signal: abortSignal, progress }) => {
        const all: DeletedVaultEntry[] = [];
        for await (const { name, properties, deletedOn, scheduledPurgeDate } of vault.listDeletedSecrets({
          abortSignal,
        })) {
          progress();
          all.push({
            name,
            tags: properties.tags ?? {},
            deletedOn: deletedOn?.toISOString(),
            goneOn: scheduledPurgeDate?.toISOString(),
          });
        }
        return all;
      }),
    setExpiry: (name, version, expiresOn) =>
      call('update', name, async (vault, { signal: abortSignal }) => {
        await vault.updateSecretProperties(name, version, {
          expiresOn: new Date(expiresOn),
          abortSignal,
        });
      }),
    remove: (name) =>
      call('remove', name, async (vault, { signal: abortSignal }) => {
        try {
          await vault.beginDeleteSecret(name, { abortSignal });
        } catch (error) {
          if (statusOf(error) !== 404) throw error;
        }
      }),
  };
}

/**
 * `secret-disabled` concerns one entry; codes that start with `key-vault` concern the whole vault.
 * https://learn.microsoft.com/azure/key-vault/general/rest-error-codes
 */
function vaultCode(error: unknown): VaultCode {
  const status = statusOf(error);
  if (status === 429) return 'key-vault-throttled';
  if (status !== 401 && status !== 403) return 'key-vault';
  // The SDK exposes the inner error code only in the response body.
  const answer = field(field(error, 'response'), 'bodyAsText');
  const disabled = /"SecretDisabled"|disabled secret/.test(String(answer ?? field(error, 'message')));
  return disabled ? 'secret-disabled' : 'key-vault-denied';
}

/**
 * Times have a resolution of one second. Of two versions with the same second, the one listed last counts
 * as newer.
 */
const newestFirst = (all: readonly VaultProperties[]): VaultProperties[] =>
  all.toReversed().toSorted((a, b) => b.createdOn.localeCompare(a.createdOn));

function propertiesOf(properties: SecretProperties): VaultProperties {
  const { name, version, enabled, contentType, tags, expiresOn, createdOn, updatedOn } = properties;
  return {
    name,
    version,
    enabled: enabled !== false,
    contentType,
    tags: tags ?? {},
    expiresOn: expiresOn?.toISOString(),
    createdOn: (createdOn ?? new Date(0)).toISOString(),
    updatedOn: (updatedOn ?? new Date(0)).toISOString(),
  };
}

/**
 * The library honors any Retry-After, even an hour. Our callers can't wait that long, so a longer delay
 * ends the retries and the throttling response is returned as the result.
 */
const waitShortly: Policy['sendRequest'] = async (request, next) => {
  const response = await next(request);
  const asked = response.headers.get('retry-after');
  if (asked !== undefined && !(Number(asked) <= LONGEST_WAIT_SECONDS)) response.headers.delete('retry-after');
  return response;
};

async function connect(settings: {
  vaultUri: string;
  managedIdentityClientId: string | undefined;
  local: boolean;
}): Promise<SecretClient> {
  const { SecretClient } = await import('@azure/keyvault-secrets');
  const credential = await appCredential(settings.managedIdentityClientId);
  // The client requires the vault's host name to match the challenge's resource, which an emulator on
  // loopback can't satisfy.
  return new SecretClient(settings.vaultUri, credential, {
    disableChallengeResourceVerification: settings.local,
    additionalPolicies: [{ policy: { name: 'shortWaits', sendRequest: waitShortly }, position: 'perRetry' }],
  });
}
