import type { Account } from '../accounts/account.ts';
import type { AuditChange } from '../audit/audit.ts';
import type { ConsentAttempt } from './consent.ts';
import type { Replacement } from './replace-account.ts';

/** A connected account as the audit log shows it. Pure. */
export function connectionEntry(connection: {
  /** Milliseconds since the epoch. */
  at: number;
  trip: ConsentAttempt;
  account: Account;
  replacement: Replacement | undefined;
  initiatorName?: string | undefined;
}): AuditChange {
  const { at, trip, account, replacement, initiatorName } = connection;
  const { wish } = trip;
  const mailboxes = replacement?.moved.map(({ address }) => address);
  return {
    at,
    principal: initiatorInAudit(trip, account, initiatorName),
    action: wish.reconnect === undefined ? 'connected' : 'connected again',
    subject: { kind: 'account', id: account.accountId, name: account.user },
    ...(replacement !== undefined && {
      before: { 'signs in': nameOf(replacement.before), 'at mailboxes': mailboxes },
    }),
    after: {
      mailbox: wish.address,
      scopes: account.scopes,
      ...(wish.confirmed === account.accountId && { 'subject confirmed by hand': account.identity.subject }),
      ...(replacement !== undefined && { 'signs in': nameOf(account), 'at mailboxes': mailboxes }),
    },
  };
}

/** Two accounts of one name differ in their object id alone. */
const nameOf = ({ user, identity }: Account): string =>
  identity.objectId === undefined ? user : `${user} (${identity.objectId})`;

/** The bearer of an invitation is known by the account alone. */
const initiatorInAudit = (
  { startedBy }: ConsentAttempt,
  { user }: Account,
  name: string | undefined,
): AuditChange['principal'] =>
  startedBy.kind === 'invitation'
    ? { id: 'invitation', name: `${user}, by invitation` }
    : { id: startedBy.id, name: name ?? startedBy.id };
