import type { JSX } from 'hono/jsx/jsx-runtime';
import type { Approval } from '../../../shared/consent/approval.ts';
import type { ConnectRequest } from '../../../shared/consent/consent.ts';
import {
  INVITATION_DAYS,
  type Invitation,
  type InvitationState,
  stateOfInvitation,
} from '../../../shared/consent/invitation.ts';
import type { Look } from '../../../shared/mailboxes/preview-mailbox.ts';
import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { Principal } from '../../../shared/platform/principal.ts';
import type { Provider } from '../../../shared/providers/provider.ts';
import { CopyText } from '../../../shared/ui/copy.tsx';
import { ButtonLink, SubmitButton, TextField } from '../../../shared/ui/forms.tsx';
import { DataTable, EmptyState, StatusLabel, Time } from '../../../shared/ui/lists.tsx';
import { type Flash, Page, renderPage } from '../../../shared/ui/page.tsx';
import { AskAdmin } from './approval.tsx';
import { MailboxPreviewView } from '../mailboxes/mailbox-preview.tsx';

/** The link of a new invitation, shown to the one who made it. */
export function invitationLinkPage(view: {
  principal: Principal;
  provider: Provider;
  invitation: Invitation;
  link: string;
}): string {
  const { invitation, provider, link } = view;
  const { wish } = invitation;
  return renderPage(
    <Page title={`A link for the owner of ${wish.address}`} principal={view.principal} place="mailboxes">
      <p>
        Send this link to the person who signs in as <strong>{wish.signIn}</strong> at {provider.name}. It
        shows nothing of Postroom but the sign-in.
      </p>
      <CopyText label="Link of the invitation" value={link} />
      <p>
        Copy it now: Postroom does not keep it, and shows it in this browser for ten minutes. It is good for{' '}
        {INVITATION_DAYS} days, until <Time at={invitation.expiresAt} />, and for one successful sign-in.
      </p>
      <p class="actions">
        <ButtonLink href={paths.invitations()}>See all invitations</ButtonLink>
      </p>
    </Page>,
  );
}

/** Where the link of an invitation leads: its token is read by the page's script, or pasted with the link. */
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
        label="Link of your invitation"
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
  const { wish, invitedBy } = invitation;
  const waits = approval !== undefined && approval.grantedAt === undefined;
  return renderPage(
    <Page title={waits ? 'An admin of your organization has to agree first' : `Connect ${wish.address}`}>
      {waits ? (
        <AskAdmin approval={approval} link={view.link} reader="mailbox-owner" />
      ) : approval === undefined ? (
        <p>
          {invitedBy.name} asks you to connect <strong>{wish.address}</strong> to Postroom, the help desk that
          turns its mail into tickets.
        </p>
      ) : (
        <p>An admin has agreed. Sign in once more, and {wish.address} is connected.</p>
      )}
      {waits ? null : (
        <p>
          You sign in at {provider.name} as <strong>{wish.signIn}</strong>. Postroom sees no password; it is
          given permission to read and send mail, which you can take back at any time.
        </p>
      )}
      <form method="post" action={paths.acceptInvitation(invitation)}>
        <SubmitButton kind={waits ? 'secondary' : 'primary'}>
          {waits ? 'Sign in again' : `Sign in at ${provider.name}`}
        </SubmitButton>
      </form>
      <p class="muted small">
        The link is good until <Time at={invitation.expiresAt} />.
      </p>
    </Page>,
  );
}

/** The last page of an invitation: whoever has it has signed in this minute. */
export function invitationDonePage(view: {
  wish: ConnectRequest;
  user: string;
  look: Look | undefined;
}): string {
  const { wish, user, look } = view;
  return renderPage(
    <Page title="Done, you can close this page">
      <p>
        You have signed in as <strong>{user}</strong>. Whoever invited you takes it from here
        {wish.reconnect === undefined ? ' and finishes setting up' : ''} {wish.address}.
      </p>
      {look === undefined ? null : look.kind === 'opened' ? (
        <MailboxPreviewView look={look} folder="INBOX" />
      ) : (
        <p>
          The mailbox could not be opened yet, which whoever invited you sees too: {look.message} You need not
          sign in again for that.
        </p>
      )}
    </Page>,
  );
}

const overWords: Readonly<Record<Exclude<InvitationState, 'open'> | 'gone' | 'unknown', [string, string]>> = {
  done: ['This invitation is done', 'Somebody has signed in with it. Nothing is left to do here.'],
  revoked: [
    'This invitation was taken back',
    'If the mailbox is to be connected all the same, ask whoever sent you the link for a new one.',
  ],
  expired: [
    'This invitation is too old',
    `An invitation is good for ${INVITATION_DAYS} days. Ask whoever sent you the link for a new one.`,
  ],
  gone: ['This invitation is over', 'What it was made for does not exist any more. Ask for a new one.'],
  unknown: [
    'This invitation is not known',
    'The link is incomplete or very old, or this browser has not opened it in the last hour. Open the link again, paste it here, or ask for a new one.',
  ],
};

/** An invitation that opens nothing any more, and why. */
export function invitationOverPage(why: keyof typeof overWords): string {
  const [title, words] = overWords[why];
  return renderPage(
    <Page title={title}>
      <p>{words}</p>
      {why === 'unknown' ? <OpenInvitation /> : null}
    </Page>,
  );
}

/** Who was invited, who has signed in, and what is left to do. */
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
        An invitation is a link with which the owner of a mailbox signs in without any access to Postroom.
        Make one where you connect a mailbox.
      </p>
      {invitations.length === 0 ? (
        <EmptyState title="No invitation yet">
          <p>Choose a provider, enter the address of the mailbox, and make a link for its owner.</p>
          <ButtonLink href={only === undefined ? paths.providers() : paths.connect(only)}>
            Invite an owner
          </ButtonLink>
        </EmptyState>
      ) : (
        <DataTable caption="Invitations of the last weeks" head={['Mailbox', 'State', 'Made by', '']}>
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
  const { wish, done, invitedBy } = invitation;
  const state = stateOfInvitation(invitation, now);
  const isSetUp = props.mailboxes.some(({ accountId }) => accountId === done?.accountId);
  return (
    <tr>
      <td data-label="Mailbox">
        <div>
          {wish.address}
          {wish.signIn.toLowerCase() === wish.address.toLowerCase() ? null : <> (as {wish.signIn})</>}
        </div>
      </td>
      <td data-label="State">
        <div>
          <State invitation={invitation} state={state} />
        </div>
      </td>
      <td data-label="Made by">
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
              aria-label={`Take back the invitation for ${wish.address}`}
            >
              Take back
            </button>
          </form>
        ) : done === undefined || isSetUp ? null : (
          <a
            href={paths.newMailbox({ account: `${wish.providerId}.${done.accountId}`, flash: 'connected' })}
            aria-label={`Finish setting up ${wish.address}`}
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
            {invitation.approvalKey === undefined
              ? 'Waits for its owner'
              : 'Waits for an admin of the tenant'}
          </StatusLabel>
          <p>
            Good until <Time at={invitation.expiresAt} />
          </p>
        </>
      );
    case 'revoked':
      return <StatusLabel kind="quiet">Taken back</StatusLabel>;
    case 'expired':
      return <StatusLabel kind="quiet">Too old</StatusLabel>;
  }
}
