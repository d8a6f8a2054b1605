import { createHash } from 'node:crypto';
import { recordKind, text } from '../platform/records.ts';

// MessageIds: mailboxId / `<hash of Message-ID>|<ticketId>`    a ticket that has a message with this Message-ID
//             mailboxId / `<hash of Message-ID>|~<ticketId>`   a ticket that only has a reply to it: replies to the same
//                                                              message find each other even if it was never received
// A reused Message-ID refers to both tickets. One range contains both kinds of rows; `~` sorts after every ticket ID, so
// tickets that have the message come first.

const ANSWERS = '~';

export const messageIdHash = (messageId: string): string =>
  createHash('sha256').update(messageId).digest('hex').slice(0, 40);

/** How a ticket relates to a Message-ID. */
export interface TicketOfMessageId {
  ticketId: string;
  /** True if the ticket has a message with this ID; false if it only has a reply to it. */
  holds: boolean;
}

export interface MessageIdRecord extends TicketOfMessageId {
  mailboxId: string;
  hash: string;
}

/** Sort key that gives the tickets of one Message-ID the order of their rows. */
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
