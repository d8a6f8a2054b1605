/** The ticket list, and the buttons that close and reopen a ticket. For agents. */
import {
  classNames,
  type MessageClass,
  messageClasses,
} from '../../../shared/message-class/message-class.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { unreadableRows } from '../../../shared/platform/unreadable-rows.ts';
import { assigneeKey } from '../../../shared/tickets/assignee.ts';
import { type TicketPage, type TicketStatus, ticketStatuses } from '../../../shared/tickets/ticket.ts';
import { SubmitButton } from '../../../shared/ui/forms.tsx';
import { EmptyState } from '../../../shared/ui/lists.tsx';
import { type Flash, Page, renderPage } from '../../../shared/ui/page.tsx';
import { Pager, type Position, readPosition } from '../../../shared/ui/pager.tsx';
import { flashOf } from '../../http/form-data.ts';
import { personOf } from '../../use-cases/assign-ticket.ts';
import { setTicketStatus } from '../../use-cases/set-ticket-status.ts';
import { UnreadableNote } from '../errors/unreadable-note.tsx';
import { type MailContext, mailServices } from './mail-services.ts';
import { ownId } from './message-files.ts';
import { statusNames, TicketList } from './ticket-list.tsx';

const PAGE_SIZE = 50;
const flashes: Readonly<Record<string, Flash>> = {
  'no-number': { kind: 'warning', text: 'There is no ticket with this number.' },
};

export const closeTicket = (c: MailContext): Promise<Response> => changeStatus(c, 'closed', 'closed');
export const reopenTicket = (c: MailContext): Promise<Response> => changeStatus(c, 'open', 'reopened');

/** The list of the tickets with a status. */
const listOf = (status: TicketStatus): string => paths.tickets(status === 'open' ? {} : { status });

export async function showTickets(c: MailContext): Promise<Response> {
  const { tickets } = mailServices(c);
  const number = c.req.query('number')?.trim().replace(/^#/, '');
  if (number !== undefined && number !== '') {
    const id = /^\d{1,9}$/.test(number) ? await tickets.byNumber(Number(number)) : undefined;
    return c.redirect(id === undefined ? paths.tickets({ flash: 'no-number' }) : paths.ticket({ id }), 303);
  }
  const status = ticketStatuses.find((one) => one === c.req.query('status')) ?? 'open';
  const messageClass = messageClasses.find((one) => one === c.req.query('class'));
  const position = readPosition({ after: c.req.query('after'), back: c.req.queries('back') });
  const assigned = assignedOptions.find(({ value }) => value === c.req.query('assigned'))?.value;
  const assignee = assigned && { me: assigneeKey(personOf(c.get('principal'))), nobody: '' }[assigned];
  const shown: Shown = { status, messageClass, assigned };
  const page = await tickets.page(status, {
    after: position.after,
    limit: PAGE_SIZE,
    messageClass,
    assignee,
  });
  return c.html(
    renderPage(
      <Page title="Tickets" principal={c.get('principal')} place="tickets" wide flash={flashOf(c, flashes)}>
        <UnreadableNote rows={unreadableRows(c.get('services').tables, 'TicketIndex')} />
        <ListHead shown={shown} />
        <ListBody shown={shown} page={page} position={position} />
      </Page>,
    ),
  );
}

/** What the list is limited to. */
interface Shown {
  status: TicketStatus;
  messageClass: MessageClass | undefined;
  assigned: 'me' | 'nobody' | undefined;
}

const assignedOptions = [
  { value: 'me', label: 'Me' },
  { value: 'nobody', label: 'No one' },
] as const;

function ListHead({ shown }: { shown: Shown }) {
  return (
    <div class="tabs">
      <nav aria-label="Status">
        <ul>
          {ticketStatuses.map((status) => (
            <li>
              <a href={listOf(status)} aria-current={status === shown.status ? 'page' : undefined}>
                {statusNames[status]}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <Filters shown={shown} />
      <form class="find" method="get" action={paths.tickets()}>
        <label for="number">Ticket number</label>
        <input id="number" name="number" type="text" inputmode="numeric" autocomplete="off" />
        <SubmitButton kind="secondary">Go</SubmitButton>
      </form>
    </div>
  );
}

function Filters({ shown }: { shown: Shown }) {
  return (
    <form class="find" method="get" action={paths.tickets()} data-submit-on-change="">
      {shown.status === 'open' ? null : <input type="hidden" name="status" value={shown.status} />}
      <span class="choice">
        <label for="assigned">Assigned to</label>
        <select id="assigned" name="assigned">
          <option value="">Anyone</option>
          {assignedOptions.map(({ value, label }) => (
            <option value={value} selected={value === shown.assigned}>
              {label}
            </option>
          ))}
        </select>
      </span>
      <span class="choice">
        <label for="class">Opened by</label>
        <select id="class" name="class">
          <option value="">Any sender type</option>
          {messageClasses.map((value) => (
            <option value={value} selected={value === shown.messageClass}>
              {classNames[value]}
            </option>
          ))}
        </select>
      </span>
      <SubmitButton kind="secondary">Show</SubmitButton>
    </form>
  );
}

function ListBody(props: { shown: Shown; page: TicketPage; position: Position }) {
  const { page, position } = props;
  const { status, messageClass, assigned } = props.shown;
  const keep = {
    ...(status !== 'open' && { status }),
    ...(messageClass !== undefined && { class: messageClass }),
    ...(assigned !== undefined && { assigned }),
  };
  const pager = <Pager path={paths.tickets()} keep={keep} position={position} next={page.next} />;
  if (page.tickets.length === 0 && (messageClass !== undefined || assigned !== undefined))
    return (
      <>
        <EmptyState
          title={page.next === undefined ? 'No matching tickets' : 'No matches among the newest tickets'}
        >
          <a href={listOf(status)}>Show all {status} tickets</a>
        </EmptyState>
        {pager}
      </>
    );
  if (page.tickets.length === 0) return <NoTickets status={status} later={position.after !== undefined} />;
  return (
    <>
      <TicketList label={`${statusNames[status]} tickets`} tickets={page.tickets} />
      {pager}
    </>
  );
}

function NoTickets(props: { status: TicketStatus; later: boolean }) {
  if (props.later)
    return (
      <EmptyState title="No more tickets">
        <a href={listOf(props.status)}>Back to the newest</a>
      </EmptyState>
    );
  if (props.status === 'waiting')
    return (
      <EmptyState title="No waiting tickets">
        A ticket waits for the customer after “Send and wait for the customer”. Their answer opens it again.
      </EmptyState>
    );
  if (props.status === 'closed')
    return <EmptyState title="No closed tickets yet">Closed tickets are kept here.</EmptyState>;
  return (
    <EmptyState title="No open tickets">
      Unread email in a connected mailbox becomes a ticket within a minute or two.{' '}
      <a href={paths.home()}>Check whether mail is flowing</a>
    </EmptyState>
  );
}

async function changeStatus(c: MailContext, status: TicketStatus, action: string): Promise<Response> {
  const id = ownId(c, 'id');
  const change = { status, action, by: c.get('principal') };
  if (id === undefined || (await setTicketStatus(c.get('services'), id, change)) === 'missing')
    return c.notFound();
  return c.redirect(paths.ticket({ id }, { flash: action }), 303);
}
