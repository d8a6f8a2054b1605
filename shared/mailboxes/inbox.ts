import { PostroomError } from '../platform/errors.ts';

/** What is known of an email before it is downloaded. */
export interface MessageMeta {
  uid: number;
  /** RFC822.SIZE: bytes. */
  size: number;
  /** INTERNALDATE as ISO: when the server received it. */
  receivedAt: string;
  /** The Message-ID field as it stands in the header, on one line; empty when there is none. Proves nothing by itself. */
  messageId: string;
}

export interface InboxSearch {
  /** False: unread mail is not looked for. `since`: only what was received on or after this day (ISO). */
  unread?: false | { since: string } | undefined;
  /** Also mail that somebody has read, from this UID on. */
  from?: number | undefined;
  /** Also mail that somebody has read, received on or after this day (ISO). */
  since?: string | undefined;
  /** Also these, whether or not somebody has read them. */
  also?: readonly number[] | undefined;
}

/**
 * One open folder of a mailbox. Both protocols and the stand-in of the tests meet this port. Reading never marks an email.
 * Every call throws InboxError when the server refuses or goes away; a call that answers has done what it says.
 */
export interface Inbox {
  readonly uidValidity: string;
  readonly uidNext: number;
  readonly total: number;
  /** UIDs of unread mail and of what the search adds, ascending. */
  search(search: InboxSearch): Promise<number[]>;
  /** UIDs of mail received before this day (ISO), ascending. */
  receivedBefore(day: string): Promise<number[]>;
  /** In one command, ascending by UID. Left out is what is gone, and what the server does not tell of. */
  facts(uids: readonly number[]): Promise<MessageMeta[]>;
  /**
   * All sources in one command; each is handed over as it arrives. Left out is what is gone, and what the server does not
   * hand out: nothing says which.
   */
  sources(uids: readonly number[], each: (uid: number, raw: Uint8Array) => void): Promise<void>;
  /**
   * One mail in pieces of at most 4 MB, for mail too large to hold.
   * @param size its RFC822.SIZE: a short piece before that much was handed out is not taken for the end
   */
  pieces(uid: number, size: number): AsyncIterable<Uint8Array>;
  /** The first bytes of an email. */
  beginning(uid: number, bytes: number): Promise<Uint8Array>;
  /** Asks the server again: another value means that all UIDs are void. */
  currentUidValidity(): Promise<string>;
  /** These three fail as `refused` where the server says no; what it said of part of the mail may be done then. */
  markSeen(uids: readonly number[]): Promise<void>;
  move(uids: readonly number[], folder: string): Promise<void>;
  remove(uids: readonly number[]): Promise<void>;
  /** Takes leave of the server; never throws. */
  close(): Promise<void>;
  /** Ends the connection at once: calls under way reject. For a server that takes too long. */
  drop(): void;
}

export type InboxFailure =
  /** The server refused the token: refresh once, then ask a person. */
  | 'token-refused'
  /** The token is good but this user may not open this mailbox, or IMAP is switched off for it. */
  | 'no-access'
  | 'folder-missing'
  /** The server does not let this account mark, move or delete here. It stays so until a person changes something. */
  | 'refused'
  /** Throttled, away, cut off: try again later. */
  | 'unavailable';

export class InboxError extends PostroomError {
  readonly failure: InboxFailure;
  /** The server's own words without anything secret; undefined where it said none. */
  readonly said: string | undefined;

  constructor(failure: InboxFailure, message: string, options?: { cause?: unknown; said?: string }) {
    super(`imap-${failure}`, message, options);
    this.name = 'InboxError';
    this.failure = failure;
    this.said = options?.said;
  }
}
