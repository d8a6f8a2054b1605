/** Incoming email of one hour, of one shard or all. Approximate: for display only. */
export interface MailHour {
  /** `2026-11-24T10`, UTC. */
  hour: string;
  /** Number of processed emails, whatever their disposition. */
  emails: number;
  /** How many of these could not be read. */
  quarantined: number;
}

const KEPT_HOURS = 48;
const HOUR_MS = 3_600_000;
const hourOf = (ms: number): string => new Date(ms).toISOString().slice(0, 13);

/**
 * The hours of a shard after another run at `now` (milliseconds), without those older than two days. Pure.
 */
export function withMails(
  hours: readonly MailHour[],
  run: Omit<MailHour, 'hour'>,
  now: number,
): readonly MailHour[] {
  const kept = hours.filter(({ hour }) => hour > hourOf(now - KEPT_HOURS * HOUR_MS));
  if (run.emails === 0) return kept;
  return summed([...kept, { ...run, hour: hourOf(now) }]);
}

/** One entry per hour, oldest first. Pure. */
export function summed(hours: readonly MailHour[]): MailHour[] {
  const byHour = new Map<string, MailHour>();
  for (const { hour, emails, quarantined } of hours) {
    const before = byHour.get(hour);
    byHour.set(hour, {
      hour,
      emails: emails + (before?.emails ?? 0),
      quarantined: quarantined + (before?.quarantined ?? 0),
    });
  }
  return [...byHour.values()].sort((a, b) => (a.hour < b.hour ? -1 : 1));
}

/** The last `count` hours up to that of `now`, including those without email. Pure. */
export function lastHours(hours: readonly MailHour[], count: number, now: number): MailHour[] {
  const known = new Map(hours.map((one) => [one.hour, one]));
  return Array.from({ length: count }, (_, index) => {
    const hour = hourOf(now - (count - 1 - index) * HOUR_MS);
    return known.get(hour) ?? { hour, emails: 0, quarantined: 0 };
  });
}
