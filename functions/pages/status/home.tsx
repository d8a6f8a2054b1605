import type { JSX } from 'hono/jsx/jsx-runtime';
import type { Finding } from '../../../shared/alerts/alert.ts';
import { collectHealth } from '../../../shared/alerts/collect-health.ts';
import { currentFindings } from '../../../shared/alerts/current-findings.ts';
import { lastHours } from '../../../shared/mailboxes/mail-hours.ts';
import { healthOf, mailHours } from '../../../shared/mailboxes/mailbox-store.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { EmptyState, Time } from '../../../shared/ui/lists.tsx';
import { Page, renderPage } from '../../../shared/ui/page.tsx';
import { FindingDetails, FindingList, promisedOnce, promises } from '../alerts/alert-views.tsx';
import { FinishSetup, isFinished, readUnfinished } from '../mailboxes/finish-setup.tsx';
import type { MailContext } from '../tickets/mail-services.ts';
import { TicketList } from '../tickets/ticket-list.tsx';
import { FirstSteps, Mailboxes, MailChart } from './home-views.tsx';
import { type MailboxLine, type MailFlow, mailboxLine, mailFlow } from './mail-flow.ts';

const NEWEST = 8;
const CHART_HOURS = 24;

/** `/`: is mail flowing? For agents; what only an admin can change is a link only for admins. */
export async function showHome(c: MailContext): Promise<Response> {
  const services = c.get('services');
  const { tickets, providers, alerts, seam } = services;
  const principal = c.get('principal');
  const isAdmin = principal.roles.includes('admin');
  const now = seam.now();
  const [facts, standing, open] = await Promise.all([
    collectHealth(services),
    alerts.open(),
    tickets.page('open', { limit: NEWEST }),
  ]);
  const unfinished = await readUnfinished(services, facts.mailboxes);
  const lines = facts.mailboxes
    .map((mailbox) => mailboxLine(mailbox, healthOf(mailbox, facts.state), facts.beats, now))
    .sort((a, b) => a.mailbox.address.localeCompare(b.mailbox.address));
  const flow = mailFlow(lines, currentFindings(standing, facts, now));
  const settingUp = open.tickets.length === 0 && (flow.kind === 'not-set-up' || flow.kind === 'starting');
  const progress = settingUp
    ? { hasProvider: (await providers.list()).length > 0, hasMailbox: lines.length > 0 }
    : undefined;
  const hours = lastHours(mailHours(facts.state), CHART_HOURS, now);
  return c.html(
    renderPage(
      <Page title={titleOf(flow)} principal={principal} place="home" wide>
        <Verdict flow={flow} isAdmin={isAdmin} isFinished={isFinished(unfinished)} />
        <FinishSetup unfinished={unfinished} isAdmin={isAdmin} />
        {progress === undefined ? null : <FirstSteps {...progress} isAdmin={isAdmin} />}
        {lines.length === 0 ? null : <Mailboxes lines={lines} isAdmin={isAdmin} />}
        {lines.length === 0 || settingUp ? null : <MailChart hours={hours} />}
        {settingUp ? null : (
          <section>
            <div class="section-head">
              <h2>Newest open tickets</h2>
              <p>
                <a href={paths.tickets()}>All tickets</a>
              </p>
            </div>
            {open.tickets.length === 0 ? (
              <EmptyState title="No open tickets">New email appears here as tickets.</EmptyState>
            ) : (
              <TicketList label="Newest open tickets" tickets={open.tickets} />
            )}
          </section>
        )}
      </Page>,
    ),
  );
}

/** The page’s title. When something is wrong, it says what. */
function titleOf(flow: MailFlow): string {
  switch (flow.kind) {
    case 'not-set-up':
      return 'Welcome to Postroom';
    case 'all-off':
      return 'All mailboxes are paused';
    case 'starting':
      return 'Almost there';
    case 'flows':
      return 'Mail is flowing';
    case 'hiccup':
      return retryingOf(flow.lines);
    case 'warned':
      return firstHeadline(flow.findings);
    case 'stopped':
      return firstHeadline(flow.findings);
  }
}

const retryingOf = ({ length }: readonly MailboxLine[]): string =>
  length === 1 ? '1 mailbox is retrying' : `${length} mailboxes are retrying`;

const firstHeadline = ([first]: readonly Finding[]): string => first?.headline.replace(/\.$/, '') ?? '';

function Verdict(props: { flow: MailFlow; isAdmin: boolean; isFinished: boolean }): JSX.Element {
  const { flow, isAdmin } = props;
  switch (flow.kind) {
    case 'not-set-up':
      return <p class="lead">Turn email into tickets in three steps.</p>;
    case 'all-off':
      return (
        <>
          <div class="verdict warn">No mail is lost: it stays on the server until you resume a mailbox.</div>
          <FindingList findings={promisedOnce(flow.findings, true)} isAdmin={isAdmin} />
        </>
      );
    case 'starting':
      return (
        <p class="lead">The mailbox is connected. The first emails appear here within a minute or two.</p>
      );
    case 'flows':
      return <Flows paused={flow.paused} isFinished={props.isFinished} />;
    case 'hiccup':
      return <Hiccups lines={flow.lines} />;
    case 'warned':
      return (
        <>
          <Wrong
            level="warn"
            findings={flow.findings}
            isAdmin={isAdmin}
            allFetched={flow.lines.length === 0}
          />
          {flow.lines.length === 0 ? null : (
            <Hiccups lines={flow.lines} isPromised={flow.findings.some(promises)} />
          )}
        </>
      );
    case 'stopped':
      return <Wrong level="bad" findings={flow.findings} isAdmin={isAdmin} />;
  }
}

/** At most this many mailboxes are named; the table below lists them all. */
const MAX_NAMED = 3;

function Hiccups(props: { lines: readonly MailboxLine[]; isPromised?: boolean }): JSX.Element {
  const { lines } = props;
  const [since] = lines.map(({ health }) => health.since).sort();
  const more = lines.length - MAX_NAMED;
  return (
    <div class="verdict warn">
      {since === undefined ? null : (
        <p>
          {retryingOf(lines)}, since <Time at={since} />. Email stays on the server until it is fetched
          {props.isPromised === true ? '.' : '; none is lost.'}
        </p>
      )}
      {lines.slice(0, MAX_NAMED).map((line) => (
        <Hiccup line={line} />
      ))}
      {more > 0 ? <p>The table below lists {more === 1 ? 'the other one' : `the ${more} others`}.</p> : null}
    </div>
  );
}

function Hiccup(props: { line: MailboxLine }): JSX.Element {
  const { mailbox, health } = props.line;
  return (
    <p>
      The last fetch of {mailbox.address} failed. Postroom retries automatically
      {health.nextTryAt === undefined ? null : (
        <>
          , next at <Time at={health.nextTryAt} />
        </>
      )}
      . No action needed yet.
    </p>
  );
}

/** Says “No action needed” only when nothing is unfinished. */
function Flows(props: { paused: readonly MailboxLine[]; isFinished: boolean }): JSX.Element {
  const { paused, isFinished } = props;
  const [first] = paused;
  if (first === undefined)
    return (
      <div class="verdict good">All mailboxes are up to date.{isFinished ? ' No action needed.' : null}</div>
    );
  return (
    <div class="verdict good">
      {paused.length === 1
        ? `${first.mailbox.address} is paused; the other mailboxes are up to date.`
        : `${paused.length} mailboxes are paused; the others are up to date.`}
    </div>
  );
}

/** The page’s title is the headline of the first finding; the others follow with their own headlines and links. */
function Wrong(props: {
  level: 'warn' | 'bad';
  findings: readonly Finding[];
  isAdmin: boolean;
  allFetched?: boolean;
}): JSX.Element {
  const [first, ...others] = promisedOnce(props.findings);
  return (
    <>
      {first === undefined ? null : (
        <div class={`verdict ${props.level}`}>
          <FindingDetails finding={first} isAdmin={props.isAdmin} main />
          {props.allFetched === true ? <p class="small">Email is still fetched from all mailboxes.</p> : null}
        </div>
      )}
      <FindingList findings={others} isAdmin={props.isAdmin} />
    </>
  );
}
