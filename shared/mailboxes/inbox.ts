import { z } from 'zod';
import { PostroomError } from '../platform/errors.ts';
import type { Secret } from '../platform/secret.ts';
import type { MessageIdentity, MessageMeta, MessageRef } from './message-ref.ts';

/** Where a folder is, and who opens it. */
export interface InboxAddress {
  host: string;
  port: number;
  folder: string;
  /** The mailbox to open: for a shared mailbox not the user the token belongs to. */
  user: string;
  accessToken: Secret;
}

/** How far a folder was read, as JSON that only the adapter that wrote it reads. */
export type PositionData = z.infer<typeof positionData>;
export const positionData = z.json();

/** What a position is moved by. */
export interface ReadingProgress {
  /** Come to: handled, or remembered elsewhere. */
  read: Iterable<MessageRef>;
  /** Of which the server told. */
  known: Iterable<MessageMeta>;
  /** Whether all that was listed was come to: only what arrives from now on is new. */
  isComplete: boolean;
}

/** How far a folder was read. Immutable. */
export interface Position {
  /** Whether the message is no news: the next listing holds it only while it is unread, or where it is asked for. */
  covers(ref: MessageRef): boolean;
  /** Further on; never back. */
  advance(progress: ReadingProgress): Position;
  /** Back, so that these are listed again. */
  uncover(refs: readonly MessageRef[]): Position;
  toData(): PositionData;
}

export interface ListRequest {
  /** Where an earlier fetch got to, under the same validity. Absent: nothing is known, and only unread messages are new. */
  position?: PositionData | undefined;
  /** The witness turned out to be another message: the position means nothing any more. */
  isVoid?: boolean | undefined;
  /** Also these, whether or not somebody has read them. */
  also?: readonly MessageRef[] | undefined;
  /** Without a position that means something: also what was received at this time (ISO) or later, or shortly before. */
  since?: string | undefined;
  /** False: unread messages are not listed for being unread. `since`: only those received on this day (ISO) or later. */
  unread?: false | { since: string } | undefined;
}

export interface Listing {
  /** Unread messages as far as the request wants them, those beyond the position, and what the request adds; sorted. */
  refs: readonly MessageRef[];
  /** From where this fetch goes on. What is unread already is covered where nothing was known. */
  position: Position;
  /** The server went back behind the position, as one does that was restored from a backup: it starts over. */
  isSetBack: boolean;
  /** A message of before. Where another one stands at its ref, the server gave its refs again: ask with `isVoid`. */
  witness: MessageIdentity | undefined;
}

/** Which messages to look for: one of these has to fit. */
export interface HeaderSearch {
  /** Part of the sender or of the subject; empty: only the Message-ID counts. */
  words: string;
  messageId: string | undefined;
}

/**
 * One open folder of a mailbox. Each protocol is an adapter behind this port, and the stand-in of the tests is another.
 * Reading never marks a message. Every call throws InboxError when the server refuses or goes away; a call that answers
 * has done what it says.
 */
export interface Inbox {
  /** Refs mean messages only under the same validity: UIDVALIDITY in IMAP, the same for ever where ids never change. */
  readonly validity: string;
  readonly total: number;
  /** What there is to fetch. */
  list(request: ListRequest): Promise<Listing>;
  /** The latest messages, at most this many, sorted. */
  latest(count: number): Promise<MessageRef[]>;
  /** Messages received on this day (ISO) or later, read or unread, sorted. A server counts days in its own time zone. */
  receivedSince(day: string): Promise<MessageRef[]>;
  /** All others: those received before this day (ISO), sorted. */
  receivedBefore(day: string): Promise<MessageRef[]>;
  /** Every message in the folder, sorted. */
  all(): Promise<MessageRef[]>;
  /** Messages whose header fits, read or unread, sorted. */
  find(search: HeaderSearch): Promise<MessageRef[]>;
  /** Name of the folder that the server uses for junk; undefined where none is known as such. */
  junkFolder(): Promise<string | undefined>;
  /** In one command, sorted. Left out is what is gone, and what the server does not tell of. */
  fetchMeta(refs: readonly MessageRef[]): Promise<MessageMeta[]>;
  /**
   * All sources in one command; each is handed over as it arrives. Left out is what is gone, and what the server does not
   * hand out: nothing says which.
   */
  fetchRaw(refs: readonly MessageRef[], each: (ref: MessageRef, raw: Uint8Array) => void): Promise<void>;
  /**
   * One message in pieces of at most 4 MB, for messages too large to hold.
   * @param size its announced size: a short piece before that much was handed out is not taken for the end
   */
  streamRaw(ref: MessageRef, size: number): AsyncIterable<Uint8Array>;
  /** The first bytes of a message. */
  fetchHead(ref: MessageRef, bytes: number): Promise<Uint8Array>;
  /** Asks the server again: another value means that all refs are void. */
  currentValidity(): Promise<string>;
  /** These three fail as `refused` where the server says no; what it said of part of the mail may be done then. */
  markSeen(refs: readonly MessageRef[]): Promise<void>;
  move(refs: readonly MessageRef[], folder: string): Promise<void>;
  remove(refs: readonly MessageRef[]): Promise<void>;
  /** Takes leave of the server; never throws. */
  close(): Promise<void>;
  /** Ends the connection at once: calls under way reject. For a server that takes too long. */
  destroy(): void;
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
