import type { Row } from '../platform/tables.ts';
import type { NewMessage } from '../tickets/message-records.ts';

/** Answers new tickets automatically. Implemented by functions/ over the outbox. */
export interface Acknowledgements {
  /**
   * Prepares the acknowledgements of these new tickets, before their transactions. Idempotent: a rerun prepares
   * the same rows.
   * @returns rows for the transaction of a ticket's first message, by the message's key
   */
  prepare(opened: readonly OpenedTicket[]): Promise<ReadonlyMap<string, readonly Row[]>>;
  /** Starts sending what was prepared. Never rejects because of an outage. */
  send(opened: readonly OpenedTicket[]): Promise<void>;
}

export interface OpenedTicket {
  ticketId: string;
  number: number;
  mailboxId: string;
  /** The email that opens the ticket. */
  message: NewMessage;
}
