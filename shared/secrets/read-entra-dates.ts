import { log } from '../platform/log.ts';
import type { Vault } from '../platform/vault.ts';
import { isSameCredential } from '../providers/credential.ts';
import type { Provider } from '../providers/provider.ts';
import type { ProviderStore } from '../providers/provider-store.ts';
import type { DirectorySecret, GraphApplications } from './graph-applications.ts';
import { canRotate } from './rotate-secrets.ts';

export interface EntraDatesDeps {
  vault: Pick<Vault, 'versionsOf' | 'setExpiry'>;
  providers: ProviderStore;
  graph: Pick<GraphApplications, 'secrets'>;
}

/**
 * Replaces manually entered expiry dates by those of the directory, if the managed identity may read them.
 * Idempotent.
 * @throws PostroomError when the vault or storage is unavailable
 */
export async function readEntraDates(deps: EntraDatesDeps): Promise<void> {
  for (const provider of await deps.providers.list()) if (canRotate(provider)) await readOne(deps, provider);
}

async function readOne(deps: EntraDatesDeps, provider: Provider): Promise<void> {
  const { credential } = provider;
  if (credential?.kind !== 'secret') return;
  const { vaultName, version } = credential;
  const versions = await deps.vault.versionsOf(vaultName);
  const kept = versions.find((one) => one.version === version);
  if (kept === undefined) return;
  const answer = await deps.graph.secrets(provider);
  if (answer.kind === 'refused') return;
  const expiresOn = secretOf(kept.tags['key'], answer.secrets)?.expiresOn;
  if (expiresOn === undefined) return;
  if (kept.expiresOn !== expiresOn) {
    await deps.vault.setExpiry(vaultName, version, expiresOn);
    log.info('date of a secret read from the directory', { provider: provider.id, expiresOn });
  }
  if (credential.expiresOn === expiresOn) return;
  // The settings did not change, so `changedAt` stays.
  await deps.providers.change(provider.id, (current) =>
    current.credential?.kind === 'secret' && isSameCredential(current.credential, credential)
      ? { ...current, credential: { ...current.credential, expiresOn } }
      : undefined,
  );
}

/**
 * The secret with our key ID, or the only one. If there are several, ours can't be identified without its
 * value.
 */
function secretOf(key: string | undefined, secrets: readonly DirectorySecret[]): DirectorySecret | undefined {
  if (key !== undefined) return secrets.find(({ keyId }) => keyId === key);
  return secrets.length === 1 ? secrets[0] : undefined;
}
