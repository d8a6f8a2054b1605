import type { Seam } from '../platform/seam.ts';
import type { MailboxStore } from './mailbox-store.ts';

/**
 * Whether an address is one of ours: `support+anything@` is an address of the mailbox `support@`. Pure.
 * @param own lower-case addresses of all our mailboxes
 */
export function isOwnAddress(address: string, own: ReadonlySet<string>): boolean {
  const lower = address.toLowerCase();
  return own.has(lower) || own.has(lower.replace(/\+[^@]*@/, '@'));
}

/** How long an instance knows the mailboxes: a new one is one of ours half a minute later. */
const FRESH_MS = 30_000;

/**
 * Lower-case addresses of all mailboxes, read from storage at most twice a minute: the intake asks for each batch.
 * The function throws PostroomError when storage is unavailable.
 */
export function recentAddresses(
  mailboxes: Pick<MailboxStore, 'list'>,
  { now }: Pick<Seam, 'now'>,
): () => Promise<ReadonlySet<string>> {
  let read: { at: number; addresses: ReadonlySet<string> } | undefined;
  return async () => {
    // If the clock was set back, the cache is not fresh.
    if (read === undefined || now() - read.at >= FRESH_MS || now() < read.at) {
      const all = await mailboxes.list();
      read = { at: now(), addresses: new Set(all.map(({ address }) => address.toLowerCase())) };
    }
    return read.addresses;
  };
}
