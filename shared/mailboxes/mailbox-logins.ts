import type { Mailbox, MailLogin } from './mailbox.ts';
import type { MailProtocol } from './mailbox-form.ts';

/** An account, as a mailbox refers to it. */
type AccountRef = Pick<MailLogin, 'providerId' | 'accountId'>;

/** Every login of a mailbox, by protocol; the mailbox itself is read over IMAP. */
export function loginsOf(mailbox: Mailbox): Readonly<Record<MailProtocol, MailLogin | undefined>> {
  const { host, port, providerId, accountId, pop3, sending } = mailbox;
  return { imap: { host, port, providerId, accountId }, pop3, smtp: sending };
}

const isAccount = (login: AccountRef | undefined, account: AccountRef): boolean =>
  login?.providerId === account.providerId && login.accountId === account.accountId;

/** True when an account signs in for a mailbox, over any protocol. */
export const usesAccount = (mailbox: Mailbox, account: AccountRef): boolean =>
  Object.values(loginsOf(mailbox)).some((login) => isAccount(login, account));

/** True when any account of a provider signs in for a mailbox. */
export const usesProvider = (mailbox: Mailbox, providerId: string): boolean =>
  Object.values(loginsOf(mailbox)).some((login) => login?.providerId === providerId);

/** The mailbox with one account replaced by another, in all its logins. */
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
