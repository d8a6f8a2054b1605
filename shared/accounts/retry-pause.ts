import type { SignInEvent } from './sign-in-history.ts';

const SHORTEST_MS = 30_000;
const LONGEST_MS = 30 * 60_000;
/**
 * Postroom is not notified when a person fixes something at the provider, such as a permission or a
 * disabled app.
 */
const SHORTEST_FOR_PERSON_MS = 15 * 60_000;
const LONGEST_FOR_PERSON_MS = 6 * 3_600_000;

/**
 * Milliseconds until a temporarily failed refresh is retried: as the provider asked, otherwise doubling
 * from 30 seconds to 30 minutes, plus up to a quarter, so that accounts that failed together do not retry
 * together. Pure.
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
 * Milliseconds until the provider is called again although a person has to act: doubling from 15 minutes to
 * 6 hours, so that it continues automatically once that is done. Not for an ended grant: a retry can't
 * restore it. Pure.
 * @param history the refreshes before this one, newest first
 */
export const pauseForPerson = (history: readonly SignInEvent[]): number =>
  Math.min(SHORTEST_FOR_PERSON_MS * 2 ** inARow(history, 'action-required'), LONGEST_FOR_PERSON_MS);

/** How many of the newest refreshes in a row had this result, whatever their codes. */
function inARow(history: readonly SignInEvent[], result: SignInEvent['result']): number {
  const other = history.findIndex((event) => event.result !== result);
  const run = other === -1 ? history : history.slice(0, other);
  return run.reduce((sum, { times }) => sum + times, 0);
}
