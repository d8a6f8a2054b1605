import type { AuditChange } from '../../shared/audit/audit.ts';
import { secretName } from '../../shared/providers/credential.ts';
import type { Provider } from '../../shared/providers/provider.ts';
import { providerEntry } from '../../shared/providers/provider-entry.ts';
import type { Services } from '../services.ts';

/**
 * Deletes a provider with its accounts and secrets. The audit entry is written first and the provider's own
 * row is removed last: an interrupted deletion is in the audit log, and can be repeated from the provider's
 * page.
 */
export async function deleteProvider(
  services: Pick<
    Services,
    'accounts' | 'accessTokens' | 'audit' | 'providers' | 'rotations' | 'seam' | 'setUpApprovals' | 'vault'
  >,
  provider: Provider,
  by: AuditChange['principal'],
): Promise<void> {
  const at = services.seam.now();
  await services.audit.record(providerEntry({ at, principal: by, action: 'deleted', before: provider }));
  for (const account of await services.accounts.listOf(provider.id)) {
    await services.accounts.remove(account);
    services.accessTokens.forget(account);
  }
  await services.vault.remove(secretName(provider.id));
  await services.rotations.remove(provider.id);
  await services.setUpApprovals.remove(provider.id);
  await services.providers.remove(provider.id);
}
