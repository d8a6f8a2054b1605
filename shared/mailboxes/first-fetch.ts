import type { Inbox } from './inbox.ts';
import type { Mailbox } from './mailbox.ts';

/** The fetch of what lay in a folder when it was connected, piece by piece, beside new email. All numbers are UIDs. */
export interface FirstFetch {
  /** ISO time; undefined: unread email alone, however old. */
  since: string | undefined;
  /** What came later is new email. */
  upTo: number;
  /** Settled up to here. */
  at: number;
  /** Emails when it began, and those of them that were dealt with. */
  total: number;
  done: number;
  /** ISO time. */
  startedAt: string;
}

/** So many emails of the first fetch are taken before how far it came is saved. */
const PIECE = 250;

/** ISO time of the beginning of a mailbox's first day; undefined: it takes unread email alone. Pure. */
export const sinceOf = ({ fetchSince }: Pick<Mailbox, 'fetchSince'>): string | undefined =>
  fetchSince === undefined ? undefined : `${fetchSince}T00:00:00.000Z`;

/** UIDs of what a first fetch takes. */
export const searchFirst = (inbox: Inbox, since: string | undefined): Promise<number[]> =>
  inbox.search(since === undefined ? {} : { unread: false, since });

/** How a first fetch begins; undefined where there is nothing to take. @param now milliseconds since the epoch */
export async function beginFirstFetch(
  inbox: Inbox,
  mailbox: Pick<Mailbox, 'fetchSince'>,
  now: number,
): Promise<FirstFetch | undefined> {
  const since = sinceOf(mailbox);
  const upTo = inbox.uidNext - 1;
  const found = (await searchFirst(inbox, since)).filter((uid) => uid <= upTo);
  if (found.length === 0) return undefined;
  return { since, upTo, at: 0, total: found.length, done: 0, startedAt: new Date(now).toISOString() };
}

/** The next piece, and how the first fetch stands once that was taken; undefined then: it is over. */
export async function nextPiece(
  inbox: Inbox,
  first: FirstFetch,
): Promise<{ uids: readonly number[]; after: FirstFetch | undefined }> {
  const found = (await searchFirst(inbox, first.since)).filter((uid) => uid > first.at && uid <= first.upTo);
  const uids = found.slice(0, PIECE);
  const at = uids.at(-1);
  if (at === undefined || found.length === uids.length) return { uids, after: undefined };
  const done = Math.max(first.done + uids.length, first.total - (found.length - uids.length));
  return { uids, after: { ...first, at, done } };
}
