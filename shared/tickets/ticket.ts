/** What mail becomes. Pure values; the store keeps them, the pages show them. */
import type { MessageClass } from '../message-class/message-class.ts';
import type { Invitation } from './invitation.ts';

export type TicketStatus = 'open' | 'closed';

export interface Person {
  /** Display name as the mail gave it, cleaned; may be absent. */
  name: string | undefined;
  /** Absent when no valid address stood in the mail. */
  address: string | undefined;
}

export interface TicketSummary {
  id: string;
  number: number;
  status: TicketStatus;
  subject: string;
  requester: Person;
  mailboxId: string;
  /** ISO time of the newest message, as the mail server received it. */
  lastAt: string;
  messageCount: number;
  /** The beginning of the newest message's text, one line. */
  preview: string;
  /** Of its first message. Absent: a person's. */
  messageClass?: MessageClass | undefined;
}

export interface Ticket extends TicketSummary {
  openedAt: string;
  /**
   * Lower-case addresses of everyone who wrote or was written to: only they may add to a ticket by mail, and the requester's
   * colleagues where the mailbox allows it.
   */
  participants: readonly string[];
  /** The ticket this one goes on from: a reply that came when that one was closed, or from a stranger. */
  follows: { id: string; number: number } | undefined;
}

export interface TicketAttachment {
  /** Place in the message, from 0. */
  index: number;
  filename: string | undefined;
  contentType: string;
  contentId: string | undefined;
  inline: boolean;
  size: number;
  blob: string;
}

export interface TicketMessage {
  /** Content key of the mail, hex. */
  key: string;
  /** ISO time the mail server received it. */
  at: string;
  /** ISO time its own Date header claims, when readable. */
  sentAt: string | undefined;
  from: Person;
  to: readonly Person[];
  cc: readonly Person[];
  /** Where the sender wants answers to go; absent when the mail does not say, and then it is `from`. */
  replyTo?: readonly Person[] | undefined;
  subject: string;
  messageId: string | undefined;
  /** Message-IDs that it answers, the nearest first; its ticket is found by them. */
  answers?: readonly string[] | undefined;
  text: string;
  hasHtml: boolean;
  /** Plain remarks from reading it: cut headers, second parser. */
  notes: readonly string[];
  rawBlob: string;
  attachments: readonly TicketAttachment[];
  /** What the receiving mail server found out about the sender; absent when it left no word of it. */
  authentication?: SenderAuthentication | undefined;
  /** How its content is encrypted, which only its recipients can undo; absent: it is not. */
  encryption?: Encryption | undefined;
  /** The meeting that it proposes, changes or calls off. */
  invitation?: Invitation | undefined;
  /** Why the message is folded away, in a sentence; absent: it is not. */
  folded?: string | undefined;
  /** Absent: a person's. */
  messageClass?: MessageClass | undefined;
}

/** PGP (RFC 3156, RFC 9580), S/MIME (RFC 8551), or Microsoft Purview's rights management. */
export type Encryption = 'pgp' | 'smime' | 'rights';

/** Results of RFC 8601, in its words: `pass`, `fail`, `softfail`, `none` … */
export interface SenderAuthentication {
  spf: string | undefined;
  dkim: string | undefined;
  dmarc: string | undefined;
  /** The message does not come from who it names as its sender. */
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
