import type { JSX } from 'hono/jsx/jsx-runtime';
import { paths } from '../../../shared/paths/paths.ts';
import type { Person, TicketStatus, TicketSummary } from '../../../shared/tickets/ticket.ts';
import { Time } from '../../../shared/ui/lists.tsx';
import { ClassLabel } from './class-label.tsx';

export const statusNames: Readonly<Record<TicketStatus, string>> = {
  open: 'Open',
  waiting: 'Waiting',
  closed: 'Closed',
};

/** Tickets as rows; the whole row is a link. */
export function TicketList(props: { label: string; tickets: readonly TicketSummary[] }): JSX.Element {
  return (
    <ol class="ticket-list" aria-label={props.label}>
      {props.tickets.map((ticket) => (
        <li>
          <p class="subject">
            <span class="number">#{ticket.number}</span>
            {ticket.messageClass === undefined ? null : (
              <>
                <ClassLabel of={ticket.messageClass} />{' '}
              </>
            )}
            <a href={paths.ticket(ticket)}>{ticketTitle(ticket)}</a>
          </p>
          <p class="who-wrote">{shownName(ticket.requester)}</p>
          <p class="when">
            <Time at={ticket.lastAt} />
          </p>
          <p class="preview">{ticket.preview}</p>
          <Remarks ticket={ticket} />
        </li>
      ))}
    </ol>
  );
}

function Remarks({ ticket }: { ticket: TicketSummary }): JSX.Element | null {
  const { assignee, messageCount } = ticket;
  const remarks = [
    ...(assignee === undefined ? [] : [`Assigned to ${shownName(assignee)}`]),
    ...(messageCount === 1 ? [] : [`${messageCount} messages`]),
  ];
  return remarks.length === 0 ? null : <p class="count">{remarks.join(' · ')}</p>;
}

/** The subject, or a placeholder for an empty one. */
export const ticketTitle = ({ subject }: { subject: string }): string =>
  subject.trim() === '' ? '(no subject)' : subject;

/** The person's name, otherwise the address. */
export const shownName = ({ name, address }: Person): string => name ?? address ?? 'Unknown sender';
