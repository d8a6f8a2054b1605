import { log } from '../platform/log.ts';
import type { Vault } from '../platform/vault.ts';
import { auditSystemChange, type RecordDeps } from './audit-system-change.ts';
import { type Credential, isSameCredential, withNextProven } from './credential.ts';
import type { Provider } from './provider.ts';
import type { ProviderStore } from './provider-store.ts';

interface DisableDeps {
  providers: ProviderStore;
  vault: Vault;
}

export interface PromoteDeps extends DisableDeps, RecordDeps {}

/**
 * Called when a credential has worked. If it is the next one, it replaces the current one, which is
 * disabled in Key Vault. The row changes first, so a crash in between leaves a record of what still has to
 * be disabled. The audit log shows the change as automatic. Call it after the result of the request is
 * stored.
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

/**
 * Disables the versions that the row lists as retired. If one can't be disabled now, it stays listed for
 * the next time.
 */
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
