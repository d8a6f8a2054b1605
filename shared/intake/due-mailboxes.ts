import type { FetchFailure, Mailbox } from '../mailboxes/mailbox.ts';
import { type FetchState, lastSuccessOf } from '../mailboxes/mailbox-store.ts';
import { sharedCauseOf } from '../mailboxes/shared-cause.ts';
import { isFromFuture } from '../platform/trusted-time.ts';

const EARLY_MS = 30_000;
/**
 * A shared cause is probed once a minute. A slow failure has failed for half a minute before the next probe.
 */
const PROBE_MS = 30_000;

/**
 * IDs of the mailboxes to fetch at `now` (milliseconds since the epoch). A failing mailbox waits for its next
 * retry, with two exceptions if others fail for the same cause: once the cause has ended, all are due; until
 * then one of them is tried each minute to detect the end. Pure: if a stale message asks again, and another
 * run was first, the mailbox is not due.
 */
export function dueMailboxes(all: readonly Mailbox[], state: FetchState, now: number): Set<string> {
  const due = new Set<string>();
  const groups = new Map<string, { id: string; triedAt: string }[]>();
  for (const mailbox of all) {
    if (!mailbox.enabled) continue;
    const { id } = mailbox;
    const failure = state.failing.get(id);
    if (isDue(mailbox, failure, state, now)) due.add(id);
    if (failure === undefined) continue;
    const cause = sharedCauseOf(mailbox, failure);
    if (cause === undefined) continue;
    groups.set(cause, [...(groups.get(cause) ?? []), { id, triedAt: failure.triedAt }]);
  }
  for (const group of groups.values()) {
    const lastTry = Math.max(...group.map(({ triedAt }) => Date.parse(triedAt)));
    if (group.some(({ id }) => due.has(id)) || now - lastTry < PROBE_MS) continue;
    due.add(group.reduce((longestAgo, each) => (each.triedAt < longestAgo.triedAt ? each : longestAgo)).id);
  }
  return due;
}

function isDue(mailbox: Mailbox, failure: FetchFailure | undefined, state: FetchState, now: number): boolean {
  if (failure !== undefined) return isTryDue(mailbox, failure, state, now);
  // "Each minute" means at each run of the timer, even one that a person starts a few seconds after the last.
  const minutes = intervalOf(mailbox);
  if (minutes <= 1) return true;
  const last = lastSuccessOf(state, mailbox.id, now);
  return last === undefined || now - Date.parse(last) >= minutes * 60_000 - EARLY_MS;
}

/** Minutes between two looks at a mailbox that works. Pure. */
export const intervalOf = ({ intervalMinutes }: Pick<Mailbox, 'intervalMinutes'>): number => intervalMinutes;

function isTryDue(mailbox: Mailbox, failure: FetchFailure, state: FetchState, now: number): boolean {
  if (now >= Date.parse(failure.nextTryAt) || isFromFuture(failure.triedAt, now)) return true;
  const cause = sharedCauseOf(mailbox, failure);
  const overAt = cause === undefined ? undefined : state.recoveries.get(cause);
  return overAt !== undefined && overAt > failure.triedAt && !isFromFuture(overAt, now);
}
