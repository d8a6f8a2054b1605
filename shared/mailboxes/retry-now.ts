import type { MailboxStore } from './mailbox-store.ts';

/**
 * After a person has mended a provider: its mailboxes that wait for one are tried with the next fetches, and not only
 * when their time has come. Their trouble stands until a fetch has shown that it is over.
 * @param now milliseconds since the epoch
 */
export async function retryNow(
  mailboxes: Pick<MailboxStore, 'list' | 'fetchState' | 'saveTrouble'>,
  providerId: string,
  now: number,
): Promise<void> {
  const { troubles } = await mailboxes.fetchState();
  if (troubles.size === 0) return;
  for (const mailbox of await mailboxes.list()) {
    const trouble = troubles.get(mailbox.id);
    if (mailbox.providerId !== providerId || trouble?.state !== 'needs-person') continue;
    await mailboxes.saveTrouble(mailbox.id, { ...trouble, nextTryAt: new Date(now).toISOString() });
  }
}
