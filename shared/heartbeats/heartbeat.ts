import { isFromFuture } from '../platform/trusted-time.ts';

/**
 * Every timer of the app, with the minutes without a heartbeat after which it is late. If both minute
 * timers stop, only the external check notices, which runs every five minutes (infra/modules/alerts.bicep):
 * limit and check together stay below the promised fifteen.
 */
export const timerLimits = {
  fetchMail: 9.5,
  monitor: 9.5,
  // A day, plus an hour and a half for a run that started late and was slow.
  refreshTokens: 25.5 * 60,
  reviewSecrets: 25.5 * 60,
} as const;
export type TimerName = keyof typeof timerLimits;

/** The last heartbeat of a timer. ISO times. */
export interface Heartbeat {
  at: string;
  /**
   * Since when it has been back after the app was off; earlier gaps make no timer late. Frequent gaps mean
   * that the timer runs too rarely, and do not reset this time.
   */
  since: string;
}

export interface LateTimer {
  name: TimerName;
  /** When it last ran. */
  since: string;
}

const MINUTE = 60_000;
/** A minute timer writes only every few minutes: it is late after two missing rows. */
const BEAT_MINUTES = 4;
/** A gap of this many limits counts as downtime, however short the time before it. */
const RARE_LIMITS = 4;

/** True when a run must write a row; most runs of the minute timers need not. Times in milliseconds. */
export function isWorthWriting(name: TimerName, last: number | undefined, now: number): boolean {
  if (last === undefined || isFromFuture(new Date(last).toISOString(), now)) return true;
  const often = timerLimits[name] <= 60;
  // A run that is a few seconds early counts as on time.
  return !often || now - last >= BEAT_MINUTES * MINUTE - 10_000;
}

/**
 * The row after a run at `now` (milliseconds). A clock that was set back counts as downtime: earlier times
 * are ignored. Pure.
 */
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
 * The timers that are late at `now` (milliseconds). If the monitor itself was late, the whole app was off,
 * so the other timers' limits start at its return. The same applies when its last run is in the future. A
 * timer that has never run is not judged: see `expect` of the store. Pure.
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
