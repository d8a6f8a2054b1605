import type { FirstFetch } from './first-fetch.ts';
import type { PositionData } from './inbox.ts';
import type { Mailbox } from './mailbox.ts';
import type { MessageIdentity, MessageRef } from './message-ref.ts';

/**
 * State that a fetch passes to the next one: its position in the folder, and the messages that need another
 * attempt.
 */
export interface Cursor {
  /** Refs and the position are only valid under this UIDVALIDITY or its equivalent (see `Inbox`). */
  validity: string;
  /** The folder that was read (see `folderKeyOf`). */
  folderKey?: string | undefined;
  /** Every message that it covers is processed, except those listed below. */
  position: PositionData;
  /** Processed, but left unread on the server because they could not be imported. */
  left: readonly MessageIdentity[];
  /** Not processed yet. Listed again even if they have been read in the meantime. */
  waiting: readonly MessageRef[];
  lastMailAt: string | undefined;
  /** Number of messages that the last fetch left for the next one. */
  backlog?: number | undefined;
  /**
   * Messages that the server lists but that could not be fetched or stored so far. Each fetch requests them
   * again.
   */
  unfetched?: readonly UnfetchedMessage[] | undefined;
  /** Progress of the first fetch. Absent: it is complete. */
  first?: FirstFetch | undefined;
  /** ISO time at which stored email was last deleted from the server because of its age. */
  deletedAt?: string | undefined;
  /** Absent: stored email could be marked, moved or deleted. */
  refusal?: Refusal | undefined;
}

export interface UnfetchedMessage extends MessageIdentity {
  /** Number of fetches that requested only this message, or whose response left it out. */
  attempts: number;
  /** ISO time of the first failed attempt. */
  since: string;
  /** The step that failed: the server did not return the message, or storage did not accept it. */
  failed: 'download' | 'storage';
}

/** The server refuses to mark, move or delete stored email. Fetching continues. */
export interface Refusal {
  /** The refused action, with its folder. After a change of the settings, the new action is tried at once. */
  action: string;
  /** A sentence for a person, with the server's message. */
  problem: string;
  since: string;
  triedAt: string;
  /** Digest of the refs in the last listing. A different listing may contain email that was never fetched. */
  listed?: string | undefined;
}

/** Identifies the action of a refusal, so that a changed setting is tried at once. */
export const actionOf = ({ afterFetch }: Pick<Mailbox, 'afterFetch'>): string =>
  afterFetch.kind === 'move' ? `move ${afterFetch.folder}` : afterFetch.kind;
