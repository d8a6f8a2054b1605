import type { AuditChange } from '../audit/audit.ts';
import { withoutNext } from './credential.ts';
import { disableRetired, type PromoteDeps } from './promote-credential.ts';
import type { Provider } from './provider.ts';
import { providerEntry } from './provider-entry.ts';

/**
 * Discards a next credential that has not worked yet and keeps the current one. The audit entry is written
 * before the row.
 */
export async function discardCredential(
  deps: PromoteDeps,
  provider: Provider,
  by: AuditChange['principal'],
): Promise<void> {
  if (provider.nextCredential === undefined) return;
  const discarded = (current: Provider): Provider => ({ ...withoutNext(current), preflight: undefined });
  const entry = { action: 'new credential discarded', before: provider, after: discarded(provider) };
  await deps.audit.record(providerEntry({ ...entry, at: deps.seam.now(), principal: by }));
  const changed = await deps.providers.change(provider.id, (current) =>
    current.nextCredential === undefined ? undefined : discarded(current),
  );
  if (changed !== undefined) await disableRetired(deps, changed);
}
