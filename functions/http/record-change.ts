import type { Context } from 'hono';
import type { AuditChange } from '../../shared/audit/audit.ts';
import type { WebEnvironment } from './web-environment.ts';

/** Writes an audit entry for an action of the signed-in person. Call it before the action. */
export async function recordChange(
  c: Context<WebEnvironment>,
  change: Omit<AuditChange, 'at' | 'principal'>,
): Promise<void> {
  const { audit, seam } = c.get('services');
  await audit.record({ ...change, at: seam.now(), principal: c.get('principal') });
}
