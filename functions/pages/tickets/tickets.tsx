/** The ticket list and the ticket page. For agents. */
import { setImmediate as pause } from 'node:timers/promises';
import { raw } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';
import {
  classNames,
  type MessageClass,
  messageClasses,
} from '../../../shared/message-class/message-class.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { mapLimited } from '../../../shared/platform/concurrency.ts';
import { unreadableRows } from '../../../shared/platform/unreadable-rows.ts';
import type { RemoteImages } from '../../../shared/tickets/mail-html.ts';
import { messageRef, type StoredMessage } from '../../../shared/tickets/message-records.ts';
import type { TicketPage, TicketStatus } from '../../../shared/tickets/ticket.ts';
import { SubmitButton } from '../../../shared/ui/forms.tsx';
import { EmptyState } from '../../../shared/ui/lists.tsx';
import { type Flash, Page, renderPage } from '../../../shared/ui/page.tsx';
import { Pager, type Position, readPosition } from '../../../shared/ui/pager.tsx';
import { setTicketStatus } from '../../use-cases/set-ticket-status.ts';
import { UnreadableNote } from '../errors/unreadable-note.tsx';
import { senderStateOf } from './block-sender.tsx';
import { Message, type ShownMessage, TicketHead } from './conversation.tsx';
import { ConversationPager } from './conversation-pager.tsx';
import { type MailContext, mailServices } from './mail-services.ts';
import { SHOWN_TEXT_CHARACTERS } from './mail-text.tsx';
import { ownId } from './message-files.ts';
import { TicketList, ticketTitle } from './ticket-list.tsx';

const PAGE_SIZE = 50;
const MESSAGES_A_PAGE = 50;
/** With up to this many messages, the links above them are sufficient. */
const FEW = 5;
const flashes: Readonly<Record<string, Flash>> = {
  closed: { kind: 'success', text: 'Ticket closed. A reply will open a new, linked ticket.' },
  reopened: { kind: 'success', text: 'Ticket reopened.' },
  blocked: {
    kind: 'success',
    text: 'Sender blocked. New email from this sender no longer becomes a ticket.',
  },
  unblocked: { kind: 'success', text: 'Sender unblocked.' },
  'no-number': { kind: 'warning', text: 'There is no ticket with this number.' },
};

export const closeTicket = (c: MailContext): Promise<Response> => changeStatus(c, 'closed', 'closed');
export const reopenTicket = (c: MailContext): Promise<Response> => changeStatus(c, 'open', 'reopened');

export async function showTickets(c: MailContext): Promise<Response> {
  const { tickets } = mailServices(c);
  const number = c.req.query('number')?.trim().replace(/^#/, '');
  if (number !== undefined && number !== '') {
    const id = /^\d{1,9}$/.test(number) ? await tickets.byNumber(Number(number)) : undefined;
    return c.redirect(id === undefined ? paths.tickets({ flash: 'no-number' }) : paths.ticket({ id }), 303);
  }
  const status: TicketStatus = c.req.query('status') === 'closed' ? 'closed' : 'open';
  const messageClass = messageClasses.find((one) => one === c.req.query('class'));
  const position = readPosition({ after: c.req.query('after'), back: c.req.queries('back') });
  const page = await tickets.page(status, { after: position.after, limit: PAGE_SIZE, messageClass });
  return c.html(
    renderPage(
      <Page title="Tickets" principal={c.get('principal')} place="tickets" wide flash={flashOf(c)}>
        <UnreadableNote rows={unreadableRows(c.get('services').tables, 'TicketIndex')} />
        <ListHead status={status} messageClass={messageClass} />
        <ListBody status={status} messageClass={messageClass} page={page} position={position} />
      </Page>,
    ),
  );
}

function ListHead(props: { status: TicketStatus; messageClass: MessageClass | undefined }) {
  const current = (status: TicketStatus): 'page' | undefined =>
    status === props.status ? 'page' : undefined;
  return (
    <div class="tabs">
      <nav aria-label="Status">
        <ul>
          <li>
            <a href={paths.tickets()} aria-current={current('open')}>
              Open
            </a>
          </li>
          <li>
            <a href={paths.tickets({ status: 'closed' })} aria-current={current('closed')}>
              Closed
            </a>
          </li>
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
      {props.status === 'closed' ? <input type="hidden" name="status" value="closed" /> : null}
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
    ...(status === 'closed' && { status }),
    ...(messageClass !== undefined && { class: messageClass }),
  };
  const pager = <Pager path={paths.tickets()} keep={keep} position={position} next={page.next} />;
  if (page.tickets.length === 0 && messageClass !== undefined)
    return (
      <>
        <EmptyState title={page.next === undefined ? 'No such tickets' : 'None among the newest tickets'}>
          <a href={status === 'closed' ? paths.tickets({ status }) : paths.tickets()}>
            Show all {status} tickets
          </a>
        </EmptyState>
        {pager}
      </>
    );
  if (page.tickets.length === 0) return <NoTickets status={status} later={position.after !== undefined} />;
  return (
    <>
      <TicketList label={status === 'open' ? 'Open tickets' : 'Closed tickets'} tickets={page.tickets} />
      {pager}
    </>
  );
}

function NoTickets(props: { status: TicketStatus; later: boolean }) {
  if (props.later)
    return (
      <EmptyState title="No more tickets">
        <a href={props.status === 'closed' ? paths.tickets({ status: 'closed' }) : paths.tickets()}>
          Back to the newest
        </a>
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

export async function showTicket(c: MailContext): Promise<Response> {
  const { tickets, mailboxes } = mailServices(c);
  const id = ownId(c, 'id');
  const before = c.req.query('before');
  const page =
    id === undefined ? undefined : await tickets.conversation(id, { before, limit: MESSAGES_A_PAGE });
  if (page === undefined) return c.notFound();
  const { ticket, earlier } = page;
  const place = { ticketId: ticket.id, before };
  const [mailbox, followed, sender, shown] = await Promise.all([
    mailboxes.get(ticket.mailboxId),
    tickets.followers(ticket.id),
    senderStateOf(c, ticket),
    mapLimited(page.messages, 16, (message) => shownMessage(c, message)),
  ]);
  // Rendered one at a time with pauses, so that fifty long texts do not block other requests.
  const messages: HtmlEscapedString[] = [];
  for (const message of shown) {
    messages.push(raw(String(<Message place={place} shown={message} />)));
    await pause();
  }
  return c.html(
    renderPage(
      <Page
        title={`#${ticket.number} ${ticketTitle(ticket)}`}
        principal={c.get('principal')}
        place="tickets"
        wide
        flash={flashOf(c)}
      >
        <TicketHead ticket={ticket} followed={followed} mailboxAddress={mailbox?.address} sender={sender} />
        <ConversationPager place={place} earlier={earlier} messageCount={ticket.messageCount} />
        <ol class="conversation" aria-label="Messages, oldest first">
          {messages.map((message) => (
            <li>{message}</li>
          ))}
        </ol>
        {messages.length > FEW ? (
          <ConversationPager place={place} earlier={earlier} messageCount={ticket.messageCount} />
        ) : null}
      </Page>,
    ),
  );
}

/** The HTML of a message if it has one; its text on request. */
async function shownMessage(c: MailContext, message: StoredMessage): Promise<ShownMessage> {
  const ref = messageRef(message);
  const images: RemoteImages = c.req.query('images') === ref ? 'shown' : 'blocked';
  if (message.html !== undefined && c.req.query('text') !== ref) return { message, text: undefined, images };
  const text = await mailServices(c).tickets.readText(message.text, SHOWN_TEXT_CHARACTERS);
  return { message, text: text ?? { text: '', whole: true }, images };
}

async function changeStatus(c: MailContext, status: TicketStatus, action: string): Promise<Response> {
  const id = ownId(c, 'id');
  const change = { status, action, by: c.get('principal') };
  if (id === undefined || (await setTicketStatus(c.get('services'), id, change)) === 'missing')
    return c.notFound();
  return c.redirect(paths.ticket({ id }, { flash: action }), 303);
}

function flashOf(c: MailContext): Flash | undefined {
  const said = c.req.query('flash');
  return said !== undefined && Object.hasOwn(flashes, said) ? flashes[said] : undefined;
}
