import type { JSX } from 'hono/jsx/jsx-runtime';
import { linkTo } from '../../../shared/explanations/links.ts';
import {
  type Heartbeat,
  lateTimers,
  type TimerName,
  timerLimits,
} from '../../../shared/heartbeats/heartbeat.ts';
import { type ChannelStates, needsKey } from '../../../shared/alerts/channel-states.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { describeError } from '../../../shared/platform/errors.ts';
import { type QueueName, queueNames } from '../../../shared/platform/queues.ts';
import { DataTable, Facts, StatusLabel, Time } from '../../../shared/ui/lists.tsx';
import { Page, renderPage } from '../../../shared/ui/page.tsx';
import { OutsideLink } from '../../../shared/ui/outside-link.tsx';
import type { Services } from '../../services.ts';
import type { MailContext } from '../tickets/mail-services.ts';

/** How a part answered: in how many milliseconds, or with what words not. */
interface Answered {
  name: string;
  ms: number;
  problem: string | undefined;
}

interface GivenUp {
  queue: QueueName;
  count: number;
  since: string | undefined;
}

/** `/health`: what the app stands on, its timers, the work that was given up, and who is told of alerts. For admins. */
export async function showHealth(c: MailContext): Promise<Response> {
  const services = c.get('services');
  const { seam, queues } = services;
  const [parts, channels, beats, abandoned] = await Promise.all([
    askParts(services),
    services.channelSecrets.read(),
    services.heartbeats.all().catch(() => undefined),
    Promise.all(queueNames.map(async (queue) => ({ queue, ...(await queues.poison(queue)) }))).catch(
      () => undefined,
    ),
  ]);
  return c.html(
    renderPage(
      <Page title="Health" place="health" principal={c.get('principal')} wide>
        <Parts parts={parts} />
        {beats === undefined ? null : <Timers beats={beats} now={seam.now()} />}
        {abandoned === undefined ? null : <Queues abandoned={abandoned} />}
        <Channels emails={services.config.alerts.emails} channels={channels} />
      </Page>,
    ),
  );
}

function askParts({ tables, vault, queues, blobs }: Services): Promise<Answered[]> {
  return Promise.all([
    answered('Tables', () => tables.open('Alerts').list('alert', { limit: 1 })),
    answered('Blobs', () => blobs.read('health')),
    answered('Queues', () => queues.poison('fetch-shard')),
    answered('Key Vault', () => vault.get('postroom-data-key')),
  ]);
}

async function answered(name: string, ask: () => Promise<unknown>): Promise<Answered> {
  const began = performance.now();
  const took = (): number => Math.round(performance.now() - began);
  try {
    await ask();
    return { name, ms: took(), problem: undefined };
  } catch (error) {
    return { name, ms: took(), problem: describeError(error) };
  }
}

function Parts(props: { parts: readonly Answered[] }): JSX.Element {
  return (
    <DataTable caption="What Postroom stands on" head={['Part', 'State', 'Answered in']}>
      {props.parts.map(({ name, ms, problem }) => (
        <tr>
          <th scope="row">{name}</th>
          <td data-label="State">
            <span>
              <StatusLabel kind={problem === undefined ? 'good' : 'bad'}>
                {problem === undefined ? 'Answers' : 'Does not answer'}
              </StatusLabel>
              {problem === undefined ? null : (
                <>
                  <br />
                  {problem}
                </>
              )}
            </span>
          </td>
          <td data-label="Answered in">{ms} ms</td>
        </tr>
      ))}
    </DataTable>
  );
}

const does: Readonly<Record<TimerName, string>> = {
  fetchMail: 'starts the fetches',
  monitor: 'looks at the installation, opens and closes alerts',
  refreshTokens: 'keeps unused sign-ins alive',
  reviewSecrets: 'watches over the secrets',
};

function Timers(props: { beats: ReadonlyMap<TimerName, Heartbeat>; now: number }): JSX.Element {
  const late = new Set(lateTimers(props.beats, props.now).map(({ name }) => name));
  const names = Object.keys(timerLimits) as TimerName[];
  const apps = linkTo('function-apps', {});
  return (
    <section>
      <DataTable caption="Timers" head={['Timer', 'State', 'Last seen']}>
        {names.map((name) => {
          const beat = props.beats.get(name);
          return (
            <tr>
              <th scope="row">
                {name} <span class="muted">{does[name]}</span>
              </th>
              <td data-label="State">
                <span>
                  {beat === undefined ? (
                    <StatusLabel kind="quiet">Not seen yet</StatusLabel>
                  ) : (
                    <StatusLabel kind={late.has(name) ? 'bad' : 'good'}>
                      {late.has(name) ? 'Late' : 'Runs'}
                    </StatusLabel>
                  )}
                </span>
              </td>
              <td data-label="Last seen">{beat === undefined ? 'None' : <Time at={beat.at} />}</td>
            </tr>
          );
        })}
      </DataTable>
      {late.size === 0 ? null : (
        <p>
          A timer that is late and does not come back by itself comes back when the app is started again:{' '}
          <OutsideLink href={apps.href}>{apps.label}</OutsideLink>, this app, Overview, Restart. If it stays
          away, the log of the app says why its runs fail.
        </p>
      )}
    </section>
  );
}

function Queues(props: { abandoned: readonly GivenUp[] }): JSX.Element {
  return (
    <section>
      <DataTable caption="Work that was given up" head={['Queue', 'Messages', 'Since']}>
        {props.abandoned.map(({ queue, count, since }) => (
          <tr>
            <th scope="row">{queue}-poison</th>
            <td data-label="Messages">
              <span>
                {count === 0 ? (
                  <span class="muted">None</span>
                ) : (
                  <StatusLabel kind="warn">{count}</StatusLabel>
                )}
              </span>
            </td>
            <td data-label="Since">
              {since === undefined ? <span class="muted">None</span> : <Time at={since} />}
            </td>
          </tr>
        ))}
      </DataTable>
      {props.abandoned.every(({ count }) => count === 0) ? null : (
        <p>
          Each of these failed five times; the log of the app says why. Mail that is not fetched or sent yet
          is tried again by itself. When the reason is gone, the messages can be deleted in the storage
          account, under Queues.
        </p>
      )}
    </section>
  );
}

/** The addresses of the channels may open a door of their own: what is shown is only whether they are there. */
function Channels({
  emails,
  channels: { relay, webhook },
}: {
  emails: readonly string[];
  channels: ChannelStates;
}): JSX.Element {
  const over = {
    ready: 'over the relay',
    absent: 'over any mailbox that may send',
    unusable: 'over any mailbox that may send: the secret smtp-relay-url cannot be used',
  }[relay.kind];
  const byMail = emails.length === 0 ? 'Nobody: ALERT_EMAIL is not set' : `${emails.join(', ')}, ${over}`;
  return (
    <section>
      <h2>Who is told of alerts</h2>
      <Facts
        items={[
          { term: 'On these pages', detail: <a href={paths.alerts()}>All alerts</a> },
          { term: 'By mail', detail: byMail },
          { term: 'By webhook', detail: webhookInWords(webhook) },
        ]}
      />
    </section>
  );
}

function webhookInWords(webhook: ChannelStates['webhook']): string {
  switch (webhook.kind) {
    case 'absent':
      return 'None: the key vault holds no secret alert-webhook-url';
    case 'unusable':
      return 'Set up, but the secret alert-webhook-url cannot be used';
    case 'ready':
      if (webhook.key !== undefined) return 'Set, signed';
      return needsKey(webhook.url)
        ? 'Set, but nothing is sent: the secret alert-webhook-key is missing or cannot be used'
        : 'Set, unsigned';
  }
}
