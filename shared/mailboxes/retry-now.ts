import type { MailboxStore } from './mailbox-store.ts';

/**
 * Called after a provider was fixed: its mailboxes are retried at the next fetch instead of at their next
 * retry time. Their failure stays until a fetch has succeeded.
 * @param now milliseconds since the epoch
 */
export async function retryNow(
  mailboxes: Pick<MailboxStore, 'list' | 'fetchState' | 'setFailure'>,
  providerId: string,
  now: number,
): Promise<void> {
  const { failing } = await mailboxes.fetchState();
  if (failing.size === 0) return;
  for (const mailbox of await mailboxes.list()) {
    const failure = failing.get(mailbox.id);
    if (mailbox.providerId !== providerId || failure?.state !== 'action-required') continue;
    await mailboxes.setFailure(mailbox.id, { ...failure, nextTryAt: new Date(now).toISOString() });
  }
}
