/** Who works on a ticket, and the forms that change it. */
import type { JSX } from 'hono/jsx/jsx-runtime';
import { isEnvelopeAddress } from '../../../shared/outbox/outgoing-mail.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { assigneeKey } from '../../../shared/tickets/assignee.ts';
import type { Person, Ticket } from '../../../shared/tickets/ticket.ts';
import { SubmitButton, TextField } from '../../../shared/ui/forms.tsx';
import { alertAddressOf } from '../../use-cases/alert-agents.ts';
import { shownName } from './ticket-list.tsx';

export interface AssignmentState {
  ticket: Ticket;
  /** The signed-in person. */
  me: Person;
  /** Suggested. */
  known: readonly Person[];
  /** Lower-case addresses of all our mailboxes. */
  own: ReadonlySet<string>;
  /** What was typed, and why it was refused. */
  refused: { typed: string; problem: string } | undefined;
}

/** Name of the field with an address. */
export const ASSIGN_TO = 'assign-to';

export function Assignment({ state }: { state: AssignmentState }): JSX.Element {
  const { ticket, me, known, own, refused } = state;
  const { assignee } = ticket;
  const isMine = assigneeKey(assignee) === assigneeKey(me);
  return (
    <section class="assignment" aria-label="Assignee">
      <p>
        {assignee === undefined ? (
          'Unassigned'
        ) : (
          <>
            Assigned to <strong dir="auto">{shownName(assignee)}</strong>
            {assignee.name === undefined || assignee.address === undefined ? '' : ` ${assignee.address}`}
          </>
        )}
      </p>
      {isMine ? null : <Button ticket={ticket} to="me" label="Assign to me" />}
      {assignee === undefined ? null : <Button ticket={ticket} to="nobody" label="Unassign" />}
      <details open={refused !== undefined}>
        <summary>Assign to someone else</summary>
        <form method="post" action={paths.assignTicket(ticket)} novalidate>
          <TextField
            name={ASSIGN_TO}
            label="Email address"
            type="email"
            autocomplete="off"
            value={refused?.typed}
            error={refused?.problem}
            suggestions={known.map((person) => ({ value: person.address ?? '', label: person.name ?? '' }))}
          />
          <SubmitButton kind="secondary">Assign</SubmitButton>
          <From ticket={ticket} />
        </form>
      </details>
      {assignee === undefined || alertAddressOf(assignee, own) !== undefined ? null : (
        <p class="flash warning">{withoutAlerts(assignee)}</p>
      )}
    </section>
  );
}

const withoutAlerts = (assignee: Person): string =>
  `${
    assignee.address !== undefined && isEnvelopeAddress(assignee.address)
      ? `${assignee.address} is a mailbox of this installation, so no one is alerted to replies there.`
      : `${shownName(assignee)} signed in without an email address, so Postroom cannot alert them of replies.`
  } The agents of the mailbox are alerted, as if the ticket were unassigned.`;

function Button(props: { ticket: Ticket; to: 'me' | 'nobody'; label: string }): JSX.Element {
  return (
    <form method="post" action={paths.assignTicket(props.ticket)}>
      <SubmitButton kind="secondary" name="to" value={props.to}>
        {props.label}
      </SubmitButton>
      <From ticket={props.ticket} />
    </form>
  );
}

/** The assignee that the page shows, so that a change made since is not overwritten. */
function From({ ticket }: { ticket: Ticket }): JSX.Element {
  return <input type="hidden" name="from" value={assigneeKey(ticket.assignee)} />;
}
