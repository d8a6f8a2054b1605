import type { AuditChange, Settings } from '../audit/audit.ts';
import { type Mailbox, type MailLogin, sendingLoginOf } from './mailbox.ts';
import { mailProtocols, nameOfWay } from './mailbox-form.ts';

type Account = Pick<MailLogin, 'providerId' | 'accountId'>;

/** The author of a change, and the names of accounts in its audit entry. */
export interface MailboxAuthor {
  by: AuditChange['principal'];
  /** As listed in the mailbox form; undefined for an account that is gone. */
  accountName(account: Account): string | undefined;
}

/**
 * A change of a mailbox as the audit log shows it. Pure.
 * @param change `at`: milliseconds since the epoch; `before` and `after` only when settings are shown
 */
export function mailboxEntry(
  { by, accountName }: MailboxAuthor,
  change: { at: number; action: string; mailbox: Mailbox; before?: Mailbox | undefined; after?: Mailbox },
): AuditChange {
  const { at, action, mailbox, before, after } = change;
  const { id, address } = mailbox;
  return {
    at,
    principal: by,
    action,
    subject: { kind: 'mailbox', id, name: address },
    ...(before !== undefined && { before: settingsForAudit(before, accountName) }),
    ...(after !== undefined && { after: settingsForAudit(after, accountName) }),
  };
}

function afterFetchInWords(afterFetch: Mailbox['afterFetch']): string {
  if (afterFetch.kind === 'move') return `move to ${afterFetch.folder}`;
  return afterFetch.kind === 'delete-later' ? `delete after ${afterFetch.days} days` : afterFetch.kind;
}

/** With the labels of the mailbox form. */
function settingsForAudit(mailbox: Mailbox, accountName: MailboxAuthor['accountName']): Settings {
  const { sending, afterFetch, answers } = mailbox;
  const sender = sendingLoginOf(mailbox);
  const server = (login: MailLogin | undefined): string | undefined => login && `${login.host}:${login.port}`;
  const account = (login: Account | undefined): string | undefined =>
    login && (accountName(login) ?? `${login.providerId}.${login.accountId}`);
  return {
    address: mailbox.address,
    account: account(mailbox),
    'reads over': mailProtocols[mailbox.protocol].name,
    'mail server': server(mailbox),
    folder: mailbox.folder,
    'after fetching': afterFetchInWords(afterFetch),
    'first fetch': mailbox.fetchSince === undefined ? 'unread' : `since ${mailbox.fetchSince}`,
    'automatic email': Object.entries(mailbox.classes ?? {}).map(([one, handling]) => `${one}: ${handling}`),
    'minutes between fetches': mailbox.intervalMinutes,
    'colleagues can reply': mailbox.colleaguesJoin === true ? 'yes' : undefined,
    'account that sends': account(sender),
    'sends over': sending && nameOfWay(sending.protocol ?? 'smtp'),
    'server for outgoing email': server(sender),
    'sender name': answers?.name,
    acknowledgement: answers?.acknowledgement?.language,
    'acknowledgement subject': answers?.acknowledgement?.subject,
    'acknowledgement text': answers?.acknowledgement?.text,
    'opening hours': answers?.openingHours,
    signature: answers?.signature,
    'number in the subject': answers?.tagsSubject === true ? 'yes' : undefined,
    'number in the reply address': answers?.plusAddress === true ? 'yes' : undefined,
    'told of new tickets': answers?.alertOnTicket,
    'told of replies': answers?.alertOnReply,
  };
}
