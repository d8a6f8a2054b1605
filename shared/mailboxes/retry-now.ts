import type { MailboxStore } from './mailbox-store.ts';

/**
 * After a person has mended a provider: its mailboxes that wait for one are tried with the next fetches, and not only
 * when their time has come. Their failure stands until a fetch has shown that it is over.
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
