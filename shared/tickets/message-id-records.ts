import { createHash } from 'node:crypto';
import { recordKind, text } from '../platform/records.ts';

// MessageIds: mailboxId / `<hash of Message-ID>|<ticketId>`    a ticket that holds a message with this Message-ID
//             mailboxId / `<hash of Message-ID>|~<ticketId>`   a ticket that holds an answer to it: answers to one message
//                                                              find each other, also where that message never came
// A Message-ID that is used again points to both tickets and steals neither. One range has both kinds; `~` sorts after
// every ticket ID, so that tickets that hold the message come first.

const ANSWERS = '~';

export const messageIdHash = (messageId: string): string =>
  createHash('sha256').update(messageId).digest('hex').slice(0, 40);

/** What a ticket has to do with a Message-ID. */
export interface TicketOfMessageId {
  ticketId: string;
  /** True where the ticket holds a message with this ID, false where it only holds an answer to it. */
  holds: boolean;
}

export interface MessageIdRecord extends TicketOfMessageId {
  mailboxId: string;
  hash: string;
}

/** Tickets of one Message-ID are in the order of their rows when they are in the order of this. */
export const messageIdOrder = ({ ticketId, holds }: TicketOfMessageId): string =>
  `${holds ? '' : ANSWERS}${ticketId}`;

export const messageIdKind = recordKind<MessageIdRecord>()({
  table: 'MessageIds',
  version: 1,
  keysOf: ({ mailboxId, hash, ...ticket }) => ({
    partitionKey: mailboxId,
    rowKey: `${hash}|${messageIdOrder(ticket)}`,
  }),
  fromKeys: ({ partitionKey, rowKey }) => {
    const [hash = '', ticket = ''] = rowKey.split('|');
    return { mailboxId: partitionKey, hash, holds: !ticket.startsWith(ANSWERS) };
  },
  columns: { ticketId: text },
});
