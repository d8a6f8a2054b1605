import type { Cursor } from '../mailboxes/cursor.ts';
import type { Inbox, InboxError, Listing } from '../mailboxes/inbox.ts';
import type { Mailbox } from '../mailboxes/mailbox.ts';
import type { MessageMeta, MessageRef } from '../mailboxes/message-ref.ts';
import type { ParserPool } from '../mime/parser-pool.ts';
import type { Blobs } from '../platform/blobs.ts';
import type { Tables } from '../platform/tables.ts';
import type { FoundMeta } from './fetch-session.ts';
import type { LedgerMail, RefScope } from './ledger.ts';
import type { LedgerStore } from './ledger-store.ts';
import type { QuarantineStore } from './quarantine-store.ts';
import type { ReadDeps } from './read-message.ts';
import type { SlowBudget } from './slow-budget.ts';
import type { StoredMail } from './store-raw.ts';

export interface IntakeDeps extends Pick<ReadDeps, 'senderRules'> {
  tables: Tables;
  blobs: Blobs;
  ledger: LedgerStore;
  quarantine: QuarantineStore;
  parser: ParserPool;
  /** Ticket that an email opens, made from the mail alone, so that every repetition means the same one. */
  ticketIdOf: (mailboxId: string, key: string) => string;
  /** True for the Message-ID of an email that "Test connection" sent to its own mailbox; absent: there are none. */
  isOwnTest?: ((messageId: string) => Promise<boolean>) | undefined;
}

/** Where a batch comes from, and what goes on beside it. */
export interface BatchContext {
  mailbox: Mailbox;
  inbox: Inbox;
  scope: RefScope;
  /** Places of all mail of the fetch. */
  present: ReadonlySet<string>;
  /**
   * The batch before this one. Mail is stored, claimed and read while that one is still applied; decisions wait for it,
   * since a reply may answer its mail. An email that may kill its run waits before it is even claimed: no other then dies
   * with it.
   */
  after: Promise<unknown>;
  slow: SlowBudget;
  /**
   * Takes note of messages to be marked, moved or deleted on the server; `isSpared`: they became no ticket on purpose, and
   * are not deleted.
   */
  markLater: (refs: readonly MessageRef[], options: { isSpared: boolean }) => void;
}

/** An email that is worked on: its bytes, and its row in the ledger. */
export interface Work {
  stored: StoredMail;
  mail: LedgerMail;
}

export interface BatchReport {
  opened: number;
  replies: number;
  quarantined: number;
  skipped: number;
  /** Completed, and left as they are on the server, which has the only copy. */
  left: MessageRef[];
  /** A later run has to come back to these. */
  waiting: MessageRef[];
  /** Asked for and not handed out. */
  missing: MessageMeta[];
  /** Not asked for, because the session had ended. */
  unasked: MessageMeta[];
  /** Whose rows or bytes storage refuses, each with the reason. */
  refused: { meta: MessageMeta; problem: string }[];
  /** Why the session ended before its time, if it did. */
  broken: InboxError | undefined;
}

export const emptyReport = (): BatchReport => ({
  opened: 0,
  replies: 0,
  quarantined: 0,
  skipped: 0,
  left: [],
  waiting: [],
  missing: [],
  unasked: [],
  refused: [],
  broken: undefined,
});

export interface ProcessedMessages {
  opened: number;
  replies: number;
  quarantined: number;
  skipped: number;
  more: boolean;
  /** Why the fetch ended early, if the server is away; what was stored until then counts. */
  ended: InboxError | undefined;
}

/** What a fetch is to take in. */
export interface FoundMessages extends FoundMeta {
  position: Listing['position'];
  /** Digest of all that was listed. */
  digest: string;
  /** The state of the mailbox's first fetch after this one; what was not reached waits with the rest. */
  first: Cursor['first'];
}
