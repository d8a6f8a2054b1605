import type { Account } from '../accounts/account.ts';
import type { AccountStore } from '../accounts/account-store.ts';
import type { Mailbox } from '../mailboxes/mailbox.ts';
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
  const served = all.filter((mailbox) => isServedBy(mailbox, before));
  const moved = served.filter(({ id }) => mailboxId === undefined || id === mailboxId);
  for (const mailbox of moved) await deps.mailboxes.save(servedBy(mailbox, before, after));
  if (moved.length === served.length) await deps.accounts.remove(before);
  return moved.map(({ address }) => address);
}

const isAccount = (ref: { providerId: string; accountId: string }, account: Account): boolean =>
  ref.providerId === account.providerId && ref.accountId === account.accountId;

const isServedBy = (mailbox: Mailbox, account: Account): boolean =>
  isAccount(mailbox, account) || (mailbox.sending !== undefined && isAccount(mailbox.sending, account));

function servedBy(mailbox: Mailbox, before: Account, { providerId, accountId }: Account): Mailbox {
  const { sending } = mailbox;
  return {
    ...mailbox,
    ...(isAccount(mailbox, before) && { providerId, accountId }),
    ...(sending !== undefined &&
      isAccount(sending, before) && { sending: { ...sending, providerId, accountId } }),
  };
}
