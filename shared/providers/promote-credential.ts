import { log } from '../platform/log.ts';
import type { Vault } from '../platform/vault.ts';
import { type Credential, isSameCredential, withNextProven } from './credential.ts';
import type { Provider } from './provider.ts';
import type { ProviderStore } from './provider-store.ts';
import { type RecordDeps, auditSystemChange } from './audit-system-change.ts';

interface DisableDeps {
  providers: ProviderStore;
  vault: Vault;
}

export interface PromoteDeps extends DisableDeps, RecordDeps {}

/**
 * A credential has worked. If it is the next one, it takes the place of the one before, which is disabled in Key Vault.
 * The row changes first: a process that dies in between leaves a note of what is still to be disabled. The audit says
 * that it happened by itself. Call it after whatever the credential brought is stored.
 */
export async function promoteCredential(
  deps: PromoteDeps,
  provider: Provider,
  worked: Credential,
): Promise<void> {
  const isNext = isSameCredential(provider.nextCredential, worked);
  let before = provider;
  const proven = isNext
    ? await deps.providers.change(provider.id, (current) => {
        before = current;
        return isSameCredential(current.nextCredential, worked) ? withNextProven(current) : undefined;
      })
    : undefined;
  if (proven !== undefined) await auditSystemChange(deps, 'new credential in use', before, proven);
  await disableRetired(deps, proven ?? provider);
}

/** Disables what the row says is no longer used. What cannot be disabled now stays noted for the next time. */
export async function disableRetired(deps: DisableDeps, provider: Provider): Promise<void> {
  const disabled: string[] = [];
  for (const { vaultName, version } of provider.retired) {
    try {
      await deps.vault.disable(vaultName, version);
      disabled.push(version);
    } catch (error) {
      log.error('credential not disabled', error, { provider: provider.id, version });
    }
  }
  if (disabled.length === 0) return;
  await deps.providers.change(provider.id, (current) => ({
    ...current,
    retired: current.retired.filter(({ version }) => !disabled.includes(version)),
  }));
}
