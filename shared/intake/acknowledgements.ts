import type { Mailbox } from '../mailboxes/mailbox.ts';
import type { Row } from '../platform/tables.ts';
import type { NewMessage } from '../tickets/message-records.ts';
import type { MessageFacts } from './read-message.ts';

/** Answers new tickets automatically. Implemented by functions/ over the outbox. */
export interface Acknowledgements {
  /**
   * Decides about these new tickets of one batch and prepares their acknowledgements, before their transactions.
   * Idempotent: a rerun prepares the same rows, and none that an earlier run left out because of a limit.
   * @throws PostroomError when storage or the vault is unavailable
   */
  prepare(mailbox: Mailbox, opened: readonly OpenedTicket[]): Promise<PreparedAcknowledgements>;
}

export interface PreparedAcknowledgements {
  /** Rows for the transaction of a ticket's first message, by the message's key. */
  rows: ReadonlyMap<string, readonly Row[]>;
  /** Why a message is not acknowledged, in a sentence, by its key. Empty if acknowledgements are off. */
  silences: ReadonlyMap<string, string>;
  /** Starts sending what was prepared. Never rejects because of an outage. */
  send(): Promise<void>;
}

export interface OpenedTicket {
  ticketId: string;
  number: number;
  /** The email that opens the ticket. */
  message: NewMessage;
  mail: MessageFacts;
}

export const noAcknowledgements: PreparedAcknowledgements = {
  rows: new Map(),
  silences: new Map(),
  send: () => Promise.resolve(),
};
