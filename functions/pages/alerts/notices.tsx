import type { JSX } from 'hono/jsx/jsx-runtime';
import { byGravity, type Condition, type Notice, shownOf } from '../../../shared/notices/notice.ts';
import type { Delivery } from '../../../shared/notices/telling.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { DataTable, EmptyState, Time } from '../../../shared/ui/lists.tsx';
import { Page, renderPage } from '../../../shared/ui/page.tsx';
import { Pager, readPosition } from '../../../shared/ui/pager.tsx';
import type { MailContext } from '../tickets/mail-services.ts';
import { ConditionDetails, promisedOnce } from './notice-views.tsx';

const PAGE_SIZE = 50;

/** `/notices`: what is wrong, who was told of it, and what is over. For agents. */
export async function showAlerts(c: MailContext): Promise<Response> {
  const { notices } = c.get('services');
  const principal = c.get('principal');
  const isAdmin = principal.roles.includes('admin');
  const position = readPosition({ after: c.req.query('after'), back: c.req.queries('back') });
  const [all, past] = await Promise.all([
    notices.open(),
    notices.past({ after: position.after, limit: PAGE_SIZE }),
  ]);
  const open = await Promise.all(
    all
      .toSorted((a, b) => byGravity(shownOf(a), shownOf(b)))
      .map(async (notice) => ({ notice, deliveries: await notices.deliveries(notice.id) })),
  );
  const conditions = promisedOnce(open.map(({ notice }) => shownOf(notice)));
  return c.html(
    renderPage(
      <Page title="Alerts" place="alerts" principal={principal} wide>
        {open.length === 0 ? (
          <div class="verdict good">No active alerts.</div>
        ) : (
          <ul class="conditions">
            {open.map(({ notice, deliveries }, index) => (
              <OpenNotice
                notice={notice}
                condition={conditions[index] ?? shownOf(notice)}
                deliveries={deliveries}
                isAdmin={isAdmin}
              />
            ))}
          </ul>
        )}
        {past.notices.length === 0 ? (
          <EmptyState title="No resolved alerts">Resolved alerts appear here.</EmptyState>
        ) : (
          <PastNotices notices={past.notices} />
        )}
        <Pager path={paths.alerts()} keep={{}} position={position} next={past.next} />
      </Page>,
    ),
  );
}

function OpenNotice(props: {
  notice: Notice;
  /** What of it is shown. */
  condition: Condition;
  deliveries: readonly Delivery[];
  isAdmin: boolean;
}): JSX.Element {
  const { condition } = props;
  return (
    <li class={condition.severity === 'warning' ? 'warn' : 'bad'}>
      <h2>{condition.headline}</h2>
      <ConditionDetails condition={condition} isAdmin={props.isAdmin} />
      <Told notice={props.notice} deliveries={props.deliveries} />
    </li>
  );
}

const over: Readonly<Record<Delivery['channel'], string>> = { email: 'email', webhook: 'webhook' };

function Told(props: { notice: Notice; deliveries: readonly Delivery[] }): JSX.Element {
  const { deliveries } = props;
  const last = (channel: Delivery['channel']): Delivery | undefined =>
    deliveries.findLast((one) => one.channel === channel);
  const lasts = [last('email'), last('webhook')].filter((one) => one !== undefined);
  return (
    <p class="small muted">
      Noticed <Time at={props.notice.openedAt} />.{' '}
      {lasts.length === 0
        ? 'Not sent by email or webhook.'
        : lasts.map(({ channel, at, result }) => (
            <>
              {result === 'delivered'
                ? `Sent by ${over[channel]} `
                : `The ${over[channel]} could not be reached, given up `}
              <Time at={at} />.{' '}
            </>
          ))}
    </p>
  );
}

function PastNotices(props: { notices: readonly Notice[] }): JSX.Element {
  return (
    <DataTable caption="Over" head={['What', 'Why', 'From', 'Until']}>
      {props.notices.map((notice) => {
        const condition = shownOf(notice);
        return (
          <tr>
            <th scope="row">{condition.headline}</th>
            <td data-label="Why">{condition.cause}</td>
            <td data-label="From">
              <Time at={condition.since} />
            </td>
            <td data-label="Until">
              <Time at={notice.closedAt ?? notice.toldAt} />
            </td>
          </tr>
        );
      })}
    </DataTable>
  );
}
