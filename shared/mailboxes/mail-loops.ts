import { openRecords } from '../platform/open-records.ts';
import type { Tables } from '../platform/tables.ts';
import { mailLoopKind } from './mailbox-state-records.ts';

/** Email above the limits: automatic and collapsed in its ticket, or no longer acknowledged. */
export interface MailLoop {
  mailboxId: string;
  /** Sender of the last one. */
  sender: string;
  /** ISO time at which the mail server received the last one. */
  at: string;
  /** Its ticket. */
  ticketId: string;
  /** Number in that hour so far. */
  count: number;
  /** `count` acknowledgements to the sender were not sent, because they would exceed a limit. */
  stopsAcknowledgements?: true | undefined;
}

/**
 * One write per batch with collapsed email.
 * @throws PostroomError when storage is unavailable
 */
export const recordMailLoop = (tables: Tables, loop: MailLoop): Promise<void> =>
  openRecords(tables, mailLoopKind).put(loop);
