/** The ticket list, and the buttons that close and reopen a ticket. For agents. */
import {
  classNames,
  type MessageClass,
  messageClasses,
} from '../../../shared/message-class/message-class.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { unreadableRows } from '../../../shared/platform/unreadable-rows.ts';
import { type TicketPage, type TicketStatus, ticketStatuses } from '../../../shared/tickets/ticket.ts';
import { SubmitButton } from '../../../shared/ui/forms.tsx';
import { EmptyState } from '../../../shared/ui/lists.tsx';
import { type Flash, Page, renderPage } from '../../../shared/ui/page.tsx';
import { Pager, type Position, readPosition } from '../../../shared/ui/pager.tsx';
import { flashOf } from '../../http/form-data.ts';
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
  const page = await tickets.page(status, { after: position.after, limit: PAGE_SIZE, messageClass });
  return c.html(
    renderPage(
      <Page title="Tickets" principal={c.get('principal')} place="tickets" wide flash={flashOf(c, flashes)}>
        <UnreadableNote rows={unreadableRows(c.get('services').tables, 'TicketIndex')} />
        <ListHead status={status} messageClass={messageClass} />
        <ListBody status={status} messageClass={messageClass} page={page} position={position} />
      </Page>,
    ),
  );
}

function ListHead(props: { status: TicketStatus; messageClass: MessageClass | undefined }) {
  return (
    <div class="tabs">
      <nav aria-label="Status">
        <ul>
          {ticketStatuses.map((status) => (
            <li>
              <a href={listOf(status)} aria-current={status === props.status ? 'page' : undefined}>
                {statusNames[status]}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <ClassFilter {...props} />
      <form class="find" method="get" action={paths.tickets()}>
        <label for="number">Ticket number</label>
        <input id="number" name="number" type="text" inputmode="numeric" autocomplete="off" />
        <SubmitButton kind="secondary">Go</SubmitButton>
      </form>
    </div>
  );
}

function ClassFilter(props: { status: TicketStatus; messageClass: MessageClass | undefined }) {
  return (
    <form class="find" method="get" action={paths.tickets()} data-submit-on-change="">
      {props.status === 'open' ? null : <input type="hidden" name="status" value={props.status} />}
      <label for="class">Opened by</label>
      <select id="class" name="class">
        <option value="">Anything</option>
        {messageClasses.map((value) => (
          <option value={value} selected={value === props.messageClass}>
            {classNames[value]}
          </option>
        ))}
      </select>
      <SubmitButton kind="secondary">Show</SubmitButton>
    </form>
  );
}

function ListBody(props: {
  status: TicketStatus;
  messageClass: MessageClass | undefined;
  page: TicketPage;
  position: Position;
}) {
  const { status, messageClass, page, position } = props;
  const keep = {
    ...(status !== 'open' && { status }),
    ...(messageClass !== undefined && { class: messageClass }),
  };
  const pager = <Pager path={paths.tickets()} keep={keep} position={position} next={page.next} />;
  if (page.tickets.length === 0 && messageClass !== undefined)
    return (
      <>
        <EmptyState title={page.next === undefined ? 'No such tickets' : 'None among the newest tickets'}>
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
