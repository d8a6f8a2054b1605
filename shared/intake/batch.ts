import type { Cursor } from '../mailboxes/cursor.ts';
import type { Inbox, InboxError, Listing } from '../mailboxes/inbox.ts';
import type { Mailbox } from '../mailboxes/mailbox.ts';
import type { MessageMeta, MessageRef } from '../mailboxes/message-ref.ts';
import type { ParserPool } from '../mime/parser-pool.ts';
import type { Blobs } from '../platform/blobs.ts';
import type { Tables } from '../platform/tables.ts';
import type { Acknowledgements } from './acknowledgements.ts';
import type { AgentNews } from './agent-news.ts';
import type { FoundMeta } from './fetch-session.ts';
import type { LedgerMail, RefScope } from './ledger.ts';
import type { LedgerStore } from './ledger-store.ts';
import type { QuarantineStore } from './quarantine-store.ts';
import type { ReadDeps } from './read-message.ts';
import type { SlowBudget } from './slow-budget.ts';
import type { StoredMail } from './store-raw.ts';

export interface IntakeDeps extends Pick<ReadDeps, 'senderRules' | 'sentEmailOf'> {
  tables: Tables;
  blobs: Blobs;
  ledger: LedgerStore;
  quarantine: QuarantineStore;
  parser: ParserPool;
  /** ID of the ticket that an email opens. Derived from the email alone, so every retry gets the same ID. */
  ticketIdOf: (mailboxId: string, key: string) => string;
  /**
   * True for the Message-ID of a test email that "Test connection" sent
   * to its own mailbox. Absent: there are none.
   */
  isOwnTest?: ((messageId: string) => Promise<boolean>) | undefined;
  /** Absent: new tickets are not acknowledged. */
  acknowledgements?: Acknowledgements | undefined;
  /** Absent: no agent is alerted by email. */
  agentNews?: AgentNews | undefined;
}

/** Where a batch comes from, and what runs beside it. */
export interface BatchContext {
  mailbox: Mailbox;
  inbox: Inbox;
  scope: RefScope;
  /** Places of all messages of the fetch. */
  present: ReadonlySet<string>;
  /**
   * The previous batch. Messages are stored, claimed and read while that batch is still being applied.
   * Decisions wait for it, since a reply may answer one of its messages. An email that may crash its run
   * waits before it is even claimed, so that no other email dies with it.
   */
  after: Promise<unknown>;
  slow: SlowBudget;
  /**
   * Queues messages to be marked, moved or deleted on the server. `isSpared`: they were deliberately not
   * imported, so they are not deleted.
   */
  markLater: (refs: readonly MessageRef[], options: { isSpared: boolean }) => void;
}

/** An email being processed: its bytes and its ledger row. */
export interface Work {
  stored: StoredMail;
  mail: LedgerMail;
}

export interface BatchReport {
  opened: number;
  replies: number;
  quarantined: number;
  skipped: number;
  /** Completed, but left unchanged on the server, which has the only copy. */
  left: MessageRef[];
  /** A later run must process these. */
  waiting: MessageRef[];
  /** Requested but not delivered by the server. */
  missing: MessageMeta[];
  /** Not requested, because the session had ended. */
  unasked: MessageMeta[];
  /** Messages whose rows or bytes storage refuses, each with the reason. */
  refused: { meta: MessageMeta; problem: string }[];
  /** Why the session ended early, if it did. */
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
  /** Why the fetch ended early, if the server became unavailable. Everything stored before counts. */
  ended: InboxError | undefined;
}

/** The messages that a fetch imports. */
export interface FoundMessages extends FoundMeta {
  position: Listing['position'];
  /** Digest of the complete listing. */
  digest: string;
  /**
   * The state of the mailbox's first fetch after this one. Messages that were not reached wait with the rest.
   */
  first: Cursor['first'];
}
