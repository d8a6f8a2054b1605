import { openRecords } from '../platform/records.ts';
import type { Tables } from '../platform/tables.ts';
import { mailLoopKind } from './mailbox-state-records.ts';

/** Automatic mail that was folded away, because more of it came than people send. */
export interface MailLoop {
  mailboxId: string;
  /** Address of who sent the last of it. */
  sender: string;
  /** ISO time the mail server received the last of it. */
  at: string;
  /** The conversation it is in. */
  ticketId: string;
  /** Of that hour, so far. */
  count: number;
}

/** One write for a batch in which mail was folded. @throws PostroomError where storage is away */
export const recordMailLoop = (tables: Tables, loop: MailLoop): Promise<void> =>
  openRecords(tables, mailLoopKind).put(loop);
