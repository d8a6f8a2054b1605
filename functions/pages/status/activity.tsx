import type { JSX } from 'hono/jsx/jsx-runtime';
import {
  type Activity,
  type ActivityKind,
  type ActivityResult,
  activityKinds,
} from '../../../shared/activity/activity.ts';
import { healthOf } from '../../../shared/mailboxes/mailbox-store.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { unreadableRows } from '../../../shared/platform/unreadable-rows.ts';
import { SelectField, SubmitButton } from '../../../shared/ui/forms.tsx';
import { DataTable, EmptyState, StatusLabel, Time } from '../../../shared/ui/lists.tsx';
import { Page, renderPage } from '../../../shared/ui/page.tsx';
import { Pager, readPosition } from '../../../shared/ui/pager.tsx';
import type { PageContext } from '../../http/web-environment.ts';
import { UnreadableNote } from '../errors/unreadable-note.tsx';
import { Mailboxes } from './home-views.tsx';
import { mailboxLine } from './mail-flow.ts';

const PAGE_SIZE = 50;
const EVERYTHING = '';
const labels: Readonly<Record<ActivityKind, { one: string; all: string }>> = {
  fetch: { one: 'Fetch', all: 'Fetches' },
  refresh: { one: 'Token refresh', all: 'Token refreshes' },
  send: { one: 'Send', all: 'Sends' },
};
const results: Readonly<Record<ActivityResult, { kind: 'good' | 'warn' | 'bad'; word: string }>> = {
  done: { kind: 'good', word: 'Done' },
  retrying: { kind: 'warn', word: 'Retrying' },
  'action-required': { kind: 'bad', word: 'Action required' },
};

/** `/activity`: the state of each mailbox, and what Postroom did automatically, newest first. For agents. */
export async function showActivity(c: PageContext): Promise<Response> {
  const { activity, mailboxes, heartbeats, seam } = c.get('services');
  const principal = c.get('principal');
  const kind = activityKinds.find((one) => one === c.req.query('kind'));
  const position = readPosition({ after: c.req.query('after'), back: c.req.queries('back') });
  const now = seam.now();
  const [page, known, state, beats] = await Promise.all([
    activity.page({ kind, after: position.after, limit: PAGE_SIZE }, now),
    mailboxes.list(),
    mailboxes.fetchState(),
    heartbeats.all(),
  ]);
  const lines = known
    .map((mailbox) => mailboxLine(mailbox, healthOf(mailbox, state), beats, now))
    .sort((a, b) => a.mailbox.address.localeCompare(b.mailbox.address));
  const isFirst = position.after === undefined;
  return c.html(
    renderPage(
      <Page title="Activity" place="activity" principal={principal} wide>
        <UnreadableNote rows={unreadableRows(c.get('services').tables, 'Activity')} />
        {isFirst && lines.length > 0 ? (
          <Mailboxes lines={lines} isAdmin={principal.roles.includes('admin')} />
        ) : null}
        <h2>Recent activity</h2>
        <p>Checks that find nothing new are not listed. Entries are kept for 30 days.</p>
        <Filter kind={kind} />
        {page.entries.length === 0 ? (
          <EmptyState title={isFirst ? 'Nothing yet' : 'Nothing older'}>
            {kind === undefined
              ? 'Fetches, token refreshes and sent email appear here.'
              : 'Choose another type, or show everything.'}
          </EmptyState>
        ) : (
          <Entries entries={page.entries} />
        )}
        <Pager
          path={paths.activity()}
          keep={kind === undefined ? {} : { kind }}
          position={position}
          next={page.next}
        />
      </Page>,
    ),
  );
}

function Filter(props: { kind: ActivityKind | undefined }): JSX.Element {
  const options = activityKinds.map((kind) => ({ value: kind, label: labels[kind].all }));
  return (
    <form class="choose" method="get" action={paths.activity()} data-submit-on-change="">
      <SelectField
        name="kind"
        label="Type"
        value={props.kind ?? EVERYTHING}
        options={[{ value: EVERYTHING, label: 'Everything' }, ...options]}
      />
      <SubmitButton kind="secondary">Show</SubmitButton>
    </form>
  );
}

function Entries(props: { entries: readonly Activity[] }): JSX.Element {
  return (
    <DataTable caption="Newest first" head={['Time', 'Type', 'For', 'Result', 'Duration']}>
      {props.entries.map(({ at, kind, about, result, what, ms }) => (
        <tr>
          <td data-label="Time">
            <Time at={at} />
          </td>
          <td data-label="Type">{labels[kind].one}</td>
          <td data-label="For">{about}</td>
          <td data-label="Result">
            <span>
              <StatusLabel kind={results[result].kind}>{results[result].word}</StatusLabel>
              <br />
              {what}
            </span>
          </td>
          <td data-label="Duration">{ms === undefined ? <span class="muted">Unknown</span> : tookOf(ms)}</td>
        </tr>
      ))}
    </DataTable>
  );
}

const tookOf = (ms: number): string => (ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`);
