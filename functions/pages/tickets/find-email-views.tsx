import type { JSX } from 'hono/jsx/jsx-runtime';
import {
  type EmailSearch,
  type FoundEmail,
  MAX_FOUND,
  SCANNED_ENTRIES,
  SCANNED_TICKETS,
} from '../../../shared/intake/find-email.ts';
import type { ServerAnswer } from '../../../shared/intake/find-on-server.ts';
import type { Trace } from '../../../shared/intake/trace-email.ts';
import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { Principal } from '../../../shared/platform/principal.ts';
import { ErrorSummary, SelectField, SubmitButton, TextField } from '../../../shared/ui/forms.tsx';
import { DataTable, EmptyState, Panel, Time } from '../../../shared/ui/lists.tsx';
import { Page, renderPage } from '../../../shared/ui/page.tsx';
import type { MailboxSnapshot } from '../../use-cases/snapshot-mailboxes.ts';
import { ServerResult } from './server-result.tsx';
import { TraceLabel } from './trace-label.tsx';

export interface FindEmailView {
  principal: Principal;
  mailboxes: readonly Mailbox[];
  typed: { text: string; mailbox: string };
  mistake?: string;
  result?: {
    search: EmailSearch;
    snapshots: readonly MailboxSnapshot[];
    /** Set if a mail server was asked. */
    server?: { mailbox: Mailbox; answer: ServerAnswer };
  };
}

/** The search form and, after a search, the results and the searched mailboxes. */
export function findEmailPage(view: FindEmailView): string {
  const { principal, mailboxes, typed, mistake, result } = view;
  const isAdmin = principal.roles.includes('admin');
  const options = mailboxes.map(({ id, address }) => ({ value: id, label: address }));
  return renderPage(
    <Page
      title="Where is my email?"
      principal={principal}
      place="find-email"
      hasErrors={mistake !== undefined}
      wide
    >
      <ErrorSummary errors={mistake === undefined ? {} : { text: mistake }} />
      <form id="find" method="post" action={paths.findEmail()} novalidate>
        <TextField
          name="text"
          label="Sender, subject or Message-ID"
          hint="Part of a name, address or subject is enough."
          value={typed.text}
          error={mistake}
          autocomplete="off"
          spellcheck={false}
          size="long"
        />
        {mailboxes.length < 2 ? null : (
          <SelectField
            name="mailbox"
            label="Mailbox"
            value={typed.mailbox}
            options={[{ value: '', label: 'All mailboxes' }, ...options]}
          />
        )}
        <SubmitButton>Find</SubmitButton>
      </form>
      {result === undefined ? null : (
        <>
          {result.server === undefined ? null : (
            <ServerResult mailbox={result.server.mailbox} answer={result.server.answer} isAdmin={isAdmin} />
          )}
          <InPostroom search={result.search} mailboxes={mailboxes} />
          <SearchedMailboxes
            askedId={result.server?.mailbox.id}
            snapshots={result.snapshots}
            isFound={result.search.found.length > 0}
            isAdmin={isAdmin}
          />
          <AskServer snapshots={result.snapshots} />
        </>
      )}
    </Page>,
  );
}

function InPostroom(props: { search: EmailSearch; mailboxes: readonly Mailbox[] }): JSX.Element {
  const { found, more } = props.search;
  const addresses = new Map(props.mailboxes.map(({ id, address }) => [id, address]));
  return (
    <>
      <h2>In Postroom</h2>
      {found.length === 0 ? (
        <EmptyState title="Not found">Postroom has no record of this email in these mailboxes.</EmptyState>
      ) : (
        found.map((email) => (
          <Found email={email} mailbox={addresses.get(email.mailboxId) ?? 'a deleted mailbox'} />
        ))
      )}
      <p class="small muted">
        {more ? `Only the newest ${MAX_FOUND} are shown. ` : ''}Message-IDs are searched in all tickets.
        Senders and subjects are searched in the newest {SCANNED_TICKETS.toLocaleString('en')} open and{' '}
        {SCANNED_TICKETS.toLocaleString('en')} closed tickets, and in the newest{' '}
        {SCANNED_ENTRIES.toLocaleString('en')} unimported emails of all mailboxes. To find older email, ask
        the mail server.
      </p>
    </>
  );
}

function Found(props: { email: FoundEmail; mailbox: string }): JSX.Element {
  const { trace, from, subject, isUnimported } = props.email;
  return (
    <Panel>
      <h3 dir="auto">{subject?.trim() || '(no subject)'}</h3>
      <p>
        <TraceLabel trace={trace} />{' '}
        <span class="muted">
          From {from ?? 'an unknown sender'}, to {props.mailbox}
        </span>
      </p>
      <Steps trace={trace} />
      {isUnimported ? (
        <p>
          <a href={paths.unimported({ mailbox: props.email.mailboxId, show: 'waiting' })}>
            Try again, make a ticket or dismiss it
          </a>
        </p>
      ) : null}
    </Panel>
  );
}

function Steps(props: { trace: Trace }): JSX.Element {
  return (
    <ol>
      {props.trace.steps.map(({ what, at }) => (
        <li>
          {what}{' '}
          {at === undefined ? null : (
            <span class="muted small">
              <Time at={at} />
            </span>
          )}
        </li>
      ))}
    </ol>
  );
}

/** The state of each searched mailbox, by which an agent can judge a "not found". */
function SearchedMailboxes(props: {
  snapshots: readonly MailboxSnapshot[];
  isFound: boolean;
  isAdmin: boolean;
  /** ID of the mailbox whose server was asked. */
  askedId: string | undefined;
}): JSX.Element | null {
  if (props.snapshots.length === 0) return null;
  return (
    <DataTable
      caption="Searched mailboxes"
      head={['Mailbox', 'Connected', 'Last fetch', 'Folder', 'What to do']}
    >
      {props.snapshots.map((snapshot) => (
        <tr>
          <td data-label="Mailbox">
            <span>
              {snapshot.mailbox.address}
              <br />
              <span class="muted small">Folder {snapshot.mailbox.folder}</span>
            </span>
          </td>
          <td data-label="Connected">
            <Time at={snapshot.mailbox.createdAt} />
          </td>
          <td data-label="Last fetch">
            {snapshot.health.lastSuccessAt === undefined ? (
              'Not yet'
            ) : (
              <Time at={snapshot.health.lastSuccessAt} />
            )}
          </td>
          <td data-label="Folder">
            <Listed snapshot={snapshot} />
          </td>
          <td data-label="What to do">
            <Advice
              snapshot={snapshot}
              isFound={props.isFound}
              isAdmin={props.isAdmin}
              wasAsked={props.askedId === snapshot.mailbox.id}
            />
          </td>
        </tr>
      ))}
    </DataTable>
  );
}

function Listed(props: { snapshot: MailboxSnapshot }): JSX.Element {
  const { inFolder, checkedAt, health } = props.snapshot;
  const backlog = health.backlog ?? 0;
  return (
    <span>
      {inFolder === undefined || checkedAt === undefined ? (
        'Not counted yet'
      ) : (
        <>
          {inFolder.toLocaleString('en')} in the folder, <Time at={checkedAt} />
        </>
      )}
      {backlog === 0 ? null : <> {backlog.toLocaleString('en')} waiting for the next fetch.</>}
    </span>
  );
}

/** The next step, for the most likely cause. */
function Advice(props: {
  snapshot: MailboxSnapshot;
  isFound: boolean;
  isAdmin: boolean;
  wasAsked: boolean;
}): JSX.Element {
  const { mailbox, health, missing } = props.snapshot;
  const link = (href: string, label: string) =>
    props.isAdmin ? <a href={href}>{label}</a> : 'Ask an administrator.';
  if (!mailbox.enabled) return <span>The mailbox is paused. {link(paths.mailboxes(), 'Resume it')}</span>;
  if (health.state !== 'ok')
    return (
      <span>
        {health.problem} {link(paths.mailboxes(), 'See the problem')}
      </span>
    );
  if (missing > 0)
    return (
      <span>
        {missing === 1 ? '1 email is' : `${missing} emails are`} missing.{' '}
        {link(paths.mailboxCheck(mailbox), 'Fetch missing email')}
      </span>
    );
  if (props.isFound) return <span>Nothing to do.</span>;
  if (props.wasAsked) return <span>See the server’s answer above.</span>;
  return (
    <span>Ask the mail server below. The email may be in Junk or another folder, or it never arrived.</span>
  );
}

/** With more mailboxes, one has to be chosen first. */
const MAX_BUTTONS = 5;

/** Its buttons submit the search form again. */
function AskServer(props: { snapshots: readonly MailboxSnapshot[] }): JSX.Element | null {
  if (props.snapshots.length === 0) return null;
  return (
    <>
      <h2>Ask the mail server</h2>
      <p>
        Searches the folder and the Junk folder on the mail server. This takes a few seconds. No email is
        marked as read.
      </p>
      {props.snapshots.length > MAX_BUTTONS ? (
        <p>Choose a mailbox above and search again.</p>
      ) : (
        <p class="actions">
          {props.snapshots.map(({ mailbox }) => (
            <button type="submit" form="find" class="button secondary" name="server" value={mailbox.id}>
              Ask the server of {mailbox.address}
            </button>
          ))}
        </p>
      )}
    </>
  );
}
