import { type Mailbox, type MailLogin, type SendingLogin, sendingLoginOf } from './mailbox.ts';

/** An account, as a mailbox refers to it. */
type AccountRef = Pick<MailLogin, 'providerId' | 'accountId'>;

/** The logins of a mailbox. */
export function loginsOf(mailbox: Mailbox): { reading: MailLogin; sending: SendingLogin | undefined } {
  const { host, port, providerId, accountId } = mailbox;
  return { reading: { host, port, providerId, accountId }, sending: sendingLoginOf(mailbox) };
}

/** True when a login is of this account; false where there is no login. */
export const isLoginOf = (login: AccountRef | undefined, account: AccountRef): boolean =>
  login?.providerId === account.providerId && login.accountId === account.accountId;

/** True when an account signs in for a mailbox, over any protocol. */
export const usesAccount = (mailbox: Mailbox, account: AccountRef): boolean =>
  Object.values(loginsOf(mailbox)).some((login) => isLoginOf(login, account));

/** True when any account of a provider signs in for a mailbox. */
export const usesProvider = (mailbox: Mailbox, providerId: string): boolean =>
  Object.values(loginsOf(mailbox)).some((login) => login?.providerId === providerId);

/** The mailbox with one account replaced by another, in all its logins. */
export function withAccount(mailbox: Mailbox, before: AccountRef, after: AccountRef): Mailbox {
  const { providerId, accountId } = after;
  const login = sendingLoginOf(mailbox);
  return {
    ...mailbox,
    ...(isLoginOf(mailbox, before) && { providerId, accountId }),
    sending: login && isLoginOf(login, before) ? { ...login, providerId, accountId } : mailbox.sending,
  };
}
