import { z } from 'zod';
import { secondsOf } from './graph-ref.ts';
import type { Position, PositionData, ReadingProgress } from './inbox.ts';
import { type MessageRef, messageRef } from './message-ref.ts';

// Position in a folder of Microsoft Graph. A delta link stands for all messages that were in the folder when it
// was issued; following it returns those that came later, also those moved here.

/** A column of a table holds 32 Ki characters: two links, and as many refs as fit. */
const LONGEST_LINK = 8_000;
const MOST_AGAIN = 60;
// Only paths: a token must never follow a stored address to another host.
const link = z.string().startsWith('/v1.0/').max(LONGEST_LINK);

/** Where change tracking continues. */
const links = z.object({
  /** Returns what came after this position. */
  link,
  /**
   * While `link` is that of a tracking with a filter, which returns at most 5,000 messages: the next page of the
   * one without, which is to replace it.
   */
  next: link.optional(),
});
export type DeltaLinks = z.infer<typeof links>;

const savedPosition = links.extend({
  /** Messages to be listed again. */
  again: z.array(z.string().transform(messageRef)).max(MOST_AGAIN).optional(),
  /** If there are too many: all messages received since then, in seconds since the epoch. */
  from: z.int().min(0).optional(),
});
export type SavedPosition = z.infer<typeof savedPosition>;

/** Undefined: nothing was read yet, or the data cannot be used. */
export const positionFrom = (data: PositionData | undefined): SavedPosition | undefined =>
  data === undefined ? undefined : savedPosition.safeParse(data).data;

/** What a listing found out; all of it is known once it has been made. */
export interface Tracked {
  /** Where the listing started. */
  saved: DeltaLinks;
  /** Where it ended. */
  reached: DeltaLinks;
  /** The messages in between. */
  found: ReadonlySet<MessageRef>;
  /** The server's time at the start of the listing: seconds since the epoch. */
  takenAt: number;
}

export class GraphPosition implements Position {
  readonly #tracked: Tracked;
  /** Found behind the link and not processed yet: while there are any, the next listing starts at the same link. */
  readonly #fresh: ReadonlySet<MessageRef>;
  /** Others to be listed again. */
  readonly #older: ReadonlySet<MessageRef>;

  constructor(
    tracked: Tracked,
    fresh: ReadonlySet<MessageRef> = tracked.found,
    older: ReadonlySet<MessageRef> = new Set(),
  ) {
    this.#tracked = tracked;
    this.#fresh = fresh;
    this.#older = older;
  }

  covers(ref: MessageRef): boolean {
    return !this.#fresh.has(ref) && !this.#older.has(ref) && !this.#arrivedSince(ref);
  }

  isLater(ref: MessageRef): boolean {
    return this.#tracked.found.has(ref) || this.#arrivedSince(ref);
  }

  advance({ read, isComplete }: ReadingProgress): GraphPosition {
    if (isComplete) return new GraphPosition(this.#tracked, new Set(), new Set());
    const done = new Set(read);
    const rest = (refs: ReadonlySet<MessageRef>): ReadonlySet<MessageRef> =>
      new Set([...refs].filter((ref) => !done.has(ref)));
    return new GraphPosition(this.#tracked, rest(this.#fresh), rest(this.#older));
  }

  uncover(refs: readonly MessageRef[]): GraphPosition {
    const isFound = (ref: MessageRef): boolean => this.#tracked.found.has(ref);
    return new GraphPosition(
      this.#tracked,
      new Set([...this.#fresh, ...refs.filter(isFound)]),
      new Set([...this.#older, ...refs.filter((ref) => !isFound(ref))]),
    );
  }

  toData(): PositionData {
    const { saved, reached } = this.#tracked;
    const { link, next } =
      this.#fresh.size > 0 ? { link: saved.link, next: nextOf(saved, reached) } : reached;
    const again = [...this.#older];
    const from = again.reduce((least, ref) => Math.min(least, secondsOf(ref)), Number.MAX_SAFE_INTEGER);
    const older = again.length === 0 ? {} : again.length > MOST_AGAIN ? { from } : { again };
    const data = { link, ...(next !== undefined && { next }), ...older };
    // A link that does not fit into a row: the next fetch starts over, and the ledger knows what was fetched.
    return savedPosition.safeParse(data).success ? data : null;
  }

  #arrivedSince(ref: MessageRef): boolean {
    return secondsOf(ref) > this.#tracked.takenAt;
  }
}

/**
 * The page at which the tracking without a filter continues, when the listing has to start at the old link once
 * more: what it returns is not listed, so it need not go back.
 */
const nextOf = (saved: DeltaLinks, reached: DeltaLinks): string | undefined =>
  saved.next === undefined ? undefined : (reached.next ?? reached.link);
