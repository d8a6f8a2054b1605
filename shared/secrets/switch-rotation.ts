import type { AuditChange } from '../audit/audit.ts';
import type { AuditStore } from '../audit/audit-store.ts';
import type { Seam } from '../platform/seam.ts';
import type { Provider } from '../providers/provider.ts';
import type { RotationStore } from './rotation-store.ts';

/**
 * Turns automatic rotation of a provider's client secrets on or off. The audit entry is written before the
 * row.
 */
export async function switchRotation(
  deps: {
    audit: Pick<AuditStore, 'record'>;
    rotations: Pick<RotationStore, 'get' | 'save'>;
    seam: Pick<Seam, 'now'>;
  },
  { id, name }: Provider,
  enabled: boolean,
  by: AuditChange['principal'],
): Promise<void> {
  const now = deps.seam.now();
  const before = await deps.rotations.get(id);
  await deps.audit.record({
    at: now,
    principal: by,
    action: enabled ? 'rotation switched on' : 'rotation switched off',
    subject: { kind: 'provider', id, name },
  });
  await deps.rotations.save({
    rotatedAt: undefined,
    leftover: false,
    ...before,
    providerId: id,
    enabled,
    changedAt: new Date(now).toISOString(),
    changedBy: by.name,
    problem: undefined,
  });
}
