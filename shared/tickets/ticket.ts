/** The data types of tickets and their messages, for the store and the pages. */
import type { MessageClass } from '../message-class/message-class.ts';
import type { BounceReport } from './bounce.ts';
import type { Invitation } from './invitation.ts';

/** `waiting`: for an answer of the customer, which opens it again. */
export const ticketStatuses = ['open', 'waiting', 'closed'] as const;
export type TicketStatus = (typeof ticketStatuses)[number];

export interface Person {
  /** Display name from the email, cleaned; may be absent. */
  name: string | undefined;
  /** Absent if the email has no valid address. */
  address: string | undefined;
}

export interface TicketSummary {
  id: string;
  number: number;
  status: TicketStatus;
  subject: string;
  requester: Person;
  /**
   * Who works on it, as they signed in or as an address was typed. Without an address: they signed in without one.
   * Absent: nobody.
   */
  assignee?: Person | undefined;
  mailboxId: string;
  /** ISO time at which the mail server received the newest message. */
  lastAt: string;
  messageCount: number;
  /** The start of the newest message's text, on one line. */
  preview: string;
  /** Class of its first message. Absent: `person`. */
  messageClass?: MessageClass | undefined;
}

export interface Ticket extends TicketSummary {
  openedAt: string;
  /**
   * Lower-case addresses of all senders and recipients. Only they can add to the ticket by email, and the
   * requester's colleagues if the mailbox allows it.
   */
  participants: readonly string[];
  /**
   * The ticket that this one continues: its first message replied to a closed ticket, or came from someone who
   * is not a participant.
   */
  follows: { id: string; number: number } | undefined;
}

export interface TicketAttachment {
  /** Position in the message, from 0. */
  index: number;
  filename: string | undefined;
  contentType: string;
  contentId: string | undefined;
  inline: boolean;
  size: number;
  blob: string;
}

export interface TicketMessage {
  /** Content key of the email, hex. */
  key: string;
  /** ISO time at which the mail server received it. */
  at: string;
  /** ISO time from its Date field, if valid. */
  sentAt: string | undefined;
  from: Person;
  to: readonly Person[];
  cc: readonly Person[];
  /** Reply-To addresses; absent if the email has none, and replies then go to `from`. */
  replyTo?: readonly Person[] | undefined;
  subject: string;
  messageId: string | undefined;
  /** Message-IDs that it replies to, nearest first; used to find its ticket. */
  answers?: readonly string[] | undefined;
  text: string;
  hasHtml: boolean;
  /** Remarks from parsing, in plain text: truncated headers, use of the fallback parser. */
  notes: readonly string[];
  rawBlob: string;
  attachments: readonly TicketAttachment[];
  /** The receiving mail server's results for the sender; absent if it recorded none. */
  authentication?: SenderAuthentication | undefined;
  /** How its content is encrypted; only its recipients can decrypt it. Absent: not encrypted. */
  encryption?: Encryption | undefined;
  /** The meeting that it proposes, changes or cancels. */
  invitation?: Invitation | undefined;
  /** Why the message is collapsed, in a sentence; absent: it is not. */
  folded?: string | undefined;
  /** Absent: a person's. */
  messageClass?: MessageClass | undefined;
  /** Why it was sent no acknowledgement, in a sentence. Absent: it was sent one, or the mailbox sends none. */
  silence?: string | undefined;
  /** What a bounce reports. Absent for other messages. */
  bounce?: BounceReport | undefined;
}

/** PGP (RFC 3156, RFC 9580), S/MIME (RFC 8551), or Microsoft Purview's rights management. */
export type Encryption = 'pgp' | 'smime' | 'rights';

/** Results as in RFC 8601: `pass`, `fail`, `softfail`, `none` … */
export interface SenderAuthentication {
  spf: string | undefined;
  dkim: string | undefined;
  dmarc: string | undefined;
  /** The message does not come from the sender that it names. */
  fails: boolean;
}

export interface Conversation {
  ticket: Ticket;
  /** Oldest first. */
  messages: readonly TicketMessage[];
}

export interface TicketPage {
  tickets: readonly TicketSummary[];
  /** Pass as `after` for the next page; absent on the last. */
  next: string | undefined;
}
