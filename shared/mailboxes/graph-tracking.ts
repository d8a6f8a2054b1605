import { GraphRefusal } from './graph-errors.ts';
import type { GraphMailbox } from './graph-mailbox.ts';
import type { GraphMessage, MessagePage } from './graph-messages.ts';
import type { DeltaLinks } from './graph-position.ts';

/**
 * The tracking with a filter looks back this far for messages whose time of receipt is older than their arrival
 * in the folder.
 */
const LOOK_BACK_MS = 24 * 3_600_000;
/** Pages of the tracking without a filter that one listing reads: in a large folder, it is spread over many. */
const PAGES_AT_ONCE = 4;

export interface Tracking {
  reached: DeltaLinks;
  /** Messages that came since the start of the tracking. */
  found: GraphMessage[];
  /** The server's time before it was asked: seconds since the epoch. */
  takenAt: number;
}

type Changes = Pick<GraphMailbox, 'startOfChanges' | 'changes'>;

/**
 * Starts tracking now. The tracking of a whole folder begins with a listing of all its messages. In a large folder,
 * which has too many of them for one listing, it starts with a filter, and the other replaces it later: with a
 * filter Graph returns at most 5,000 messages. https://learn.microsoft.com/graph/delta-query-messages
 * @param now milliseconds since the epoch
 */
export async function startTracking(mailbox: Changes, now: number): Promise<Tracking> {
  const whole = await advance(mailbox, mailbox.startOfChanges());
  if (whole.isComplete) return { reached: { link: whole.path }, found: [], takenAt: whole.takenAt };
  const from = new Date(now - LOOK_BACK_MS).toISOString();
  const { link, takenAt } = await follow(mailbox, mailbox.startOfChanges(from));
  return { reached: { link, next: whole.path }, found: [], takenAt };
}

/** Continues a tracking. Undefined: its state is gone, so that it has to start again. */
export async function continueTracking(mailbox: Changes, saved: DeltaLinks): Promise<Tracking | undefined> {
  try {
    // First: what comes after this tracking took over is still found by the one that it replaces.
    const next = saved.next === undefined ? undefined : await advance(mailbox, saved.next);
    const { link, found, takenAt } = await follow(mailbox, saved.link);
    if (next?.isComplete === true) return { reached: { link: next.path }, found, takenAt };
    return { reached: { link, ...(next !== undefined && { next: next.path }) }, found, takenAt };
  } catch (error) {
    if (error instanceof GraphRefusal && error.isExpiredLink) return undefined;
    throw error;
  }
}

/** Follows the pages to the link for later changes. */
async function follow(
  mailbox: Changes,
  path: string,
): Promise<{ link: string; found: GraphMessage[]; takenAt: number }> {
  const found: GraphMessage[] = [];
  let takenAt: number | undefined;
  for (let next = path; ; ) {
    const page = await mailbox.changes(next);
    found.push(...page.messages);
    takenAt ??= Math.floor(page.date / 1000);
    if (page.later !== undefined) return { link: page.later, found, takenAt };
    next = nextOf(page);
  }
}

/** Follows a few pages and ignores the messages on them. */
async function advance(
  mailbox: Changes,
  path: string,
): Promise<{ path: string; isComplete: boolean; takenAt: number }> {
  let reached = path;
  let takenAt: number | undefined;
  for (let count = 0; count < PAGES_AT_ONCE; count += 1) {
    const page = await mailbox.changes(reached);
    takenAt ??= Math.floor(page.date / 1000);
    if (page.later !== undefined) return { path: page.later, isComplete: true, takenAt };
    reached = nextOf(page);
  }
  return { path: reached, isComplete: false, takenAt: takenAt ?? 0 };
}

function nextOf({ next }: MessagePage): string {
  if (next === undefined) throw new GraphRefusal(502, '', 'a page of changes without a link');
  return next;
}
