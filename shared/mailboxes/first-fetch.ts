import type { Inbox, ListRequest, Position, PositionData } from './inbox.ts';
import type { Mailbox } from './mailbox.ts';
import { type MessageRef, sortedRefs } from './message-ref.ts';

/**
 * Progress of importing the email that was in a folder when it was connected. Runs in chunks, alongside new
 * email.
 */
export interface FirstFetch {
  /** ISO time; undefined: only unread email, of any age. */
  since: string | undefined;
  /** The position at connection time. Messages that it does not cover are new email. */
  upTo: PositionData;
  /** The last processed message, in the order of refs. Undefined: the import has not started. */
  at: MessageRef | undefined;
  /** Number of emails at the start, and how many of them are processed. */
  total: number;
  done: number;
  /** ISO time. */
  startedAt: string;
}

/** Emails of the first fetch processed before its progress is saved. */
const CHUNK_MESSAGES = 250;

/** ISO time at which the mailbox's first day starts; undefined: only unread email is imported. Pure. */
export const sinceOf = ({ fetchSince }: Pick<Mailbox, 'fetchSince'>): string | undefined =>
  fetchSince === undefined ? undefined : `${fetchSince}T00:00:00.000Z`;

/**
 * Whether an email was in the mailbox before it was set up. A rerun gives the same answer, as the progress of the first
 * fetch would not. Pure.
 */
export const isFromBefore = ({ createdAt }: Pick<Mailbox, 'createdAt'>, receivedAt: string): boolean =>
  Date.parse(receivedAt) < Date.parse(createdAt);

/** True until the first fetch has started; until then, an admin can choose another date. Pure. */
export const isAboutToBegin = (first: FirstFetch | undefined): boolean =>
  first !== undefined && first.at === undefined;

/**
 * Which unread email a fetch lists in addition to new email: none while the first fetch imports it, none if
 * email is always left unread on the server, and none from before the mailbox's first day. Pure.
 */
export function unreadOf(
  mailbox: Pick<Mailbox, 'afterFetch' | 'fetchSince'>,
  cursor: { first?: FirstFetch | undefined } | undefined,
): ListRequest['unread'] {
  if (cursor !== undefined && (cursor.first !== undefined || mailbox.afterFetch.kind === 'leave'))
    return false;
  const since = sinceOf(mailbox);
  return since === undefined ? undefined : { since };
}

/** The messages that a first fetch imports, sorted. */
export async function searchFirst(inbox: Inbox, since: string | undefined): Promise<readonly MessageRef[]> {
  return since === undefined ? (await inbox.list({})).refs : inbox.receivedSince(since);
}

/**
 * The initial state of a first fetch; undefined if there is nothing to import.
 * @param position of the folder at connection time
 * @param now milliseconds since the epoch
 */
export async function beginFirstFetch(
  inbox: Inbox,
  mailbox: Pick<Mailbox, 'fetchSince'>,
  position: Position,
  now: number,
): Promise<FirstFetch | undefined> {
  const since = sinceOf(mailbox);
  const total = (await searchFirst(inbox, since)).filter((ref) => position.covers(ref)).length;
  if (total === 0) return undefined;
  const startedAt = new Date(now).toISOString();
  return { since, upTo: position.toData(), at: undefined, total, done: 0, startedAt };
}

/** The remaining messages of the first fetch, sorted. */
export async function remainingOf(inbox: Inbox, { since, upTo, at }: FirstFetch): Promise<MessageRef[]> {
  const { position } = await inbox.list({ position: upTo, unread: false });
  const found = await searchFirst(inbox, since);
  return sortedRefs(found.filter((ref) => !position.isLater(ref) && (at === undefined || ref > at)));
}

/** The next chunk, and the progress after it; undefined when the first fetch is complete. */
export async function nextPiece(
  inbox: Inbox,
  first: FirstFetch,
): Promise<{ refs: readonly MessageRef[]; after: FirstFetch | undefined }> {
  const remaining = await remainingOf(inbox, first);
  const refs = remaining.slice(0, CHUNK_MESSAGES);
  const at = refs.at(-1);
  if (at === undefined || remaining.length === refs.length) return { refs, after: undefined };
  const done = Math.max(first.done + refs.length, first.total - (remaining.length - refs.length));
  return { refs, after: { ...first, at, done } };
}
