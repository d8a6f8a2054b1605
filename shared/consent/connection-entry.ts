import type { Account } from '../accounts/account.ts';
import type { AuditChange } from '../audit/audit.ts';
import type { ConsentAttempt } from './consent.ts';
import type { Replacement } from './replace-account.ts';

/** A connected account as the audit log shows it. Pure. */
export function connectionEntry(connection: {
  /** Milliseconds since the epoch. */
  at: number;
  attempt: ConsentAttempt;
  account: Account;
  replacement: Replacement | undefined;
  initiatorName?: string | undefined;
}): AuditChange {
  const { at, attempt, account, replacement, initiatorName } = connection;
  const { connectRequest } = attempt;
  const mailboxes = replacement?.moved.map(({ address }) => address);
  return {
    at,
    principal: initiatorInAudit(attempt, account, initiatorName),
    action: connectRequest.reconnect === undefined ? 'connected' : 'connected again',
    subject: { kind: 'account', id: account.accountId, name: account.user },
    ...(replacement !== undefined && {
      before: { 'signs in': nameOf(replacement.before), 'at mailboxes': mailboxes },
    }),
    after: {
      mailbox: connectRequest.address,
      scopes: account.scopes,
      ...(connectRequest.confirmed === account.accountId && {
        'subject confirmed by hand': account.identity.subject,
      }),
      ...(replacement !== undefined && { 'signs in': nameOf(account), 'at mailboxes': mailboxes }),
    },
  };
}

/** Two accounts with the same username differ only in their object ID. */
const nameOf = ({ user, identity }: Account): string =>
  identity.objectId === undefined ? user : `${user} (${identity.objectId})`;

/** The holder of an invitation is identified only by the account. */
const initiatorInAudit = (
  { startedBy }: ConsentAttempt,
  { user }: Account,
  name: string | undefined,
): AuditChange['principal'] =>
  startedBy.kind === 'invitation'
    ? { id: 'invitation', name: `${user}, by invitation` }
    : { id: startedBy.id, name: name ?? startedBy.id };
