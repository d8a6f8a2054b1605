import type { JSX } from 'hono/jsx/jsx-runtime';
import type { Finding } from '../../../shared/alerts/alert.ts';
import { recoveredSentence } from '../../../shared/intake/fetch-activity.ts';
import {
  allIn,
  type FolderCheck,
  type RecoveredMail,
} from '../../../shared/intake/reconciliation-records.ts';
import type { Mailbox, MailboxHealth } from '../../../shared/mailboxes/mailbox.ts';
import { remedyOf } from '../../../shared/mailboxes/remedy.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { Principal } from '../../../shared/platform/principal.ts';
import type { UnreadableRow } from '../../../shared/platform/unreadable-rows.ts';
import { ButtonLink, SubmitButton } from '../../../shared/ui/forms.tsx';
import { DataTable, EmptyState, StatusLabel, Time } from '../../../shared/ui/lists.tsx';
import { type Flash, Page, renderPage } from '../../../shared/ui/page.tsx';
import { UnreadableNote } from '../errors/unreadable-note.tsx';
import { FinishSetup, type Unfinished } from './finish-setup.tsx';
import { FirstFetchProgress } from './first-fetch-views.tsx';
import { GraphOffer } from './graph-offer.tsx';

/** The mailboxes with their state, and unfinished setups. */
export function mailboxListPage(view: {
  principal: Principal;
  mailboxes: readonly Mailbox[];
  health: ReadonlyMap<string, MailboxHealth>;
  /** Mailboxes whose server refuses to mark, move or delete imported email: the alerts' findings. */
  refusals: readonly Finding[];
  /** Why reading over Microsoft Graph may help, by mailbox. */
  offers: ReadonlyMap<string, string>;
  /** The last check of each folder, and what was recovered after an outage. */
  checks: ReadonlyMap<string, FolderCheck>;
  recovered: ReadonlyMap<string, RecoveredMail>;
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
                offer={view.offers.get(mailbox.id)}
                refusal={view.refusals.find(({ subject }) => subject.id === mailbox.id)}
                check={view.checks.get(mailbox.id)}
                recovered={view.recovered.get(mailbox.id)}
              />
            ))}
          </DataTable>
          <p>
            <ButtonLink href={paths.newMailbox()}>Add a mailbox</ButtonLink>{' '}
            <a href={paths.findEmail()}>Where is my email?</a>
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
        <a href={paths.senders()}>Senders</a> can be blocked or always allowed, for all mailboxes.{' '}
        <a href={paths.cannedReplies()}>Canned replies</a> are texts that agents insert into replies.
      </p>
    </Page>,
  );
}

function MailboxRow(props: {
  mailbox: Mailbox;
  health: MailboxHealth | undefined;
  offer: string | undefined;
  refusal: Finding | undefined;
  check: FolderCheck | undefined;
  recovered: RecoveredMail | undefined;
}): JSX.Element {
  const { mailbox, health, offer, refusal, check, recovered } = props;
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
        {mailbox.enabled ? <GraphOffer mailbox={mailbox} offer={offer} /> : null}
        {health?.first === undefined ? null : <FirstFetchProgress first={health.first} mailbox={mailbox} />}
        {refusal === undefined ? null : (
          <p>
            {refusal.headline} <a href={refusal.fix.href}>{refusal.fix.label}</a>
          </p>
        )}
        <CheckSummary mailbox={mailbox} check={check} recovered={recovered} />
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
          <a href={paths.mailboxAnswers(mailbox)} aria-label={named('Answers of')}>
            Answers
          </a>
          <a href={paths.connectionTest(mailbox)} aria-label={named('Test')}>
            Test
          </a>
          <a href={paths.mailboxCheck(mailbox)} aria-label={named('Check')}>
            Check
          </a>
          <a href={paths.deleteMailbox(mailbox)} aria-label={named('Delete')}>
            Delete
          </a>
        </div>
      </td>
    </tr>
  );
}

/** "N in the folder, N accounted for" and, for a day, the email recovered after the last outage. */
function CheckSummary(props: {
  mailbox: Mailbox;
  check: FolderCheck | undefined;
  recovered: RecoveredMail | undefined;
}): JSX.Element | null {
  const { mailbox, check, recovered } = props;
  const count = check?.count;
  const all = count === undefined ? 0 : allIn(count);
  return (
    <>
      {count === undefined ? null : (
        <p class="small">
          <a href={paths.mailboxCheck(mailbox)}>
            {all.toLocaleString('en')} in the folder, {(all - count.missing).toLocaleString('en')} accounted
            for
          </a>
        </p>
      )}
      {recovered === undefined || recovered.emails === 0 ? null : (
        <p class="small muted">
          {recoveredSentence(recovered.emails, recovered.more)}, <Time at={recovered.until} />.
        </p>
      )}
    </>
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
        Postroom stops fetching from it. Its tickets and unimported email are kept, and nothing in the mailbox
        is changed. To stop temporarily, pause the mailbox instead.
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
