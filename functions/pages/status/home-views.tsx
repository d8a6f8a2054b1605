import type { JSX } from 'hono/jsx/jsx-runtime';
import type { MailHour } from '../../../shared/mailboxes/mail-hours.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { ButtonLink } from '../../../shared/ui/forms.tsx';
import { DataTable, StatusLabel, Time } from '../../../shared/ui/lists.tsx';
import type { MailboxLine } from './mail-flow.ts';

/** What is still to be done before the first mail comes, in its order. */
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
        <h2>Mail becomes tickets</h2>
        <p>From then on every unread mail becomes a ticket, exactly once.</p>
        <Step state={third} href={paths.home()} label="Look again" isAdmin />
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
  works: { kind: 'good', word: 'Works' },
  'first-fetch': { kind: 'quiet', word: 'First fetch soon' },
  off: { kind: 'quiet', word: 'Paused' },
  silent: { kind: 'bad', word: 'Silent' },
  'not-started': { kind: 'bad', word: 'Not fetched' },
  retrying: { kind: 'warn', word: 'Trying again' },
  'needs-person': { kind: 'bad', word: 'Needs you' },
};

/** How each mailbox fares, a row each; for an admin its address leads to its settings. */
export function Mailboxes(props: { lines: readonly MailboxLine[]; isAdmin: boolean }): JSX.Element {
  return (
    <section>
      <DataTable
        caption="Mailboxes"
        head={['Address', 'State', 'Last fetch', 'Last mail', 'Waiting', 'Next try']}
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
            <td data-label="Last mail">
              <OptionalTime at={health.lastMailAt} />
            </td>
            <td data-label="Waiting">
              <Waiting backlog={health.backlog} state={state} />
            </td>
            <td data-label="Next try">
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

/** While a mailbox is not fetched, nobody can say how much waits there. */
function Waiting(props: { backlog: number | undefined; state: MailboxLine['state'] }): JSX.Element {
  const { backlog = 0, state } = props;
  if (backlog > 0) return <>{backlog === 1 ? '1 email' : `${backlog} emails`}</>;
  return <span class="muted">{state === 'works' ? 'Nothing' : 'Not known'}</span>;
}

function NextTry(props: {
  nextTryAt: string | undefined;
  state: MailboxLine['state'];
  interval: number;
}): JSX.Element {
  const { nextTryAt, state, interval } = props;
  if (state === 'off') return <span class="muted">None</span>;
  if (state === 'not-started') return <span class="muted">Not known</span>;
  if (nextTryAt !== undefined) return <Time at={nextTryAt} />;
  return <span class="muted">{interval === 1 ? 'Each minute' : `Every ${interval} minutes`}</span>;
}

const BAR = 20;
const GAP = 4;
const HEIGHT = 80;

/** Mails of the last hours as bars, with a sentence that says the same, and a table for who cannot see bars. */
export function MailChart(props: { hours: readonly MailHour[] }): JSX.Element {
  const { hours } = props;
  const most = Math.max(1, ...hours.map(({ mails }) => mails));
  const width = hours.length * (BAR + GAP) - GAP;
  return (
    <section>
      <h2>Mail of the last {hours.length} hours</h2>
      <figure class="chart">
        <figcaption>{chartSentence(hours)}</figcaption>
        <svg viewBox={`0 0 ${width} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          {hours.map(({ mails }, index) => {
            const height = mails === 0 ? 1 : Math.max(3, Math.round((mails / most) * HEIGHT));
            return (
              <rect
                class={mails === 0 ? 'none' : undefined}
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
        {hours.every(({ mails }) => mails === 0) ? null : (
          <details>
            <summary>As a table</summary>
            <DataTable caption="Mails by the hour, UTC" head={['Hour', 'Mails', 'Not readable']}>
              {hours
                .filter(({ mails }) => mails > 0)
                .toReversed()
                .map((one) => (
                  <tr>
                    <th scope="row">
                      {one.hour.slice(0, 10)} {clockOf(one)}
                    </th>
                    <td>{one.mails}</td>
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
  const total = hours.reduce((sum, { mails }) => sum + mails, 0);
  if (total === 0) return 'No mail came in.';
  const fullest = hours.reduce((best, one) => (one.mails > best.mails ? one : best));
  const from = `from ${clockOf(fullest)} UTC on`;
  if (total === 1) return `1 mail came in, ${from}.`;
  if (total === fullest.mails) return `${total} emails came in, all of them ${from}.`;
  return `${total} emails came in, most of them ${from}: ${fullest.mails}.`;
}
