import type { JSX } from 'hono/jsx/jsx-runtime';
import type { Account } from '../../../shared/accounts/account.ts';
import { type Invitation, stateOfInvitation } from '../../../shared/consent/invitation.ts';
import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import { usesAccount } from '../../../shared/mailboxes/mailbox-logins.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { Panel, Time } from '../../../shared/ui/lists.tsx';
import type { Services } from '../../services.ts';

/** Setups that were started but not finished. */
export interface Unfinished {
  /** Signed in, perhaps by invitation, but not used by a mailbox yet. */
  accounts: readonly Account[];
  /** Links not used yet. */
  invitations: readonly Invitation[];
}

/** Reads unfinished setups: one query for invitations, one for providers, and one per provider. */
export async function readUnfinished(
  { providers, accounts, invitations, seam }: Services,
  mailboxes: readonly Mailbox[],
): Promise<Unfinished> {
  const [known, invited] = await Promise.all([providers.list(), invitations.list()]);
  const signedIn = await Promise.all(known.map(({ id }) => accounts.listOf(id)));
  return unfinishedOf(signedIn.flat(), invited, mailboxes, seam.now());
}

export function unfinishedOf(
  accounts: readonly Account[],
  invitations: readonly Invitation[],
  mailboxes: readonly Mailbox[],
  now: number,
): Unfinished {
  return {
    // The app's own account is not made for one mailbox.
    accounts: accounts.filter(
      (account) => account.kind !== 'app' && !mailboxes.some((mailbox) => usesAccount(mailbox, account)),
    ),
    // An invitation to reconnect is for an existing mailbox, whose problem is an alert.
    invitations: invitations.filter(
      (invitation) =>
        stateOfInvitation(invitation, now) === 'open' && invitation.connectRequest.reconnect === undefined,
    ),
  };
}

export const isFinished = ({ accounts, invitations }: Unfinished): boolean =>
  accounts.length === 0 && invitations.length === 0;

/** Links to the unfinished mailboxes and invitations; agents see them without the links. */
export function FinishSetup(props: { unfinished: Unfinished; isAdmin: boolean }): JSX.Element | null {
  const { unfinished, isAdmin } = props;
  if (isFinished(unfinished)) return null;
  return (
    <Panel title="Finish setup">
      <ul class="plain">
        {unfinished.accounts.map(({ providerId, accountId, address, user, consentedAt }) => (
          <li>
            {isAdmin ? (
              <a href={paths.newMailbox({ account: `${providerId}.${accountId}` })}>
                Finish setting up {address}
              </a>
            ) : (
              address
            )}
            : {user} signed in, <Time at={consentedAt} />. The mailbox is not set up yet.
          </li>
        ))}
        {unfinished.invitations.map(({ connectRequest, expiresAt, approvalKey }) => (
          <li>
            {isAdmin ? (
              <a href={paths.invitations()}>Invitation for {connectRequest.address}</a>
            ) : (
              `Invitation for ${connectRequest.address}`
            )}
            : {approvalKey === undefined ? 'waiting for its owner' : 'waiting for admin consent'}, valid until{' '}
            <Time at={expiresAt} />.
          </li>
        ))}
      </ul>
      {isAdmin ? null : <p>An administrator can finish this.</p>}
    </Panel>
  );
}
