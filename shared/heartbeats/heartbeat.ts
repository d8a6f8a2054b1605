import { isFromFuture } from '../platform/trusted-time.ts';

/**
 * Every timer of the app, and after how many minutes without a sign of life it counts as late. With both timers of each
 * minute dead, only the look from outside finds that out, which comes every five minutes (infra/modules/alerts.bicep):
 * limit and look together stay below the fifteen that are promised.
 */
export const timerLimits = {
  fetchMail: 9.5,
  monitor: 9.5,
  // Each day, and an hour and a half for a run that began late and took its time.
  refreshTokens: 25.5 * 60,
  reviewSecrets: 25.5 * 60,
} as const;
export type TimerName = keyof typeof timerLimits;

/** The last sign of life of a timer. ISO times. */
export interface Heartbeat {
  at: string;
  /**
   * Since when it is back after the app was away; nothing before it makes a timer late. Gaps that come again and again are
   * no absence but a timer that runs too rarely, and give no time again.
   */
  since: string;
}

export interface LateTimer {
  name: TimerName;
  /** When it was last seen. */
  since: string;
}

const MINUTE = 60_000;
/** A timer of each minute writes only every so many minutes: two rows missing make it late. */
const BEAT_MINUTES = 4;
/** A gap of that many limits is an absence, however short the time before it was. */
const RARE_LIMITS = 4;

/** Whether a run leaves a row: of the timers of each minute only some do. Times in milliseconds. */
export function isWorthWriting(name: TimerName, last: number | undefined, now: number): boolean {
  if (last === undefined || isFromFuture(new Date(last).toISOString(), now)) return true;
  const often = timerLimits[name] <= 60;
  // A run a few seconds early counts as on time.
  return !often || now - last >= BEAT_MINUTES * MINUTE - 10_000;
}

/** The row after a run at `now` (milliseconds). A clock that was set back is an absence: nothing from before counts. Pure. */
export function beaten(name: TimerName, before: Heartbeat | undefined, now: number): Heartbeat {
  const at = new Date(now).toISOString();
  if (before === undefined || isFromFuture(before.at, now)) return { at, since: at };
  const limit = timerLimits[name] * MINUTE;
  const gap = now - Date.parse(before.at);
  const stretch = Date.parse(before.at) - Date.parse(before.since);
  const isTooRare = stretch < limit && gap < RARE_LIMITS * limit;
  return { at, since: gap <= limit || isTooRare ? before.since : at };
}

/**
 * Which timers are late at `now` (milliseconds). While the monitor itself was away the whole app was, so that the others
 * get their time from its return on, and so does one whose last run lies in the future. A timer that was never seen is not
 * judged: see `expect` of the store. Pure.
 */
export function lateTimers(beats: ReadonlyMap<TimerName, Heartbeat>, now: number): LateTimer[] {
  const monitor = beats.get('monitor');
  const back = monitor?.since ?? '';
  const isLate = (name: TimerName, at: string): boolean =>
    now - Date.parse(at > back && !isFromFuture(at, now) ? at : back) > timerLimits[name] * MINUTE;
  if (monitor !== undefined && !isFromFuture(monitor.at, now) && isLate('monitor', monitor.at)) {
    const fetch = beats.get('fetchMail');
    const others: LateTimer[] =
      fetch !== undefined && isLate('fetchMail', fetch.at) ? [{ name: 'fetchMail', since: fetch.at }] : [];
    return [{ name: 'monitor', since: monitor.at }, ...others];
  }
  return [...beats].flatMap(([name, { at }]) =>
    name !== 'monitor' && isLate(name, at) ? [{ name, since: at }] : [],
  );
}
