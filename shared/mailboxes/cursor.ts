import type { FirstFetch } from './first-fetch.ts';
import type { Mailbox } from './mailbox.ts';

/** How far a folder was read. UIDs mean something only under their UIDVALIDITY (RFC 3501 section 2.3.1.1). */
export interface Cursor {
  uidValidity: string;
  /** Which folder was read (see `folderKeyOf`). */
  folderKey?: string | undefined;
  /** Every mail up to this UID is settled. */
  uid: number;
  /** The highest message the server told of: another one at its UID shows that UIDs were given again. */
  last?: LeftMessage | undefined;
  /** Settled but left unread on the server, because they could not be taken. */
  left: readonly LeftMessage[];
  /** UIDs that could not be settled yet: looked at again even when somebody reads them meanwhile. */
  waiting: readonly number[];
  lastMailAt: string | undefined;
  /** Mails that the last fetch saw and left for the next one. */
  backlog?: number | undefined;
  /** What the server lists and could not be taken so far; asked for again by each fetch. */
  unfetched?: readonly UnfetchedMessage[] | undefined;
  /** Absent: what lay there when the mailbox was connected was dealt with. */
  first?: FirstFetch | undefined;
  /** ISO time at which stored mail was last deleted from the server by its age. */
  deletedAt?: string | undefined;
  /** Absent: what was stored could be marked, moved or deleted. */
  refusal?: Refusal | undefined;
}

/** A message at a UID: another one at the same UID has another fingerprint. */
export interface LeftMessage {
  uid: number;
  fingerprint: string;
}

export interface UnfetchedMessage extends LeftMessage {
  /** Fetches that asked for it alone, or got an answer without it. */
  attempts: number;
  /** ISO time at which it was first missed. */
  since: string;
  /** What failed: the server did not hand it out, or storage did not take it. */
  failed: 'download' | 'storage';
}

/** The server does not let stored mail be marked, moved or deleted. Fetching goes on. */
export interface Refusal {
  /** What was refused, with its folder: changed settings are tried at once. */
  action: string;
  /** A sentence for a person, with the server's words. */
  problem: string;
  since: string;
  triedAt: string;
  /** Digest of the UIDs that the last search listed: another list may hold mail that was never fetched. */
  listed?: string | undefined;
}

/** What a refusal is about: another setting is tried at once. */
export const actionOf = ({ afterFetch }: Pick<Mailbox, 'afterFetch'>): string =>
  afterFetch.kind === 'move' ? `move ${afterFetch.folder}` : afterFetch.kind;
