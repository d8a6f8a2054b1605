import type { JSX } from 'hono/jsx/jsx-runtime';
import type { MailHour } from '../../../shared/mailboxes/mail-hours.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { ButtonLink } from '../../../shared/ui/forms.tsx';
import { DataTable, StatusLabel, Time } from '../../../shared/ui/lists.tsx';
import type { MailboxLine } from './mail-flow.ts';

/** The steps that lead to the first ticket, in order. */
export function FirstSteps(props: {
  hasProvider: boolean;
  hasMailbox: boolean;
  isAdmin: boolean;
}): JSX.Element {
  const { hasProvider, hasMailbox, isAdmin } = props;
  const kindOf = (done: boolean, now: boolean): 'done' | 'now' | 'later' =>
    done ? 'done' : now ? 'now' : 'later';
  const first = kindOf(hasProvider, true);
  const second = kindOf(hasMailbox, hasProvider);
  const third = kindOf(false, hasMailbox);
  return (
    <ol class="steps">
      <li class={first}>
        <h2>Register a provider</h2>
        <p>Connect Postroom to Microsoft 365 or another OAuth provider.</p>
        <Step state={first} href={paths.newProvider()} label="Register a provider" isAdmin={isAdmin} />
      </li>
      <li class={second}>
        <h2>Connect a mailbox</h2>
        <p>Its owner signs in once.</p>
        <Step state={second} href={paths.newMailbox()} label="Add a mailbox" isAdmin={isAdmin} />
      </li>
      <li class={third}>
        <h2>Email becomes tickets</h2>
        <p>Every unread email becomes a ticket, exactly once.</p>
        <Step state={third} href={paths.home()} label="Refresh" isAdmin />
      </li>
    </ol>
  );
}

function Step(props: {
  state: 'done' | 'now' | 'later';
  href: string;
  label: string;
  isAdmin: boolean;
}): JSX.Element | null {
  if (props.state === 'done') return <StatusLabel kind="good">Done</StatusLabel>;
  if (props.state === 'later') return null;
  if (!props.isAdmin) return <p class="muted">An administrator does this.</p>;
  return <ButtonLink href={props.href}>{props.label}</ButtonLink>;
}

const words: Readonly<
  Record<MailboxLine['state'], { kind: 'good' | 'warn' | 'bad' | 'quiet'; word: string }>
> = {
  ok: { kind: 'good', word: 'OK' },
  'first-fetch': { kind: 'quiet', word: 'First fetch soon' },
  off: { kind: 'quiet', word: 'Paused' },
  silent: { kind: 'bad', word: 'Overdue' },
  'not-started': { kind: 'bad', word: 'Not fetched' },
  retrying: { kind: 'warn', word: 'Retrying' },
  'action-required': { kind: 'bad', word: 'Action required' },
};

/** The state of each mailbox, one row each. For admins, the address links to the settings. */
export function Mailboxes(props: { lines: readonly MailboxLine[]; isAdmin: boolean }): JSX.Element {
  return (
    <section>
      <DataTable
        caption="Mailboxes"
        head={['Address', 'State', 'Last fetch', 'Last email', 'Unread', 'Next fetch']}
      >
        {props.lines.map(({ mailbox, health, state }) => (
          <tr>
            <th scope="row">
              {props.isAdmin ? <a href={paths.editMailbox(mailbox)}>{mailbox.address}</a> : mailbox.address}
            </th>
            <td data-label="State">
              <span>
                <StatusLabel kind={words[state].kind}>{words[state].word}</StatusLabel>
              </span>
            </td>
            <td data-label="Last fetch">
              <OptionalTime at={health.lastSuccessAt} />
            </td>
            <td data-label="Last email">
              <OptionalTime at={health.lastMailAt} />
            </td>
            <td data-label="Unread">
              <Waiting backlog={health.backlog} state={state} />
            </td>
            <td data-label="Next fetch">
              <NextTry nextTryAt={health.nextTryAt} state={state} interval={mailbox.intervalMinutes} />
            </td>
          </tr>
        ))}
      </DataTable>
    </section>
  );
}

function OptionalTime(props: { at: string | undefined }): JSX.Element {
  return props.at === undefined ? <span class="muted">None yet</span> : <Time at={props.at} />;
}

/** The count is known only while the mailbox is fetched. */
function Waiting(props: { backlog: number | undefined; state: MailboxLine['state'] }): JSX.Element {
  const { backlog = 0, state } = props;
  if (backlog > 0) return <>{backlog === 1 ? '1 email' : `${backlog} emails`}</>;
  return <span class="muted">{state === 'ok' ? 'None' : 'Unknown'}</span>;
}

function NextTry(props: {
  nextTryAt: string | undefined;
  state: MailboxLine['state'];
  interval: number;
}): JSX.Element {
  const { nextTryAt, state, interval } = props;
  if (state === 'off') return <span class="muted">None</span>;
  if (state === 'not-started') return <span class="muted">Unknown</span>;
  if (nextTryAt !== undefined) return <Time at={nextTryAt} />;
  return <span class="muted">{interval === 1 ? 'Every minute' : `Every ${interval} minutes`}</span>;
}

const BAR = 20;
const GAP = 4;
const HEIGHT = 80;

/** Email received per hour, as bars, with a one-sentence summary and a table for screen readers. */
export function MailChart(props: { hours: readonly MailHour[] }): JSX.Element {
  const { hours } = props;
  const most = Math.max(1, ...hours.map(({ emails }) => emails));
  const width = hours.length * (BAR + GAP) - GAP;
  return (
    <section>
      <h2>Email received in the last {hours.length} hours</h2>
      <figure class="chart">
        <figcaption>{chartSentence(hours)}</figcaption>
        <svg viewBox={`0 0 ${width} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          {hours.map(({ emails }, index) => {
            const height = emails === 0 ? 1 : Math.max(3, Math.round((emails / most) * HEIGHT));
            return (
              <rect
                class={emails === 0 ? 'none' : undefined}
                x={index * (BAR + GAP)}
                y={HEIGHT - height}
                width={BAR}
                height={height}
              />
            );
          })}
        </svg>
        <p class="ends" aria-hidden="true">
          <span>{clockOf(hours.at(0))}</span>
          <span>{clockOf(hours.at(-1))} UTC</span>
        </p>
        {hours.every(({ emails }) => emails === 0) ? null : (
          <details>
            <summary>Show as a table</summary>
            <DataTable caption="Emails per hour (UTC)" head={['Hour', 'Emails', 'Not imported']}>
              {hours
                .filter(({ emails }) => emails > 0)
                .toReversed()
                .map((one) => (
                  <tr>
                    <th scope="row">
                      {one.hour.slice(0, 10)} {clockOf(one)}
                    </th>
                    <td>{one.emails}</td>
                    <td>{one.quarantined}</td>
                  </tr>
                ))}
            </DataTable>
          </details>
        )}
      </figure>
    </section>
  );
}

const clockOf = (one: MailHour | undefined): string => (one === undefined ? '' : `${one.hour.slice(11)}:00`);

function chartSentence(hours: readonly MailHour[]): string {
  const total = hours.reduce((sum, { emails }) => sum + emails, 0);
  if (total === 0) return 'No email received.';
  const fullest = hours.reduce((best, one) => (one.emails > best.emails ? one : best));
  const from = `in the hour from ${clockOf(fullest)} UTC`;
  if (total === 1) return `1 email received, ${from}.`;
  if (total === fullest.emails) return `${total} emails received, all ${from}.`;
  return `${total} emails received. Busiest hour: ${clockOf(fullest)} UTC (${fullest.emails}).`;
}
