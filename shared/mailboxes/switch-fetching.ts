import type { AuditChange } from '../audit/audit.ts';
import type { AuditStore } from '../audit/audit-store.ts';
import type { Seam } from '../platform/seam.ts';
import type { Mailbox } from './mailbox.ts';
import type { MailboxStore } from './mailbox-store.ts';

/** Pauses or resumes the fetching of a mailbox. The audit entry is written before the row. */
export async function switchFetching(
  deps: {
    audit: Pick<AuditStore, 'record'>;
    mailboxes: Pick<MailboxStore, 'save'>;
    seam: Pick<Seam, 'now'>;
  },
  mailbox: Mailbox,
  enabled: boolean,
  by: AuditChange['principal'],
): Promise<void> {
  const { id, address } = mailbox;
  await deps.audit.record({
    at: deps.seam.now(),
    principal: by,
    action: enabled ? 'resumed' : 'paused',
    subject: { kind: 'mailbox', id, name: address },
  });
  await deps.mailboxes.save({ ...mailbox, enabled });
}
