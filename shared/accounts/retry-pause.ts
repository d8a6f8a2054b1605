import type { SignInEvent } from './sign-in-history.ts';

const SHORTEST_MS = 30_000;
const LONGEST_MS = 30 * 60_000;
/** What a person mends at the provider (a permission, a switched-off app) is nothing that anybody tells Postroom of. */
const SHORTEST_FOR_PERSON_MS = 15 * 60_000;
const LONGEST_FOR_PERSON_MS = 6 * 3_600_000;

/**
 * Milliseconds until a refresh that failed in passing is tried again: as the provider said, else doubling from 30
 * seconds to 30 minutes, and up to a quarter more, so that accounts which failed together do not ask together. Pure.
 * @param history the refreshes before this one, newest first
 * @param spread from 0 to 1
 */
export function pauseInPassing(
  history: readonly SignInEvent[],
  retryAfterSeconds: number | undefined,
  spread = Math.random(),
): number {
  if (retryAfterSeconds !== undefined) return Math.max(retryAfterSeconds * 1000, SHORTEST_MS);
  const pause = Math.min(SHORTEST_MS * 2 ** inARow(history, 'retrying'), LONGEST_MS);
  return Math.round(pause * (1 + spread / 4));
}

/**
 * Milliseconds until the provider is asked again although a person has to act: doubling from 15 minutes to 6 hours, so
 * that it goes on by itself once that is done. Never for a grant that has ended: asking cannot bring it back. Pure.
 * @param history the refreshes before this one, newest first
 */
export const pauseForPerson = (history: readonly SignInEvent[]): number =>
  Math.min(SHORTEST_FOR_PERSON_MS * 2 ** inARow(history, 'action-required'), LONGEST_FOR_PERSON_MS);

/** How many of the newest ended so, whatever their codes were. */
function inARow(history: readonly SignInEvent[], result: SignInEvent['result']): number {
  const other = history.findIndex((event) => event.result !== result);
  const run = other === -1 ? history : history.slice(0, other);
  return run.reduce((sum, { times }) => sum + times, 0);
}
