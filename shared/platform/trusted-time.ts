// Clocks of two instances differ; by more than this one of them was set.
const CLOCK_MS = 5 * 60_000;

/**
 * True for a stored time that lies in the future: it was written under a clock that has been set back since, and says
 * nothing about how long ago something was. Pure.
 * @param at ISO time
 * @param now milliseconds since the epoch
 */
export const isFromFuture = (at: string, now: number): boolean => Date.parse(at) > now + CLOCK_MS;
