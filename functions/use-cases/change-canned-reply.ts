import type { AuditChange } from '../../shared/audit/audit.ts';
import type { CannedReply } from '../../shared/replies/canned-reply.ts';
import type { Services } from '../services.ts';

/**
 * Adds, changes or deletes a canned reply. The audit entry is written before the row: a crash leaves no change
 * without its entry.
 * @param after undefined deletes it
 */
export async function changeCannedReply(
  { audit, seam, cannedReplies }: Pick<Services, 'audit' | 'seam' | 'cannedReplies'>,
  before: CannedReply | undefined,
  after: CannedReply | undefined,
  by: AuditChange['principal'],
): Promise<void> {
  const subject = after ?? before;
  if (subject === undefined) return;
  await audit.record({
    at: seam.now(),
    principal: by,
    action: before === undefined ? 'added' : after === undefined ? 'deleted' : 'changed',
    subject: { kind: 'canned-reply', id: subject.id, name: subject.name },
    ...(before !== undefined && { before: { name: before.name, text: before.text } }),
    ...(after !== undefined && { after: { name: after.name, text: after.text } }),
  });
  if (after === undefined) await cannedReplies.remove(subject.id);
  else await cannedReplies.save(after);
}
