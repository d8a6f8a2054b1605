import type { Inbox, ListRequest, Position, PositionData } from './inbox.ts';
import type { Mailbox } from './mailbox.ts';
import type { MessageRef } from './message-ref.ts';

/** Progress of fetching what was in a folder when it was connected, piece by piece, beside new email. */
export interface FirstFetch {
  /** ISO time; undefined: only unread email, of any age. */
  since: string | undefined;
  /** The position when it was connected: what that does not cover is new email. */
  upTo: PositionData;
  /** The last message that was handled: refs are taken in their order. Undefined: it has not begun. */
  at: MessageRef | undefined;
  /** Number of emails when it began, and how many of them were handled. */
  total: number;
  done: number;
  /** ISO time. */
  startedAt: string;
}

/** Number of emails of the first fetch that are taken before its progress is saved. */
const PIECE = 250;

/** ISO time at which the mailbox's first day begins; undefined: it takes only unread email. Pure. */
export const sinceOf = ({ fetchSince }: Pick<Mailbox, 'fetchSince'>): string | undefined =>
  fetchSince === undefined ? undefined : `${fetchSince}T00:00:00.000Z`;

/** Until the first fetch has begun, a person may choose another day. Pure. */
export const isAboutToBegin = (first: FirstFetch | undefined): boolean =>
  first !== undefined && first.at === undefined;

/**
 * Which unread email a fetch lists beside what is new: none while the first fetch takes it, none where it is left unread on
 * the server for ever, and none from before the mailbox's first day. Pure.
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

/** What a first fetch takes, sorted. */
export async function searchFirst(inbox: Inbox, since: string | undefined): Promise<readonly MessageRef[]> {
  return since === undefined ? (await inbox.list({})).refs : inbox.receivedSince(since);
}

/**
 * How a first fetch begins; undefined where there is nothing to take.
 * @param position of the folder as it is connected
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

/** What the first fetch has yet to take, sorted. */
export async function remainingOf(inbox: Inbox, { since, upTo, at }: FirstFetch): Promise<MessageRef[]> {
  const { position } = await inbox.list({ position: upTo, unread: false });
  const found = await searchFirst(inbox, since);
  return found.filter((ref) => position.covers(ref) && (at === undefined || ref > at));
}

/** The next piece, and how the first fetch stands after it; undefined then: it is complete. */
export async function nextPiece(
  inbox: Inbox,
  first: FirstFetch,
): Promise<{ refs: readonly MessageRef[]; after: FirstFetch | undefined }> {
  const remaining = await remainingOf(inbox, first);
  const refs = remaining.slice(0, PIECE);
  const at = refs.at(-1);
  if (at === undefined || remaining.length === refs.length) return { refs, after: undefined };
  const done = Math.max(first.done + refs.length, first.total - (remaining.length - refs.length));
  return { refs, after: { ...first, at, done } };
}
