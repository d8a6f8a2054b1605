import type { Mailbox } from '../mailboxes/mailbox.ts';
import type { NewMessage } from '../tickets/message-records.ts';
import type { Ticket } from '../tickets/ticket.ts';

/** Tells agents about what arrived. Implemented by functions/ over the queues of agent alerts. */
export interface AgentNews {
  /**
   * Adds the messages to the queues of the agents to be alerted. Idempotent: a rerun adds nothing twice.
   * @throws PostroomError when storage is unavailable
   */
  tell(mailbox: Mailbox, arrived: readonly ArrivedMessage[]): Promise<void>;
}

/** A message of a batch, after it is stored. */
export interface ArrivedMessage {
  ticket: Ticket;
  message: NewMessage;
  opensTicket: boolean;
}
