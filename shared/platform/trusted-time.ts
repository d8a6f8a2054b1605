// Allowed difference between the clocks of two instances; a larger one means that a clock was changed.
const CLOCK_MS = 5 * 60_000;

/**
 * True for a stored time in the future: it was written before the clock was set back, so it does not show
 * how long ago something happened. Pure.
 * @param at ISO time
 * @param now milliseconds since the epoch
 */
export const isFromFuture = (at: string, now: number): boolean => Date.parse(at) > now + CLOCK_MS;
