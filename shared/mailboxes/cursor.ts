import type { FirstFetch } from './first-fetch.ts';
import type { PositionData } from './inbox.ts';
import type { Mailbox } from './mailbox.ts';
import type { MessageIdentity, MessageRef } from './message-ref.ts';

/** What a fetch leaves behind for the next one: how far it got, and which messages want another look. */
export interface Cursor {
  /** Refs and the position mean something only under the same validity (see `Inbox`). */
  validity: string;
  /** Which folder was read (see `folderKeyOf`). */
  folderKey?: string | undefined;
  /** Every message that it covers is handled, but for those below. */
  position: PositionData;
  /** Handled, and left unread on the server because they could not be taken. */
  left: readonly MessageIdentity[];
  /** Not handled yet: looked at again even when somebody reads them meanwhile. */
  waiting: readonly MessageRef[];
  lastMailAt: string | undefined;
  /** Messages that the last fetch saw and left for the next one. */
  backlog?: number | undefined;
  /** What the server lists and could not be taken so far; asked for again by each fetch. */
  unfetched?: readonly UnfetchedMessage[] | undefined;
  /** Progress of the first fetch. Absent: everything that was in the folder when it was connected was handled. */
  first?: FirstFetch | undefined;
  /** ISO time at which stored email was last deleted from the server because of its age. */
  deletedAt?: string | undefined;
  /** Absent: what was stored could be marked, moved or deleted. */
  refusal?: Refusal | undefined;
}

export interface UnfetchedMessage extends MessageIdentity {
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
  /** Digest of the refs that the last search listed: another list may hold mail that was never fetched. */
  listed?: string | undefined;
}

/** What a refusal is about: another setting is tried at once. */
export const actionOf = ({ afterFetch }: Pick<Mailbox, 'afterFetch'>): string =>
  afterFetch.kind === 'move' ? `move ${afterFetch.folder}` : afterFetch.kind;
