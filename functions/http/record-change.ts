import type { Context } from 'hono';
import type { AuditChange } from '../../shared/audit/audit.ts';
import type { WebEnvironment } from './web-environment.ts';

/** Writes a change of the signed-in person into the audit, once it is done. */
export async function recordChange(
  c: Context<WebEnvironment>,
  change: Omit<AuditChange, 'at' | 'principal'>,
): Promise<void> {
  const { audit, seam } = c.get('services');
  await audit.record({ ...change, at: seam.now(), principal: c.get('principal') });
}
