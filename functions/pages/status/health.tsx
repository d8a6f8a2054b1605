import type { JSX } from 'hono/jsx/jsx-runtime';
import { type ChannelStates, needsKey } from '../../../shared/alerts/channel-states.ts';
import { linkTo } from '../../../shared/explanations/links.ts';
import {
  type Heartbeat,
  lateTimers,
  type TimerName,
  timerLimits,
} from '../../../shared/heartbeats/heartbeat.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { describeError } from '../../../shared/platform/errors.ts';
import { type QueueName, queueNames } from '../../../shared/platform/queues.ts';
import { DataTable, Facts, StatusLabel, Time } from '../../../shared/ui/lists.tsx';
import { OutsideLink } from '../../../shared/ui/outside-link.tsx';
import { Page, renderPage } from '../../../shared/ui/page.tsx';
import type { Services } from '../../services.ts';
import type { MailContext } from '../tickets/mail-services.ts';

/** How a dependency responded: its response time, and its error where it failed. */
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

/** `/health`: the app’s dependencies, its timers, failed jobs, and who gets alerts. For admins. */
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
    answered('Key Vault', () => vault.get('postroom-encryption-key')),
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
    <DataTable caption="Dependencies" head={['Service', 'Status', 'Response time']}>
      {props.parts.map(({ name, ms, problem }) => (
        <tr>
          <th scope="row">{name}</th>
          <td data-label="Status">
            <span>
              <StatusLabel kind={problem === undefined ? 'good' : 'bad'}>
                {problem === undefined ? 'OK' : 'Not responding'}
              </StatusLabel>
              {problem === undefined ? null : (
                <>
                  <br />
                  {problem}
                </>
              )}
            </span>
          </td>
          <td data-label="Response time">{ms} ms</td>
        </tr>
      ))}
    </DataTable>
  );
}

const does: Readonly<Record<TimerName, string>> = {
  fetchMail: 'starts fetching',
  monitor: 'checks for problems and updates alerts',
  refreshTokens: 'refreshes the tokens of idle accounts',
  reviewSecrets: 'checks secret expiry dates',
};

function Timers(props: { beats: ReadonlyMap<TimerName, Heartbeat>; now: number }): JSX.Element {
  const late = new Set(lateTimers(props.beats, props.now).map(({ name }) => name));
  const names = Object.keys(timerLimits) as TimerName[];
  const apps = linkTo('function-apps', {});
  return (
    <section>
      <DataTable caption="Timers" head={['Timer', 'Status', 'Last heartbeat']}>
        {names.map((name) => {
          const beat = props.beats.get(name);
          return (
            <tr>
              <th scope="row">
                {name} <span class="muted">{does[name]}</span>
              </th>
              <td data-label="Status">
                <span>
                  {beat === undefined ? (
                    <StatusLabel kind="quiet">Not seen yet</StatusLabel>
                  ) : (
                    <StatusLabel kind={late.has(name) ? 'bad' : 'good'}>
                      {late.has(name) ? 'Late' : 'Running'}
                    </StatusLabel>
                  )}
                </span>
              </td>
              <td data-label="Last heartbeat">{beat === undefined ? 'Never' : <Time at={beat.at} />}</td>
            </tr>
          );
        })}
      </DataTable>
      {late.size === 0 ? null : (
        <p>
          If a timer stays late, restart the app: <OutsideLink href={apps.href}>{apps.label}</OutsideLink>,
          this app, Overview, Restart. If it is still late after that, the app’s log shows why its runs fail.
        </p>
      )}
    </section>
  );
}

function Queues(props: { abandoned: readonly GivenUp[] }): JSX.Element {
  return (
    <section>
      <DataTable caption="Failed jobs (poison queues)" head={['Queue', 'Messages', 'Since']}>
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
          Each of these messages failed five times; the app’s log shows why. Email that has not been fetched
          or sent is retried automatically. Once the cause is fixed, you can delete the messages in the
          storage account, under Queues.
        </p>
      )}
    </section>
  );
}

/** A channel’s address may itself be a credential, so the page shows only whether there is one. */
function Channels({
  emails,
  channels: { relay, webhook },
}: {
  emails: readonly string[];
  channels: ChannelStates;
}): JSX.Element {
  const over = {
    ready: 'through the SMTP relay',
    absent: 'through any mailbox that can send',
    unusable: 'through any mailbox that can send: the secret smtp-relay-url cannot be used',
  }[relay.kind];
  const byMail = emails.length === 0 ? 'None: ALERT_EMAIL is not set' : `${emails.join(', ')}, ${over}`;
  return (
    <section>
      <h2>Alert recipients</h2>
      <Facts
        items={[
          { term: 'Pages', detail: <a href={paths.alerts()}>All alerts</a> },
          { term: 'Email', detail: byMail },
          { term: 'Webhook', detail: webhookInWords(webhook) },
        ]}
      />
    </section>
  );
}

function webhookInWords(webhook: ChannelStates['webhook']): string {
  switch (webhook.kind) {
    case 'absent':
      return 'None: Key Vault has no secret named alert-webhook-url';
    case 'unusable':
      return 'Configured, but the secret alert-webhook-url cannot be used';
    case 'ready':
      if (webhook.key !== undefined) return 'Configured, signed';
      return needsKey(webhook.url)
        ? 'Configured, but nothing is sent: the secret alert-webhook-key is missing or cannot be used'
        : 'Configured, unsigned';
  }
}
