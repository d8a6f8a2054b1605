import type { AuditChange } from '../audit/audit.ts';
import type { AuditStore } from '../audit/audit-store.ts';
import type { Seam } from '../platform/seam.ts';
import type { SenderRule } from './sender-rule.ts';
import type { SenderRuleStore } from './sender-rule-store.ts';

export interface SenderRuleDeps {
  seam: Pick<Seam, 'now'>;
  audit: Pick<AuditStore, 'record'>;
  senderRules: Pick<SenderRuleStore, 'list' | 'save' | 'remove'>;
}

/**
 * Replaces or removes the rule for a sender. The audit entry is written before the row: a crash leaves no
 * change without its entry. Does nothing if the rule is unchanged.
 * @param sender as returned by `parseSender`
 * @param kind undefined removes the rule
 * @returns whether anything changed
 */
export async function changeSenderRule(
  { seam, audit, senderRules }: SenderRuleDeps,
  sender: string,
  kind: SenderRule['kind'] | undefined,
  by: AuditChange['principal'],
): Promise<boolean> {
  const before = (await senderRules.list()).find((rule) => rule.sender === sender);
  if (before?.kind === kind) return false;
  const at = seam.now();
  await audit.record({
    at,
    principal: by,
    action: kind ?? (before?.kind === 'allowed' ? 'no longer always allowed' : 'unblocked'),
    subject: { kind: 'sender', id: sender, name: sender },
    ...(before !== undefined && { before: { rule: before.kind } }),
    ...(kind !== undefined && { after: { rule: kind } }),
  });
  if (kind === undefined) await senderRules.remove(sender);
  else await senderRules.save({ sender, kind, addedAt: new Date(at).toISOString(), addedBy: by.name });
  return true;
}
