import { z } from 'zod';
import { invertedTime } from '../platform/inverted-time.ts';
import {
  type ColumnGroup,
  type Columns,
  json,
  objectOf,
  oneOf,
  optional,
  recordKind,
  text,
  time,
  whole,
} from '../platform/records.ts';
import { type Person, type Ticket, type TicketSummary, ticketStatuses } from './ticket.ts';
import { listWithin, messageClass, short } from './ticket-columns.ts';

// Tickets: one partition per ticket, so an email and everything that belongs to it is written in one transaction.
//   ticketId / `head`         the ticket
//   ticketId / `m|…`, `a|…`   its messages and their attachments (message-records.ts)
//   ticketId / `f|…`          a ticket that follows this one (follower-records.ts)
// TicketIndex: status / `<inverted ms>|<ticketId>`   newest first; derived from the head

/** Sorts tickets by their last message, newest first. The ID separates tickets with the same time. */
export const indexRowKey = (head: { lastAt: string; id: string }): string =>
  `${invertedTime(head.lastAt)}|${head.id}`;

const follows = objectOf<NonNullable<Ticket['follows']>>({ id: z.string(), number: z.number() });

const requester: ColumnGroup<Person> = {
  readAll: ({ requesterName, requesterAddress }) => ({
    name: optional(text).read(requesterName),
    address: optional(text).read(requesterAddress),
  }),
  writeAll: ({ name, address }) => ({
    requesterName: optional(short).write(name),
    requesterAddress: address,
  }),
};

/** Both columns are absent while nobody is assigned. */
const assignee: ColumnGroup<Person | undefined> = {
  readAll({ assigneeName, assigneeAddress }) {
    const name = optional(text).read(assigneeName);
    const address = optional(text).read(assigneeAddress);
    return name === undefined && address === undefined ? undefined : { name, address };
  },
  writeAll: (person) => ({
    assigneeName: optional(short).write(person?.name),
    assigneeAddress: person?.address,
  }),
};

const summaryColumns: Columns<Omit<TicketSummary, 'id'>> = {
  number: whole,
  status: oneOf(...ticketStatuses),
  subject: short,
  requester,
  assignee,
  mailboxId: text,
  lastAt: time,
  messageCount: whole,
  preview: short,
  messageClass,
};

/** A ticket, with its outdated index rows (`status|row key`) that have yet to be deleted. */
export interface TicketHead extends Ticket {
  stale: readonly string[];
}

export const HEAD = 'head';
export const headKind = recordKind<TicketHead>()({
  table: 'Tickets',
  version: 1,
  keysOf: ({ id }) => ({ partitionKey: id, rowKey: HEAD }),
  fromKeys: ({ partitionKey }) => ({ id: partitionKey }),
  columns: {
    ...summaryColumns,
    openedAt: time,
    participants: listWithin(z.string()),
    follows: optional(json(follows)),
    stale: {
      read: (value) => text.read(value).split(',').filter(Boolean),
      write: (keys) => keys.join(','),
    },
  },
});

export const withoutStale = ({ stale: _, ...ticket }: TicketHead): Ticket => ticket;

/** A ticket in the list of its status. Has every field of the list, so the list reads no heads. */
export const indexKind = recordKind<TicketSummary>()({
  table: 'TicketIndex',
  version: 1,
  keysOf: (ticket) => ({ partitionKey: ticket.status, rowKey: indexRowKey(ticket) }),
  fromKeys: () => ({}),
  columns: { id: text, ...summaryColumns },
});
