import type { Account, AccountRef } from '../accounts/account.ts';
import type { AccountStore } from '../accounts/account-store.ts';
import type { Mailbox } from '../mailboxes/mailbox.ts';
import { usesAccount, withAccount } from '../mailboxes/mailbox-logins.ts';
import type { MailboxStore } from '../mailboxes/mailbox-store.ts';

export interface Replacement {
  before: Account;
  /** Mailboxes that switch to the new account. */
  moved: readonly Mailbox[];
  /** False while another mailbox still needs the old account. */
  removesBefore: boolean;
}

/**
 * Plans the replacement of an account, at one mailbox or at all. An account that no mailbox needs any more
 * is removed, so that it does not fail unnoticed later. Pure.
 */
export function planReplacement(
  all: readonly Mailbox[],
  before: Account,
  mailboxId: string | undefined,
): Replacement {
  const served = all.filter((mailbox) => usesAccount(mailbox, before));
  const moved = served.filter(({ id }) => mailboxId === undefined || id === mailboxId);
  return { before, moved, removesBefore: moved.length === served.length };
}

/**
 * Applies a replacement. The old account is removed last, so that an interrupted replacement can be
 * repeated.
 */
export async function replaceAccount(
  deps: { accounts: Pick<AccountStore, 'remove'>; mailboxes: Pick<MailboxStore, 'save'> },
  { before, moved, removesBefore }: Replacement,
  after: AccountRef,
): Promise<void> {
  for (const mailbox of moved) await deps.mailboxes.save(withAccount(mailbox, before, after));
  if (removesBefore) await deps.accounts.remove(before);
}
