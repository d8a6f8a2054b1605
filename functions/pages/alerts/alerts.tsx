import type { JSX } from 'hono/jsx/jsx-runtime';
import { type Alert, byGravity, type Finding, shownOf } from '../../../shared/alerts/alert.ts';
import type { Delivery } from '../../../shared/alerts/notification.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { unreadableRows } from '../../../shared/platform/unreadable-rows.ts';
import { DataTable, EmptyState, Time } from '../../../shared/ui/lists.tsx';
import { Page, renderPage } from '../../../shared/ui/page.tsx';
import { Pager, readPosition } from '../../../shared/ui/pager.tsx';
import { UnreadableNote } from '../errors/unreadable-note.tsx';
import type { MailContext } from '../tickets/mail-services.ts';
import { FindingDetails, promisedOnce } from './alert-views.tsx';

const PAGE_SIZE = 50;

/** `/alerts`: active alerts with their deliveries, and resolved alerts. For agents. */
export async function showAlerts(c: MailContext): Promise<Response> {
  const { alerts } = c.get('services');
  const principal = c.get('principal');
  const isAdmin = principal.roles.includes('admin');
  const position = readPosition({ after: c.req.query('after'), back: c.req.queries('back') });
  const [all, past] = await Promise.all([
    alerts.open(),
    alerts.past({ after: position.after, limit: PAGE_SIZE }),
  ]);
  const open = await Promise.all(
    all
      .toSorted((a, b) => byGravity(shownOf(a), shownOf(b)))
      .map(async (alert) => ({ alert, deliveries: await alerts.deliveries(alert.id) })),
  );
  const findings = promisedOnce(open.map(({ alert }) => shownOf(alert)));
  return c.html(
    renderPage(
      <Page title="Alerts" place="alerts" principal={principal} wide>
        <UnreadableNote rows={unreadableRows(c.get('services').tables, 'Alerts')} />
        {open.length === 0 ? (
          <div class="verdict good">No active alerts.</div>
        ) : (
          <ul class="findings">
            {open.map(({ alert, deliveries }, index) => (
              <OpenAlert
                alert={alert}
                finding={findings[index] ?? shownOf(alert)}
                deliveries={deliveries}
                isAdmin={isAdmin}
              />
            ))}
          </ul>
        )}
        {past.alerts.length === 0 ? (
          <EmptyState title="No resolved alerts">Resolved alerts appear here.</EmptyState>
        ) : (
          <PastAlerts alerts={past.alerts} />
        )}
        <Pager path={paths.alerts()} keep={{}} position={position} next={past.next} />
      </Page>,
    ),
  );
}

function OpenAlert(props: {
  alert: Alert;
  /** The finding shown. */
  finding: Finding;
  deliveries: readonly Delivery[];
  isAdmin: boolean;
}): JSX.Element {
  const { finding } = props;
  return (
    <li class={finding.severity === 'warning' ? 'warn' : 'bad'}>
      <h2>{finding.headline}</h2>
      <FindingDetails finding={finding} isAdmin={props.isAdmin} />
      <Told alert={props.alert} deliveries={props.deliveries} />
    </li>
  );
}

const over: Readonly<Record<Delivery['channel'], string>> = { email: 'email', webhook: 'webhook' };

function Told(props: { alert: Alert; deliveries: readonly Delivery[] }): JSX.Element {
  const { deliveries } = props;
  const last = (channel: Delivery['channel']): Delivery | undefined =>
    deliveries.findLast((one) => one.channel === channel);
  const lasts = [last('email'), last('webhook')].filter((one) => one !== undefined);
  return (
    <p class="small muted">
      Detected <Time at={props.alert.openedAt} />.{' '}
      {lasts.length === 0
        ? 'Not sent by email or webhook.'
        : lasts.map(({ channel, at, result }) => (
            <>
              {result === 'delivered' ? `Sent by ${over[channel]} ` : `Sending by ${over[channel]} failed `}
              <Time at={at} />.{' '}
            </>
          ))}
    </p>
  );
}

function PastAlerts(props: { alerts: readonly Alert[] }): JSX.Element {
  return (
    <DataTable caption="Resolved alerts" head={['Alert', 'Cause', 'Started', 'Resolved']}>
      {props.alerts.map((alert) => {
        const finding = shownOf(alert);
        return (
          <tr>
            <th scope="row">{finding.headline}</th>
            <td data-label="Cause">{finding.cause}</td>
            <td data-label="Started">
              <Time at={finding.since} />
            </td>
            <td data-label="Resolved">
              <Time at={alert.closedAt ?? alert.notifiedAt} />
            </td>
          </tr>
        );
      })}
    </DataTable>
  );
}
