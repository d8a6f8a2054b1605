import { allIn, createReconciliationStore } from '../../shared/intake/reconciliation-records.ts';
import type { Mailbox, MailboxHealth } from '../../shared/mailboxes/mailbox.ts';
import { healthOf } from '../../shared/mailboxes/mailbox-store.ts';
import type { Services } from '../services.ts';

/**
 * What Postroom last knew about a mailbox when an email was not found, so that an agent can judge the result.
 */
export interface MailboxSnapshot {
  mailbox: Mailbox;
  health: MailboxHealth;
  /** Messages in the folder at the last check. */
  inFolder: number | undefined;
  /** ISO time of that check. */
  checkedAt: string | undefined;
  missing: number;
}

/** @throws PostroomError when storage is unavailable */
export async function snapshotMailboxes(
  { mailboxes, tables }: Pick<Services, 'mailboxes' | 'tables'>,
  wanted: readonly Mailbox[],
): Promise<MailboxSnapshot[]> {
  const [state, { checks }] = await Promise.all([
    mailboxes.fetchState(),
    createReconciliationStore(tables).all(),
  ]);
  return wanted.map((mailbox) => {
    const { count, checkedAt } = checks.get(mailbox.id) ?? {};
    return {
      mailbox,
      health: healthOf(mailbox, state),
      inFolder: count === undefined ? undefined : allIn(count),
      checkedAt,
      missing: count?.missing ?? 0,
    };
  });
}
