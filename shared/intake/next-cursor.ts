import type { Cursor, LeftMessage, UnfetchedMessage } from '../mailboxes/cursor.ts';
import type { MessageMeta } from '../mailboxes/inbox.ts';
import { fingerprintOf } from './ledger.ts';

/** What the row of a cursor has room for. */
const MAX_WAITING = 1000;
const MAX_LEFT = 1000;
export const MAX_UNFETCHED = 250;

/** What a fetch leaves behind. All numbers are UIDs. */
export interface Progress {
  /** Nothing up to the highest of these is new to the next fetch, but for what follows. */
  read: readonly number[];
  /** Found, and not come to. */
  remaining: readonly number[];
  /** Come to, and to be looked at again. */
  waiting: ReadonlySet<number>;
  /** Ascending. */
  unfetched: readonly UnfetchedMessage[];
  left: readonly LeftMessage[];
  /** What the server told of. */
  told: Iterable<MessageMeta>;
}

/** How far a folder was read after a fetch. What the row has no room for stays above the cursor, to be found again. Pure. */
export function nextCursor(start: Cursor, progress: Progress): Cursor {
  const { read, remaining, left } = progress;
  const unfetched = progress.unfetched.slice(0, MAX_UNFETCHED);
  const highest = Math.max(start.uid, ...read, ...progress.unfetched.map(({ uid }) => uid));
  const waiting = new Set([
    ...progress.waiting,
    ...remaining.filter((uid) => uid <= highest),
    ...progress.unfetched.slice(MAX_UNFETCHED).map(({ uid }) => uid),
  ]);
  const sorted = [...waiting].sort((a, b) => a - b);
  const overflow = sorted[MAX_WAITING];
  const ahead = remaining.filter((uid) => !waiting.has(uid));
  return {
    ...start,
    uid: overflow === undefined ? highest : Math.min(highest, overflow - 1),
    last: highestOf(progress.told, start.last),
    left: left.slice(-MAX_LEFT),
    waiting: sorted.slice(0, MAX_WAITING),
    unfetched,
    backlog: ahead.length + sorted.length + unfetched.length,
  };
}

function highestOf(told: Iterable<MessageMeta>, before: LeftMessage | undefined): LeftMessage | undefined {
  let highest: MessageMeta | undefined;
  for (const each of told) if (each.uid > (highest?.uid ?? 0)) highest = each;
  if (highest === undefined || highest.uid < (before?.uid ?? 0)) return before;
  return { uid: highest.uid, fingerprint: fingerprintOf(highest) };
}
