/** The SEARCH commands of an IMAP folder (RFC 3501 section 6.4.4). Pure. */
import type { HeaderSearch, ListRequest } from './inbox.ts';
import { uidSets } from './uid-sets.ts';

const HIGHEST_UID = 4_294_967_295;
const DAY_MS = 86_400_000;

/** The search keys in use, with the names of imapflow. */
interface SearchKeys {
  or?: SearchKeys[];
  seen?: boolean;
  since?: Date;
  uid?: string;
  from?: string;
  subject?: string;
  header?: { 'message-id': string };
}

/** Which messages a listing finds: those that match any of these. */
export interface ListSearch {
  /** See `ListRequest`. */
  unread?: ListRequest['unread'];
  /** This UID and every higher one. */
  from?: number | undefined;
  /** ISO time. Messages received since then, and some from the day before. */
  since?: string | undefined;
  /** UIDs. */
  also?: readonly number[];
}

/** The searches whose combined results are the listing; none if there is nothing to search for. */
export function listSearches({ unread, from, since, also = [] }: ListSearch): SearchKeys[] {
  const [first, ...others] = uidSets(also);
  const query = anyOf([
    ...(unread === false ? [] : [{ seen: false, ...(unread && { since: new Date(unread.since) }) }]),
    // Not `n:*`, which always includes the newest message, even if its UID is below n (RFC 3501 section 6.4.8).
    ...(from === undefined ? [] : [{ uid: `${from}:${HIGHEST_UID}` }]),
    // SINCE compares whole days, in the server's time zone (RFC 3501 section 6.4.4).
    ...(since === undefined ? [] : [{ since: new Date(Date.parse(since) - DAY_MS) }]),
    ...(first === undefined ? [] : [{ uid: first }]),
  ]);
  return query === undefined ? [] : [query, ...others.map((uid) => ({ uid }))];
}

/** Undefined if there is nothing to search for. */
export const headerSearch = ({ words, messageId }: HeaderSearch): SearchKeys | undefined =>
  anyOf([
    ...(messageId === undefined ? [] : [{ header: { 'message-id': messageId } }]),
    ...(words === '' ? [] : [{ from: words }, { subject: words }]),
  ]);

function anyOf(alternatives: SearchKeys[]): SearchKeys | undefined {
  return alternatives.length > 1 ? { or: alternatives } : alternatives[0];
}
