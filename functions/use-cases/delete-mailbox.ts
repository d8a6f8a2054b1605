import { createReconciliationStore } from '../../shared/intake/reconciliation-records.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { type MailboxAuthor, mailboxEntry } from '../../shared/mailboxes/mailbox-entry.ts';
import type { Services } from '../services.ts';

/**
 * Deletes a mailbox, its connection tests and the check of its folder; tickets and unimported email stay. The
 * audit entry is written first and the mailbox's own row is removed last, so that an interrupted deletion can be
 * repeated from its page.
 */
export async function deleteMailbox(
  services: Pick<Services, 'audit' | 'connectionTests' | 'mailboxes' | 'seam' | 'tables'>,
  mailbox: Mailbox,
  author: MailboxAuthor,
): Promise<void> {
  const at = services.seam.now();
  await services.audit.record(mailboxEntry(author, { at, action: 'deleted', mailbox, before: mailbox }));
  await services.connectionTests.remove(mailbox.id);
  await createReconciliationStore(services.tables).remove(mailbox.id);
  await services.mailboxes.remove(mailbox.id);
}
