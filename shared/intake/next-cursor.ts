import type { Cursor, UnfetchedMessage } from '../mailboxes/cursor.ts';
import type { Position } from '../mailboxes/inbox.ts';
import {
  type MessageIdentity,
  type MessageMeta,
  type MessageRef,
  sortedRefs,
} from '../mailboxes/message-ref.ts';

/** Limits of a cursor's row: number of entries, and characters of a 32 Ki column. */
const MAX_WAITING = 1000;
const MAX_LEFT = 1000;
export const MAX_UNFETCHED = 250;
const MAX_CHARACTERS = 30_000;
const FINGERPRINT_CHARACTERS = 18;
/** Attempts, time and reason of an unfetched message, as JSON. */
const UNFETCHED_CHARACTERS = 70;

/** The results of a fetch that go into the cursor. */
export interface Progress {
  /** Messages that were processed. */
  read: readonly MessageRef[];
  /** Stored, and deleted from the server or still to be deleted. */
  deleted: readonly MessageRef[];
  /** Every listed message was processed: only new arrivals follow. */
  isComplete: boolean;
  /** Found but not reached. */
  remaining: readonly MessageRef[];
  /** Reached, and to be processed again. */
  waiting: ReadonlySet<MessageRef>;
  /** Sorted. */
  unfetched: readonly UnfetchedMessage[];
  left: readonly MessageIdentity[];
  /** Messages whose metadata the server reported. */
  known: readonly MessageMeta[];
}

/**
 * The cursor after a fetch. Messages that do not fit into the row are uncovered in the position, so that the
 * next fetch finds them again. Pure.
 * @param position where the fetch started
 */
export function nextCursor(start: Cursor, position: Position, progress: Progress): Cursor {
  const { remaining, known, isComplete, deleted } = progress;
  const unfetched = progress.unfetched.slice(0, roomForUnfetched(progress.unfetched));
  const read = [...progress.read, ...progress.unfetched.map(({ ref }) => ref)];
  const reached = position.advance({ read, known, isComplete, deleted });
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

/** How many of the unfetched messages fit into a row, from the first. */
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
