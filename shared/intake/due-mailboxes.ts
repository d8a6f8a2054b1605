import type { FetchFailure, Mailbox } from '../mailboxes/mailbox.ts';
import { type FetchState, lastSuccessOf } from '../mailboxes/mailbox-store.ts';
import { sharedCauseOf } from '../mailboxes/shared-cause.ts';
import { isFromFuture } from '../platform/trusted-time.ts';

const EARLY_MS = 30_000;
/** A shared cause is probed once a minute; what fails slowly has failed half a minute before the next one. */
const PROBE_MS = 30_000;

/**
 * Ids of the mailboxes that are to be fetched at `now` (milliseconds since the epoch). A mailbox in trouble waits for its
 * next try, with two exceptions where others are stopped by the same cause: once the cause is over, all are due; until
 * then one of them is tried each minute, so that its end is noticed. Pure: a stale message that asks again gets no for an
 * answer where another run was there first.
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
  // Each minute means at each run of the timer, also at one that a person starts a few seconds after the last.
  if (mailbox.intervalMinutes <= 1) return true;
  const last = lastSuccessOf(state, mailbox.id, now);
  return last === undefined || now - Date.parse(last) >= mailbox.intervalMinutes * 60_000 - EARLY_MS;
}

function isTryDue(mailbox: Mailbox, failure: FetchFailure, state: FetchState, now: number): boolean {
  if (now >= Date.parse(failure.nextTryAt) || isFromFuture(failure.triedAt, now)) return true;
  const cause = sharedCauseOf(mailbox, failure);
  const overAt = cause === undefined ? undefined : state.recoveries.get(cause);
  return overAt !== undefined && overAt > failure.triedAt && !isFromFuture(overAt, now);
}
