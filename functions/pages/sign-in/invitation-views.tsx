import type { JSX } from 'hono/jsx/jsx-runtime';
import type { Approval } from '../../../shared/consent/approval.ts';
import type { ConnectRequest } from '../../../shared/consent/consent.ts';
import {
  INVITATION_DAYS,
  type Invitation,
  type InvitationState,
  stateOfInvitation,
} from '../../../shared/consent/invitation.ts';
import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import type { MailboxPreview } from '../../../shared/mailboxes/preview-mailbox.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { Principal } from '../../../shared/platform/principal.ts';
import type { Provider } from '../../../shared/providers/provider.ts';
import { CopyText } from '../../../shared/ui/copy.tsx';
import { ButtonLink, SubmitButton, TextField } from '../../../shared/ui/forms.tsx';
import { DataTable, EmptyState, StatusLabel, Time } from '../../../shared/ui/lists.tsx';
import { type Flash, Page, renderPage } from '../../../shared/ui/page.tsx';
import { MailboxPreviewView } from '../mailboxes/mailbox-preview.tsx';
import { AskAdmin } from './approval.tsx';

/** The link of a new invitation, shown to its creator. */
export function invitationLinkPage(view: {
  principal: Principal;
  provider: Provider;
  invitation: Invitation;
  link: string;
}): string {
  const { invitation, provider, link } = view;
  const { connectRequest } = invitation;
  return renderPage(
    <Page title={`Invitation for ${connectRequest.address}`} principal={view.principal} place="mailboxes">
      <p>
        Send this link to the person who signs in as <strong>{connectRequest.signIn}</strong> at{' '}
        {provider.name}. It gives no access to Postroom except this sign-in.
      </p>
      <CopyText label="Invitation link" value={link} />
      <p>
        Copy it now: Postroom does not store it and shows it only in this browser, for ten minutes. Valid for{' '}
        {INVITATION_DAYS} days (until <Time at={invitation.expiresAt} />
        ), single use.
      </p>
      <p class="actions">
        <ButtonLink href={paths.invitations()}>View all invitations</ButtonLink>
      </p>
    </Page>,
  );
}

/** Opens an invitation link: the page's script reads the token, or the person pastes the link. */
export function openInvitationPage(): string {
  return renderPage(
    <Page title="Open your invitation">
      <OpenInvitation />
    </Page>,
  );
}

function OpenInvitation(): JSX.Element {
  return (
    <form method="post" action={paths.openInvitation()} data-token-from-hash novalidate>
      <TextField
        name="link"
        label="Your invitation link"
        hint="Copy the whole link from the message you were sent, and paste it here."
        autocomplete="off"
        spellcheck={false}
      />
      <SubmitButton>Continue</SubmitButton>
    </form>
  );
}

/** What the owner of a mailbox sees. */
export function invitationPage(view: {
  invitation: Invitation;
  provider: Provider;
  approval: Approval | undefined;
  link: string | undefined;
}): string {
  const { invitation, provider, approval } = view;
  const { connectRequest, invitedBy } = invitation;
  const { address } = connectRequest;
  const waits = approval !== undefined && approval.grantedAt === undefined;
  return renderPage(
    <Page title={waits ? 'Admin consent required' : `Connect ${connectRequest.address}`}>
      {waits ? (
        <AskAdmin approval={approval} link={view.link} reader="mailbox-owner" />
      ) : approval === undefined ? (
        <p>
          {invitedBy.name} asks you to connect <strong>{address}</strong> to Postroom, the help desk that
          turns its email into tickets.
        </p>
      ) : (
        <p>Admin consent is granted. Sign in once more to connect {connectRequest.address}.</p>
      )}
      {waits ? null : (
        <p>
          You sign in at {provider.name} as <strong>{connectRequest.signIn}</strong>. Postroom never sees your
          password. It gets permission to read and send email, which you can revoke at any time.
        </p>
      )}
      <form method="post" action={paths.acceptInvitation(invitation)}>
        <SubmitButton kind={waits ? 'secondary' : 'primary'}>
          {waits ? 'Sign in again' : `Sign in at ${provider.name}`}
        </SubmitButton>
      </form>
      <p class="muted small">
        The link is valid until <Time at={invitation.expiresAt} />.
      </p>
    </Page>,
  );
}

/** The last page of an invitation, right after the sign-in. */
export function invitationDonePage(view: {
  connectRequest: ConnectRequest;
  user: string;
  preview: MailboxPreview | undefined;
}): string {
  const { connectRequest, user, preview } = view;
  return renderPage(
    <Page title="Done, you can close this page">
      <p>
        You signed in as <strong>{user}</strong>.{' '}
        {connectRequest.reconnect === undefined
          ? `The person who invited you will finish the setup of ${connectRequest.address}.`
          : `The sign-in of ${connectRequest.address} is renewed. There is nothing left to do.`}
      </p>
      {preview === undefined ? null : preview.kind === 'opened' ? (
        <MailboxPreviewView preview={preview} folder="INBOX" />
      ) : (
        <p>
          The mailbox could not be opened yet: {preview.message} The person who invited you sees this too. You
          do not need to sign in again.
        </p>
      )}
    </Page>,
  );
}

const overWords: Readonly<Record<Exclude<InvitationState, 'open'> | 'gone' | 'unknown', [string, string]>> = {
  done: ['Invitation already used', 'Someone has signed in with it. There is nothing left to do.'],
  revoked: [
    'This invitation was revoked',
    'If the mailbox still needs to be connected, ask the person who sent you the link for a new one.',
  ],
  expired: [
    'This invitation has expired',
    `An invitation is valid for ${INVITATION_DAYS} days. Ask the person who sent you the link for a new one.`,
  ],
  gone: [
    'This invitation is no longer valid',
    'The provider or mailbox it was created for no longer exists. Ask for a new one.',
  ],
  unknown: [
    'Unknown invitation',
    'The link is incomplete or very old, or this browser has not opened it in the last hour. Open the link again, paste it here, or ask for a new one.',
  ],
};

/** Says why an invitation no longer works. */
export function invitationOverPage(why: keyof typeof overWords): string {
  const [title, words] = overWords[why];
  return renderPage(
    <Page title={title}>
      <p>{words}</p>
      {why === 'unknown' ? <OpenInvitation /> : null}
    </Page>,
  );
}

/** The invitations with their states and next steps. */
export function invitationListPage(view: {
  principal: Principal;
  invitations: readonly Invitation[];
  mailboxes: readonly Mailbox[];
  providers: readonly Provider[];
  now: number;
  flash: Flash | undefined;
}): string {
  const { invitations, providers } = view;
  const only = providers.length === 1 ? providers[0] : undefined;
  return renderPage(
    <Page title="Invitations" principal={view.principal} place="mailboxes" flash={view.flash} wide>
      <p>
        A link that lets a mailbox owner sign in without a Postroom account. Create one from{' '}
        <a href={paths.newMailbox()}>Connect a mailbox</a>.
      </p>
      {invitations.length === 0 ? (
        <EmptyState title="No invitations yet">
          <p>Choose a provider, enter the address of the mailbox, and create a link for its owner.</p>
          <ButtonLink href={only === undefined ? paths.providers() : paths.connect(only)}>
            Invite an owner
          </ButtonLink>
        </EmptyState>
      ) : (
        <DataTable caption="Recent invitations" head={['Mailbox', 'State', 'Created by', '']}>
          {invitations.map((invitation) => (
            <InvitationRow invitation={invitation} {...view} />
          ))}
        </DataTable>
      )}
    </Page>,
  );
}

function InvitationRow(props: {
  invitation: Invitation;
  mailboxes: readonly Mailbox[];
  providers: readonly Provider[];
  now: number;
}): JSX.Element {
  const { invitation, now } = props;
  const { connectRequest, done, invitedBy } = invitation;
  const state = stateOfInvitation(invitation, now);
  const isSetUp = props.mailboxes.some(({ accountId }) => accountId === done?.accountId);
  return (
    <tr>
      <td data-label="Mailbox">
        <div>
          {connectRequest.address}
          {connectRequest.signIn.toLowerCase() === connectRequest.address.toLowerCase() ? null : (
            <> (as {connectRequest.signIn})</>
          )}
        </div>
      </td>
      <td data-label="State">
        <div>
          <State invitation={invitation} state={state} />
        </div>
      </td>
      <td data-label="Created by">
        <div>
          {invitedBy.name}, <Time at={invitation.createdAt} />
        </div>
      </td>
      <td>
        {state === 'open' ? (
          <form method="post" action={paths.revokeInvitation(invitation)}>
            <button
              type="submit"
              class="button secondary"
              aria-label={`Revoke the invitation for ${connectRequest.address}`}
            >
              {' '}
              Revoke{' '}
            </button>
          </form>
        ) : done === undefined || isSetUp ? null : (
          <a
            href={paths.newMailbox({
              account: `${connectRequest.providerId}.${done.accountId}`,
              flash: 'connected',
            })}
            aria-label={`Finish setting up ${connectRequest.address}`}
          >
            Finish setting up
          </a>
        )}
      </td>
    </tr>
  );
}

function State(props: { invitation: Invitation; state: InvitationState }): JSX.Element {
  const { invitation, state } = props;
  switch (state) {
    case 'done':
      return (
        <>
          <StatusLabel kind="good">Signed in</StatusLabel>
          {invitation.done === undefined ? null : (
            <p>
              {invitation.done.user}, <Time at={invitation.done.at} />
            </p>
          )}
        </>
      );
    case 'open':
      return (
        <>
          <StatusLabel kind="warn">
            {invitation.approvalKey === undefined ? 'Pending' : 'Pending admin consent'}
          </StatusLabel>
          <p>
            Valid until <Time at={invitation.expiresAt} />
          </p>
        </>
      );
    case 'revoked':
      return <StatusLabel kind="quiet">Revoked</StatusLabel>;
    case 'expired':
      return <StatusLabel kind="quiet">Expired</StatusLabel>;
  }
}
