import { Hono } from 'hono';
import type { Principal } from '../../shared/platform/principal.ts';
import { ButtonLink } from '../../shared/ui/forms.tsx';
import { DataTable, EmptyState, StatusLabel, Time } from '../../shared/ui/lists.tsx';
import { Page, renderPage } from '../../shared/ui/page.tsx';
import { requireRole } from '../guard.ts';
import type { WebEnvironment } from '../web-environment.ts';
import { type MailboxLine, type MailFlow, mailboxLine, mailFlow, troubleSentence } from './mail-flow.ts';
import { type MailContext, mailServices } from './mail-services.ts';
import { TicketList } from './ticket-list.tsx';

const NEWEST = 8;

/** `/`: is mail flowing? For agents; what only an admin can change is a link only for admins. */
export function homePages(): Hono<WebEnvironment> {
  const pages = new Hono<WebEnvironment>();
  pages.get('/', requireRole('agent'), showHome);
  return pages;
}

async function showHome(c: MailContext): Promise<Response> {
  const { mailboxes, tickets, providers, seam } = mailServices(c);
  const principal = c.get('principal');
  const isAdmin = principal.roles.includes('admin');
  const [known, health, open] = await Promise.all([
    mailboxes.list(),
    mailboxes.health(),
    tickets.page('open', { limit: NEWEST }),
  ]);
  const now = seam.now();
  const lines = known
    .map((mailbox) => mailboxLine(mailbox, health.get(mailbox.id), now))
    .sort((a, b) => a.mailbox.address.localeCompare(b.mailbox.address));
  const flow = mailFlow(lines);
  const settingUp = open.tickets.length === 0 && (flow.kind === 'not-set-up' || flow.kind === 'starting');
  const progress = settingUp
    ? { hasProvider: (await providers.list()).length > 0, hasMailbox: known.length > 0 }
    : undefined;
  return c.html(
    renderPage(
      <Page title={titleOf(flow)} principal={principal} place="home" wide>
        <Verdict flow={flow} isAdmin={isAdmin} />
        {progress === undefined ? null : <FirstSteps {...progress} principal={principal} />}
        {lines.length === 0 ? null : <Mailboxes lines={lines} isAdmin={isAdmin} />}
        {settingUp ? null : (
          <section>
            <div class="section-head">
              <h2>Newest open tickets</h2>
              <p>
                <a href="/tickets">All tickets</a>
              </p>
            </div>
            {open.tickets.length === 0 ? (
              <EmptyState title="No open tickets">Everything that came in is answered and closed.</EmptyState>
            ) : (
              <TicketList label="Newest open tickets" tickets={open.tickets} />
            )}
          </section>
        )}
      </Page>,
    ),
  );
}

function titleOf(flow: MailFlow): string {
  switch (flow.kind) {
    case 'not-set-up':
      return 'Welcome to Postroom';
    case 'all-off':
      return 'No mail is fetched';
    case 'starting':
      return 'Almost there';
    case 'flows':
      return 'Mail is flowing';
    case 'troubled':
      return flow.lines.length === 1 ? 'One mailbox needs attention' : 'Some mailboxes need attention';
  }
}

function Verdict(props: { flow: MailFlow; isAdmin: boolean }) {
  const { flow, isAdmin } = props;
  switch (flow.kind) {
    case 'not-set-up':
      return <p class="lead">Three steps turn the mail of a mailbox into tickets.</p>;
    case 'all-off':
      return (
        <div class="verdict warn">Every mailbox is switched off. Mail waits on the server; none is lost.</div>
      );
    case 'starting':
      return (
        <p class="lead">The mailbox is connected. Its first mail arrives here within a minute or two.</p>
      );
    case 'flows':
      return <div class="verdict good">Every mailbox is fetched as it should be. Nothing needs you.</div>;
    case 'troubled':
      return (
        <div class={`verdict ${flow.lines.some(({ state }) => state !== 'retrying') ? 'bad' : 'warn'}`}>
          {flow.lines.length === 1 ? (
            flow.lines.map((line) => (
              <p>
                <Trouble line={line} isAdmin={isAdmin} />
              </p>
            ))
          ) : (
            <ul>
              {flow.lines.map((line) => (
                <li>
                  <Trouble line={line} isAdmin={isAdmin} />
                </li>
              ))}
            </ul>
          )}
          <p class="small muted">No mail is lost: it stays in the mailbox until it is stored here.</p>
        </div>
      );
  }
}

function Trouble(props: { line: MailboxLine; isAdmin: boolean }) {
  const { line, isAdmin } = props;
  return (
    <>
      {troubleSentence(line)}{' '}
      {isAdmin ? <a href={mailboxPath(line)}>{fixOf(line)}</a> : 'An administrator can fix this.'}
    </>
  );
}

const mailboxPath = ({ mailbox }: MailboxLine): string => `/mailboxes/${encodeURIComponent(mailbox.id)}`;
const fixOf = ({ state }: MailboxLine): string =>
  state === 'needs-person' ? 'Fix this mailbox' : 'See the mailbox';

function FirstSteps(props: { hasProvider: boolean; hasMailbox: boolean; principal: Principal }) {
  const { hasProvider, hasMailbox } = props;
  const isAdmin = props.principal.roles.includes('admin');
  const kindOf = (done: boolean, now: boolean): 'done' | 'now' | 'later' =>
    done ? 'done' : now ? 'now' : 'later';
  const first = kindOf(hasProvider, true);
  const second = kindOf(hasMailbox, hasProvider);
  const third = kindOf(false, hasMailbox);
  return (
    <ol class="steps">
      <li class={first}>
        <h2>Register a provider</h2>
        <p>Say which Microsoft 365 tenant, or which other OAuth provider, your mail lives at.</p>
        <Step state={first} href="/providers/new" label="Register a provider" isAdmin={isAdmin} />
      </li>
      <li class={second}>
        <h2>Sign in a mailbox</h2>
        <p>The owner signs in once.</p>
        <Step state={second} href="/mailboxes/new" label="Add a mailbox" isAdmin={isAdmin} />
      </li>
      <li class={third}>
        <h2>Mail becomes tickets</h2>
        <p>From then on every unread mail becomes a ticket, exactly once.</p>
        <Step state={third} href="/" label="Look again" isAdmin />
      </li>
    </ol>
  );
}

function Step(props: { state: 'done' | 'now' | 'later'; href: string; label: string; isAdmin: boolean }) {
  if (props.state === 'done') return <StatusLabel kind="good">Done</StatusLabel>;
  if (props.state === 'later') return null;
  if (!props.isAdmin) return <p class="muted">An administrator does this.</p>;
  return <ButtonLink href={props.href}>{props.label}</ButtonLink>;
}

const words: Readonly<
  Record<MailboxLine['state'], { kind: 'good' | 'warn' | 'bad' | 'quiet'; word: string }>
> = {
  works: { kind: 'good', word: 'Works' },
  'first-fetch': { kind: 'quiet', word: 'First fetch soon' },
  off: { kind: 'quiet', word: 'Switched off' },
  silent: { kind: 'bad', word: 'Silent' },
  retrying: { kind: 'warn', word: 'Trying again' },
  'needs-person': { kind: 'bad', word: 'Needs you' },
};

function Mailboxes(props: { lines: readonly MailboxLine[]; isAdmin: boolean }) {
  return (
    <section>
      <DataTable caption="Mailboxes" head={['Address', 'State', 'Last fetch', 'Last mail']}>
        {props.lines.map((line) => (
          <tr>
            <th scope="row">
              {props.isAdmin ? <a href={mailboxPath(line)}>{line.mailbox.address}</a> : line.mailbox.address}
            </th>
            <td data-label="State">
              <span>
                <StatusLabel kind={words[line.state].kind}>{words[line.state].word}</StatusLabel>
              </span>
            </td>
            <td data-label="Last fetch">
              <OptionalTime at={line.health?.lastSuccessAt} />
            </td>
            <td data-label="Last mail">
              <OptionalTime at={line.health?.lastMailAt} />
            </td>
          </tr>
        ))}
      </DataTable>
    </section>
  );
}

function OptionalTime(props: { at: string | undefined }) {
  return props.at === undefined ? <span class="muted">None yet</span> : <Time at={props.at} />;
}
