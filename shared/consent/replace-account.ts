import type { Account } from '../accounts/account.ts';
import type { AccountStore } from '../accounts/account-store.ts';
import { usesAccount, withAccount } from '../mailboxes/mailbox-logins.ts';
import type { MailboxStore } from '../mailboxes/mailbox-store.ts';

/**
 * One account takes the place of another: at one mailbox, or at all. An account that no mailbox needs any more is
 * removed; it would only be found dead one day. Returns the addresses of the mailboxes that changed hands.
 */
export async function replaceAccount(
  deps: { accounts: Pick<AccountStore, 'remove'>; mailboxes: Pick<MailboxStore, 'list' | 'save'> },
  before: Account,
  after: Account,
  mailboxId: string | undefined,
): Promise<string[]> {
  const all = await deps.mailboxes.list();
  const served = all.filter((mailbox) => usesAccount(mailbox, before));
  const moved = served.filter(({ id }) => mailboxId === undefined || id === mailboxId);
  for (const mailbox of moved) await deps.mailboxes.save(withAccount(mailbox, before, after));
  if (moved.length === served.length) await deps.accounts.remove(before);
  return moved.map(({ address }) => address);
}
