import type { Cursor, UnfetchedMessage } from '../mailboxes/cursor.ts';
import type { Position } from '../mailboxes/inbox.ts';
import {
  type MessageIdentity,
  type MessageMeta,
  type MessageRef,
  sortedRefs,
} from '../mailboxes/message-ref.ts';

/** What the row of a cursor has room for: so many, and so many characters of a column of 32 Ki. */
const MAX_WAITING = 1000;
const MAX_LEFT = 1000;
export const MAX_UNFETCHED = 250;
const MAX_CHARACTERS = 30_000;
const FINGERPRINT_CHARACTERS = 18;
/** Attempts, time and reason of an unfetched message, as JSON. */
const UNFETCHED_CHARACTERS = 70;

/** What a fetch leaves behind. */
export interface Progress {
  /** Come to. */
  read: readonly MessageRef[];
  /** Nothing was left that the server listed: only what arrives from now on is new. */
  isComplete: boolean;
  /** Found, and not come to. */
  remaining: readonly MessageRef[];
  /** Come to, and to be looked at again. */
  waiting: ReadonlySet<MessageRef>;
  /** Sorted. */
  unfetched: readonly UnfetchedMessage[];
  left: readonly MessageIdentity[];
  /** What the server told of. */
  known: readonly MessageMeta[];
}

/**
 * How far a folder was read after a fetch. What the row has no room for is uncovered again, to be found by the next one.
 * Pure.
 * @param position where the fetch began
 */
export function nextCursor(start: Cursor, position: Position, progress: Progress): Cursor {
  const { remaining, known, isComplete } = progress;
  const unfetched = progress.unfetched.slice(0, roomForUnfetched(progress.unfetched));
  const read = [...progress.read, ...progress.unfetched.map(({ ref }) => ref)];
  const reached = position.advance({ read, known, isComplete });
  const waiting = new Set([
    ...progress.waiting,
    ...remaining.filter((ref) => reached.covers(ref)),
    ...progress.unfetched.slice(unfetched.length).map(({ ref }) => ref),
  ]);
  const sorted = sortedRefs(waiting);
  const room = roomFor(sorted, MAX_WAITING, (ref) => ref.length + 1);
  const ahead = remaining.filter((ref) => !waiting.has(ref));
  const left = progress.left.toReversed();
  return {
    ...start,
    position: (room < sorted.length ? reached.uncover(sorted.slice(room)) : reached).toData(),
    left: left
      .slice(
        0,
        roomFor(left, MAX_LEFT, ({ ref }) => ref.length + FINGERPRINT_CHARACTERS),
      )
      .toReversed(),
    waiting: sorted.slice(0, room),
    unfetched,
    backlog: ahead.length + sorted.length + unfetched.length,
  };
}

/** How many of the unfetched messages a row takes, the first ones. */
export const roomForUnfetched = (unfetched: readonly UnfetchedMessage[]): number =>
  roomFor(unfetched, MAX_UNFETCHED, ({ ref }) => ref.length + FINGERPRINT_CHARACTERS + UNFETCHED_CHARACTERS);

function roomFor<T>(items: readonly T[], most: number, charactersOf: (item: T) => number): number {
  let characters = 0;
  let count = 0;
  for (const item of items.slice(0, most)) {
    characters += charactersOf(item);
    if (characters > MAX_CHARACTERS) break;
    count += 1;
  }
  return count;
}
