import type { AuditChange } from '../../shared/audit/audit.ts';
import { queueTask } from '../../shared/intake/fetch-again.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import type { Services } from '../services.ts';

/** Queues a check of a mailbox's folder, or a fetch of its missing email. The audit entry is written first. */
export async function askForCheck(
  { audit, queues, seam }: Pick<Services, 'audit' | 'queues' | 'seam'>,
  { id, address }: Mailbox,
  kind: 'check' | 'fetch-missing',
  by: AuditChange['principal'],
): Promise<void> {
  await audit.record({
    at: seam.now(),
    principal: by,
    action: kind === 'check' ? 'folder checked' : 'missing email fetched',
    subject: { kind: 'mailbox', id, name: address },
  });
  await queueTask(queues, id, { kind });
}
