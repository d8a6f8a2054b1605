import type { Body } from '../tickets/message-records.ts';
import type { TicketStatus } from '../tickets/ticket.ts';
import type { Delivery, DeliveryKind } from './delivery.ts';

/** An email of a ticket that is to leave, with everything that sending it needs. */
export interface OutboxMessage {
  ticketId: string;
  /**
   * Identifies it within its ticket: 1 to 32 of `a-z0-9`. Chosen by what causes it, so that a repeated
   * request does not send twice.
   */
  id: string;
  kind: DeliveryKind;
  /** The mailbox that sends it. */
  mailboxId: string;
  /** ISO time. */
  createdAt: string;
  /** Who wrote it, for display; absent: Postroom. */
  by?: string | undefined;
  from: { address: string; name?: string | undefined };
  /** Bare addresses. */
  to: readonly string[];
  cc: readonly string[];
  bcc: readonly string[];
  subject: string;
  text: Body;
  html?: Body | undefined;
  attachments: readonly OutboxAttachment[];
  /** `<…@…>`; never changes. */
  messageId: string;
  /** Message-IDs of the conversation, oldest first; the last one is replied to. */
  references: readonly string[];
  /** Further headers, for example `Auto-Submitted`. */
  headers: Readonly<Record<string, string>>;
  delivery: Delivery;
  /** What a person wrote, so that they can edit it after an undo or a failure. Absent: Postroom wrote it. */
  written?: Written | undefined;
  /** Its Markdown; set together with `written`. */
  source?: Body | undefined;
}

export interface Written {
  /** Object ID of the person. */
  personId: string;
  /** Their email address, if their sign-in stated a valid one. */
  address?: string | undefined;
  /** “Send” assigned the ticket to them. */
  assigns?: boolean | undefined;
  /** The message that it answers is quoted. */
  quotes: boolean;
  /** How “Send” changed the ticket, if it did. */
  statusBefore?: TicketStatus | undefined;
  statusAfter?: TicketStatus | undefined;
}

export interface OutboxAttachment {
  filename: string;
  contentType: string;
  size: number;
  blob: string;
}

/** Names a message across tickets. */
export interface OutboxRef {
  ticketId: string;
  id: string;
}
