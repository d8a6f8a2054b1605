/** What came in during one hour, of a shard or of all of them. Counted for people to look at, not for the books. */
export interface MailHour {
  /** `2026-11-24T10`, UTC. */
  hour: string;
  /** Mails that were settled, whatever became of them. */
  mails: number;
  /** Of these, those that could not be read. */
  quarantined: number;
}

const KEPT_HOURS = 48;
const HOUR_MS = 3_600_000;
const hourOf = (ms: number): string => new Date(ms).toISOString().slice(0, 13);

/** The hours of a shard after one more run at `now` (milliseconds); those older than two days are dropped. Pure. */
export function withMails(
  hours: readonly MailHour[],
  run: Omit<MailHour, 'hour'>,
  now: number,
): readonly MailHour[] {
  const kept = hours.filter(({ hour }) => hour > hourOf(now - KEPT_HOURS * HOUR_MS));
  if (run.mails === 0) return kept;
  return summed([...kept, { ...run, hour: hourOf(now) }]);
}

/** One entry an hour, oldest first. Pure. */
export function summed(hours: readonly MailHour[]): MailHour[] {
  const byHour = new Map<string, MailHour>();
  for (const { hour, mails, quarantined } of hours) {
    const before = byHour.get(hour);
    byHour.set(hour, {
      hour,
      mails: mails + (before?.mails ?? 0),
      quarantined: quarantined + (before?.quarantined ?? 0),
    });
  }
  return [...byHour.values()].sort((a, b) => (a.hour < b.hour ? -1 : 1));
}

/** The last `count` hours up to the one of `now`, those without mail too. Pure. */
export function lastHours(hours: readonly MailHour[], count: number, now: number): MailHour[] {
  const known = new Map(hours.map((one) => [one.hour, one]));
  return Array.from({ length: count }, (_, index) => {
    const hour = hourOf(now - (count - 1 - index) * HOUR_MS);
    return known.get(hour) ?? { hour, mails: 0, quarantined: 0 };
  });
}
