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
import { FirstFetchProgress } from './first-fetch-views.tsx';
import { FinishSetup, type Unfinished } from './finish-setup.tsx';
import { UnreadableNote } from '../errors/unreadable-note.tsx';

/** The mailboxes with their state, and unfinished setups. */
export function mailboxListPage(view: {
  principal: Principal;
  mailboxes: readonly Mailbox[];
  health: ReadonlyMap<string, MailboxHealth>;
  /** Mailboxes whose server refuses to mark, move or delete imported email: the alerts' findings. */
  refusals: readonly Finding[];
  hasProvider: boolean;
  /** Rows of mailboxes that could not be read. */
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
          <p>Once a mailbox is connected, each unread email in it becomes a ticket.</p>
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
            head={['Mailbox', 'State', 'Last fetch', 'Last email', '']}
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
          <a href={paths.accounts()}>Accounts</a> sign in for mailboxes.{' '}
          <a href={paths.invitations()}>Invitations</a> let mailbox owners sign in.
        </p>
      ) : null}
      <p>
        <a href={paths.senders()}>Senders</a> can be blocked or always allowed, for all mailboxes.
      </p>
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
        {health?.first === undefined ? null : <FirstFetchProgress first={health.first} mailbox={mailbox} />}
        {refusal === undefined ? null : (
          <p>
            {refusal.headline} <a href={refusal.fix.href}>{refusal.fix.label}</a>
          </p>
        )}
      </td>
      <td data-label="Last fetch">
        {health?.lastSuccessAt === undefined ? 'Not yet' : <Time at={health.lastSuccessAt} />}
      </td>
      <td data-label="Last email">
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
  if (health === undefined || health.state === 'ok')
    return health?.lastSuccessAt === undefined ? (
      <StatusLabel kind="quiet">First fetch soon</StatusLabel>
    ) : (
      <StatusLabel kind="good">OK</StatusLabel>
    );
  const remedy = remedyOf(mailbox, health.code ?? '') ?? {
    label: `Reconnect ${mailbox.address}`,
    href: paths.connect({ id: mailbox.providerId }, { mailbox: mailbox.id }),
  };
  return (
    <>
      <StatusLabel kind={health.state === 'retrying' ? 'warn' : 'bad'}>
        {health.state === 'retrying' ? 'Retrying' : 'Action required'}
      </StatusLabel>
      <p>
        {health.problem} Since <Time at={health.since} />.
      </p>
      {health.state === 'action-required' ? (
        <p>
          <a href={remedy.href}>{remedy.label}</a>
        </p>
      ) : null}
    </>
  );
}

/** Asks for confirmation, and says what the deletion stops and keeps. */
export function deleteMailboxPage(principal: Principal, mailbox: Mailbox): string {
  return renderPage(
    <Page title={`Delete ${mailbox.address}?`} principal={principal} place="mailboxes">
      <p>
        Postroom stops fetching from it. Its tickets and quarantined email are kept, and nothing in the
        mailbox is changed. To stop only for a while, pause it instead.
      </p>
      <form method="post" action={paths.deleteMailbox(mailbox)}>
        <SubmitButton kind="danger">Delete mailbox</SubmitButton>{' '}
        <ButtonLink href={paths.mailboxes()} kind="secondary">
          Cancel
        </ButtonLink>
      </form>
    </Page>,
  );
}
