import type { Mailbox, MailLogin } from './mailbox.ts';
import type { MailProtocol } from './mailbox-form.ts';

/** An account, as a mailbox names it. */
type AccountRef = Pick<MailLogin, 'providerId' | 'accountId'>;

/** Every server at which somebody signs in for a mailbox, by protocol; the mailbox itself is read over IMAP. */
export function loginsOf(mailbox: Mailbox): Readonly<Record<MailProtocol, MailLogin | undefined>> {
  const { host, port, providerId, accountId, pop3, sending } = mailbox;
  return { imap: { host, port, providerId, accountId }, pop3, smtp: sending };
}

const isAccount = (login: AccountRef | undefined, account: AccountRef): boolean =>
  login?.providerId === account.providerId && login.accountId === account.accountId;

/** True when an account signs in for a mailbox, over whichever protocol. */
export const usesAccount = (mailbox: Mailbox, account: AccountRef): boolean =>
  Object.values(loginsOf(mailbox)).some((login) => isAccount(login, account));

/** True when some account of a provider signs in for a mailbox. */
export const usesProvider = (mailbox: Mailbox, providerId: string): boolean =>
  Object.values(loginsOf(mailbox)).some((login) => login?.providerId === providerId);

/** A mailbox with one account in the place of another, wherever that signed in. */
export function withAccount(mailbox: Mailbox, before: AccountRef, after: AccountRef): Mailbox {
  const { providerId, accountId } = after;
  const moved = (login: MailLogin | undefined): MailLogin | undefined =>
    login !== undefined && isAccount(login, before) ? { ...login, providerId, accountId } : login;
  return {
    ...mailbox,
    ...(isAccount(mailbox, before) && { providerId, accountId }),
    pop3: moved(mailbox.pop3),
    sending: moved(mailbox.sending),
  };
}
