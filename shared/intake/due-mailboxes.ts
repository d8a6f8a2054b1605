import { lookInterval } from '../mailboxes/look-interval.ts';
import type { FetchFailure, Mailbox } from '../mailboxes/mailbox.ts';
import { type FetchState, lastSuccessOf } from '../mailboxes/mailbox-store.ts';
import { sharedCauseOf } from '../mailboxes/shared-cause.ts';
import { isFromFuture } from '../platform/trusted-time.ts';

const EARLY_MS = 30_000;
/**
 * A shared cause is probed once a minute. A slow failure has failed for half a minute before the next probe.
 */
const PROBE_MS = 30_000;

/** Not even a shared cause makes a mailbox wait longer: its failure may have another cause after all. */
const LONGEST_WAIT_MS = 30 * 60_000;

/**
 * IDs of the mailboxes to fetch at `now` (milliseconds since the epoch). A failing mailbox waits for its next
 * retry. If several fail for the same cause, one of them is tried each minute in place of all, and once that has
 * shown that the cause is over, all are due. Pure: if a stale message asks again, and another run was first,
 * the mailbox is not due.
 */
export function dueMailboxes(all: readonly Mailbox[], state: FetchState, now: number): Set<string> {
  const due = new Set<string>();
  const groups = new Map<string, Waiting[]>();
  for (const mailbox of all) {
    if (!mailbox.enabled) continue;
    const { id } = mailbox;
    const failure = state.failing.get(id);
    const cause = failure && sharedCauseOf(mailbox, failure);
    const itsDue = isDue(mailbox, failure, state, now);
    if (failure === undefined || cause === undefined) {
      if (itsDue) due.add(id);
      continue;
    }
    const lastTry = Date.parse(failure.triedAt);
    const isAlone = isOver(cause, failure, state, now) || Math.abs(now - lastTry) >= LONGEST_WAIT_MS;
    if (itsDue && isAlone) due.add(id);
    groups.set(cause, [...(groups.get(cause) ?? []), { id, lastTry, isDue: itsDue }]);
  }
  for (const group of groups.values()) {
    if (group.some(({ id }) => due.has(id))) continue;
    const ready = group.filter((each) => each.isDue);
    if (ready.length === 0 && now - Math.max(...group.map(({ lastTry }) => lastTry)) < PROBE_MS) continue;
    due.add(longestAgo(ready.length > 0 ? ready : group).id);
  }
  return due;
}

/** The same when new email was announced: a mailbox that works is due, whatever its interval. Pure. */
export function dueWhenAnnounced(all: readonly Mailbox[], state: FetchState, now: number): Set<string> {
  const working = all.filter(({ id, enabled }) => enabled && !state.failing.has(id));
  return new Set([...dueMailboxes(all, state, now), ...working.map(({ id }) => id)]);
}

/** A mailbox that waits for the end of a cause that it shares with others. */
interface Waiting {
  id: string;
  lastTry: number;
  isDue: boolean;
}

const longestAgo = (group: readonly Waiting[]): Waiting =>
  group.reduce((longest, each) => (each.lastTry < longest.lastTry ? each : longest));

function isDue(mailbox: Mailbox, failure: FetchFailure | undefined, state: FetchState, now: number): boolean {
  if (failure !== undefined) return isTryDue(mailbox, failure, state, now);
  // "Each minute" means at each run of the timer, even one that a person starts a few seconds after the last.
  const minutes = lookInterval(mailbox, state.announced?.get(mailbox.id), now);
  if (minutes <= 1) return true;
  const last = lastSuccessOf(state, mailbox.id, now);
  return last === undefined || now - Date.parse(last) >= minutes * 60_000 - EARLY_MS;
}

function isTryDue(mailbox: Mailbox, failure: FetchFailure, state: FetchState, now: number): boolean {
  if (now >= Date.parse(failure.nextTryAt) || isFromFuture(failure.triedAt, now)) return true;
  const cause = sharedCauseOf(mailbox, failure);
  return cause !== undefined && isOver(cause, failure, state, now);
}

function isOver(
  cause: string,
  { triedAt }: FetchFailure,
  { recoveries }: Pick<FetchState, 'recoveries'>,
  now: number,
): boolean {
  const at = recoveries.get(cause);
  return at !== undefined && at > triedAt && !isFromFuture(at, now);
}
