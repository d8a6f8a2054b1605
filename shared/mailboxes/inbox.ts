import { z } from 'zod';
import { PostroomError } from '../platform/errors.ts';
import type { ProblemCode } from '../platform/problem.ts';
import type { Secret } from '../platform/secret.ts';
import type { MessageIdentity, MessageMeta, MessageRef } from './message-ref.ts';

/**
 * Stands for the folder with copies of sent email, whatever its name (the attribute of RFC 6154). Opening it
 * fails with `folder-missing` where there is none.
 */
export const SENT_FOLDER = String.raw`\Sent`;
/** The same for drafts; over Microsoft Graph only. */
export const DRAFTS_FOLDER = String.raw`\Drafts`;

/** A folder, and the credentials that open it. */
export interface InboxAddress {
  host: string;
  port: number;
  folder: string;
  /** The mailbox to open. For a shared mailbox, not the token's owner. */
  user: string;
  /** The token's owner; absent: unknown, or an app that acts for itself. */
  owner?: string | undefined;
  accessToken: Secret;
}

/** A position as JSON. Only the adapter that wrote it can read it. */
export type PositionData = z.infer<typeof positionData>;
export const positionData = z.json();

/** Progress that advances a position. */
export interface ReadingProgress {
  /** Messages that were processed, or recorded elsewhere. */
  read: Iterable<MessageRef>;
  /** Messages that the server has described. */
  known: Iterable<MessageMeta>;
  /** True if all listed messages were processed: only later arrivals are new. */
  isComplete: boolean;
  /**
   * Stored, and deleted from the server or still to be deleted. A protocol without unread messages lists those
   * that are still there again; absent: none.
   */
  deleted?: readonly MessageRef[] | undefined;
}

/** The position of reading in a folder. Immutable. */
export interface Position {
  /** True if the message is not new: the next listing includes it only while it is unread, or on request. */
  covers(ref: MessageRef): boolean;
  /** True if the message certainly arrived after this position was taken. */
  isLater(ref: MessageRef): boolean;
  /** Moves the position forward, never back. */
  advance(progress: ReadingProgress): Position;
  /** Moves the position back, so that these messages are listed again. */
  uncover(refs: readonly MessageRef[]): Position;
  toData(): PositionData;
}

export interface ListRequest {
  /** The position of an earlier fetch under the same validity. Absent: only unread messages are new. */
  position?: PositionData | undefined;
  /** True if the ref of the witness now belongs to another message, so the position is invalid. */
  isVoid?: boolean | undefined;
  /** Additional messages to list, read or unread. */
  also?: readonly MessageRef[] | undefined;
  /**
   * If there is no valid position: also lists messages received at or after this time (ISO), and some from
   * shortly before.
   */
  since?: string | undefined;
  /**
   * False: does not list messages just because they are unread. `since`: lists only unread messages received on
   * this day (ISO) or later.
   */
  unread?: false | { since: string } | undefined;
}

export interface Listing {
  /**
   * The requested unread messages, those after the position, and those requested in addition; in the server's
   * order. A protocol without unread messages treats those after the position as unread.
   */
  refs: readonly MessageRef[];
  /**
   * The position from which this fetch continues. If no position was known, it covers the messages that are
   * unread now.
   */
  position: Position;
  /** True if the position got further without new messages, and should be saved all the same; absent: false. */
  isAhead?: boolean | undefined;
  /** True if the saved position is invalid, as after a restore from a backup: reading starts over. */
  isSetBack: boolean;
  /**
   * A message seen earlier. If its ref now belongs to another message, the server reused its refs: list again
   * with `isVoid`.
   */
  witness: MessageIdentity | undefined;
}

/** Search criteria, of which one has to match. */
export interface HeaderSearch {
  /** Part of the sender or the subject; empty: search by Message-ID only. */
  words: string;
  messageId: string | undefined;
}

/**
 * An open folder of a mailbox. Each protocol is an adapter for this port, and the tests have an in-memory one.
 * Reading never marks a message as read. Every method throws InboxError when the server refuses or disconnects;
 * a method that returns has completed.
 */
export interface Inbox {
  /**
   * Refs are only valid under the same validity: UIDVALIDITY in IMAP, a constant for protocols whose IDs never
   * change.
   */
  readonly validity: string;
  readonly total: number;
  /** The messages to fetch. */
  list(request: ListRequest): Promise<Listing>;
  /** The latest messages, at most this many, in the server's order, as all lists of refs below. */
  latest(count: number): Promise<MessageRef[]>;
  /** Messages received on this day (ISO) or later, read or unread. Servers use their own time zone. */
  receivedSince(day: string): Promise<MessageRef[]>;
  /** All others: messages received before this day (ISO). */
  receivedBefore(day: string): Promise<MessageRef[]>;
  /** Every message in the folder. */
  all(): Promise<MessageRef[]>;
  /** Messages whose header matches, read or unread. */
  find(search: HeaderSearch): Promise<MessageRef[]>;
  /** Name of the server's junk folder; undefined if it can't be identified. */
  junkFolder(): Promise<string | undefined>;
  /** In the server's order. Omits messages that are gone or that the server does not describe. */
  fetchMeta(refs: readonly MessageRef[]): Promise<MessageMeta[]>;
  /**
   * Fetches raw messages and calls `each` as they arrive. Messages that are gone or that the
   * server does not return are omitted without an indication of which.
   */
  fetchRaw(refs: readonly MessageRef[], each: (ref: MessageRef, raw: Uint8Array) => void): Promise<void>;
  /**
   * One message in chunks of at most 4 MB, for messages too large for memory.
   * @param size its announced size; a short chunk before it is reached is not treated as the end
   */
  streamRaw(ref: MessageRef, size: number): AsyncIterable<Uint8Array>;
  /** The first bytes of a message. */
  fetchHead(ref: MessageRef, bytes: number): Promise<Uint8Array>;
  /** Requests the current value from the server. If it differs, all refs are invalid. */
  currentValidity(): Promise<string>;
  /**
   * These three methods fail with `refused` when the server refuses; part of the messages may have been changed
   * by then. `markSeen` does nothing over POP3, which has no unread messages; `move` is always refused there.
   */
  markSeen(refs: readonly MessageRef[]): Promise<void>;
  move(refs: readonly MessageRef[], folder: string): Promise<void>;
  remove(refs: readonly MessageRef[]): Promise<void>;
  /** Adds a message that counts as read. Absent where the protocol cannot, or its permission is for reading only. */
  append?(raw: Uint8Array): Promise<void>;
  /** Logs out; never throws. */
  close(): Promise<void>;
  /** Closes the connection at once, so running calls reject. For a server that does not respond in time. */
  destroy(): void;
}

export type InboxFailure =
  /** The server rejected the token: refresh it once, then ask a person. */
  | 'token-refused'
  /** The token is valid, but this user may not open this mailbox, or the protocol is disabled for it. */
  | 'no-access'
  | 'folder-missing'
  /**
   * The server does not allow this account to mark, move or delete email here. Permanent until a person changes
   * something.
   */
  | 'refused'
  /** Throttled, unreachable or disconnected: retry later. */
  | 'unavailable';

export class InboxError extends PostroomError {
  readonly failure: InboxFailure;
  /** The server's message with secrets removed; undefined if there was none. */
  readonly said: string | undefined;
  /** How long the server asked us to wait, in milliseconds; undefined if it did not. */
  readonly retryAfterMs: number | undefined;

  /** @param options `code`: the code of another protocol than IMAP */
  constructor(
    failure: InboxFailure,
    message: string,
    options?: {
      cause?: unknown;
      said?: string | undefined;
      code?: ProblemCode;
      retryAfterMs?: number | undefined;
    },
  ) {
    super(options?.code ?? `imap-${failure}`, message, options);
    this.name = 'InboxError';
    this.failure = failure;
    this.said = options?.said;
    this.retryAfterMs = options?.retryAfterMs;
  }
}
