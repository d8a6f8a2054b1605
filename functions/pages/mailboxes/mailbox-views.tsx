import type { JSX } from 'hono/jsx/jsx-runtime';
import type { Mailbox, MailboxHealth } from '../../../shared/mailboxes/mailbox.ts';
import { remedyOf } from '../../../shared/mailboxes/remedy.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { Principal } from '../../../shared/platform/principal.ts';
import type { UnreadableRow } from '../../../shared/platform/unreadable-rows.ts';
import { ButtonLink, SubmitButton } from '../../../shared/ui/forms.tsx';
import { DataTable, EmptyState, StatusLabel, Time } from '../../../shared/ui/lists.tsx';
import type { Finding } from '../../../shared/alerts/alert.ts';
import { type Flash, Page, renderPage } from '../../../shared/ui/page.tsx';
import { FinishSetup, type Unfinished } from './finish-setup.tsx';
import { UnreadableNote } from '../errors/unreadable-note.tsx';

/** The mailboxes with their state, and what is not finished yet. */
export function mailboxListPage(view: {
  principal: Principal;
  mailboxes: readonly Mailbox[];
  health: ReadonlyMap<string, MailboxHealth>;
  /** What servers do not let Postroom do with stored email: the same findings as the alerts. */
  refusals: readonly Finding[];
  hasProvider: boolean;
  /** Rows of mailboxes that had to be left out. */
  unreadable: readonly UnreadableRow[];
  unfinished: Unfinished;
  flash: Flash | undefined;
}): string {
  return renderPage(
    <Page title="Mailboxes" principal={view.principal} place="mailboxes" flash={view.flash} wide>
      <UnreadableNote rows={view.unreadable} />
      <FinishSetup unfinished={view.unfinished} isAdmin />
      {view.mailboxes.length === 0 ? (
        <EmptyState title="No mailbox yet">
          <p>Once a mailbox is connected, each unread mail in it becomes a ticket.</p>
          {view.hasProvider ? (
            <ButtonLink href={paths.newMailbox()}>Add a mailbox</ButtonLink>
          ) : (
            <ButtonLink href={paths.newProvider()}>Add a provider first</ButtonLink>
          )}
        </EmptyState>
      ) : (
        <>
          <DataTable
            caption="Connected mailboxes"
            head={['Mailbox', 'State', 'Last fetched', 'Last mail', '']}
          >
            {view.mailboxes.map((mailbox) => (
              <MailboxRow
                mailbox={mailbox}
                health={view.health.get(mailbox.id)}
                refusal={view.refusals.find(({ subject }) => subject.id === mailbox.id)}
              />
            ))}
          </DataTable>
          <p>
            <ButtonLink href={paths.newMailbox()}>Add a mailbox</ButtonLink>
          </p>
        </>
      )}
      {view.hasProvider ? (
        <p>
          <a href={paths.accounts()}>Accounts</a>: who signs in for the mailboxes.{' '}
          <a href={paths.invitations()}>Invitations</a>: links with which owners of mailboxes sign in.
        </p>
      ) : null}
    </Page>,
  );
}

function MailboxRow(props: {
  mailbox: Mailbox;
  health: MailboxHealth | undefined;
  refusal: Finding | undefined;
}): JSX.Element {
  const { mailbox, health, refusal } = props;
  const switchedAt = mailbox.enabled ? paths.pauseMailbox(mailbox) : paths.resumeMailbox(mailbox);
  const named = (act: string): string => `${act} ${mailbox.address}`;
  return (
    <tr>
      <td data-label="Mailbox">
        <a href={paths.editMailbox(mailbox)}>{mailbox.address}</a>
        {mailbox.folder === 'INBOX' ? null : <> ({mailbox.folder})</>}
      </td>
      <td data-label="State">
        <MailboxState mailbox={mailbox} health={health} />
        {refusal === undefined ? null : (
          <p>
            {refusal.headline} <a href={refusal.fix.href}>{refusal.fix.label}</a>
          </p>
        )}
      </td>
      <td data-label="Last fetched">
        {health?.lastSuccessAt === undefined ? 'Not yet' : <Time at={health.lastSuccessAt} />}
      </td>
      <td data-label="Last mail">
        {health?.lastMailAt === undefined ? 'None yet' : <Time at={health.lastMailAt} />}
      </td>
      <td>
        <div class="actions">
          <form method="post" action={switchedAt}>
            <button
              type="submit"
              class="button secondary"
              aria-label={named(mailbox.enabled ? 'Pause' : 'Resume')}
            >
              {mailbox.enabled ? 'Pause' : 'Resume'}
            </button>
          </form>
          <a href={paths.connectionTest(mailbox)} aria-label={named('Test')}>
            Test
          </a>
          <a href={paths.deleteMailbox(mailbox)} aria-label={named('Delete')}>
            Delete
          </a>
        </div>
      </td>
    </tr>
  );
}

function MailboxState(props: { mailbox: Mailbox; health: MailboxHealth | undefined }): JSX.Element {
  const { mailbox, health } = props;
  if (!mailbox.enabled) return <StatusLabel kind="quiet">Paused</StatusLabel>;
  if (health === undefined || health.state === 'works')
    return health?.lastSuccessAt === undefined ? (
      <StatusLabel kind="quiet">First fetch soon</StatusLabel>
    ) : (
      <StatusLabel kind="good">Works</StatusLabel>
    );
  const remedy = remedyOf(mailbox, health.code ?? '') ?? {
    label: `Connect ${mailbox.address} again`,
    href: paths.connect({ id: mailbox.providerId }, { mailbox: mailbox.id }),
  };
  return (
    <>
      <StatusLabel kind={health.state === 'retrying' ? 'warn' : 'bad'}>
        {health.state === 'retrying' ? 'Trying again' : 'Needs you'}
      </StatusLabel>
      <p>
        {health.problem} Since <Time at={health.since} />.
      </p>
      {health.state === 'needs-person' ? (
        <p>
          <a href={remedy.href}>{remedy.label}</a>
        </p>
      ) : null}
    </>
  );
}

/** What the deletion of a mailbox stops and what it keeps. */
export function deleteMailboxPage(principal: Principal, mailbox: Mailbox): string {
  return renderPage(
    <Page title={`Delete ${mailbox.address}?`} principal={principal} place="mailboxes">
      <p>
        Postroom stops fetching it. Its tickets and its quarantine stay, and no email in the mailbox is
        touched. To stop for a while only, pause it instead.
      </p>
      <form method="post" action={paths.deleteMailbox(mailbox)}>
        <SubmitButton kind="danger">Delete mailbox</SubmitButton>{' '}
        <ButtonLink href={paths.mailboxes()} kind="secondary">
          Keep it
        </ButtonLink>
      </form>
    </Page>,
  );
}
