import type { Invitation, MeetingTime } from './invitation.ts';

const day = new Intl.DateTimeFormat('en-GB', {
  weekday: 'long',
  day: 'numeric',
  month: 'long',
  year: 'numeric',
  timeZone: 'UTC',
});
const utcClock = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  timeZone: 'UTC',
});

/** The start and end of a meeting in its own time zone. The same day is written once. */
export function meetingTimes({ start, end }: Pick<Invitation, 'start' | 'end'>): string {
  if (isWholeDay(start)) {
    const last = end === undefined || end.local === start.local ? '' : ` to ${dayOf(end)}`;
    return `${dayOf(start)}${last}, all day`;
  }
  const begins = `${dayOf(start)}, ${clockOf(start)}`;
  if (end === undefined) return `${begins} ${zoneOf(start)}`;
  const sameDay = end.local.slice(0, 10) === start.local.slice(0, 10);
  const ends = sameDay ? clockOf(end) : `${dayOf(end)}, ${clockOf(end)}`;
  // A flight, for example, starts in one time zone and ends in another.
  return zoneOf(start) === zoneOf(end)
    ? `${begins} to ${ends} ${zoneOf(end)}`
    : `${begins} ${zoneOf(start)} to ${ends} ${zoneOf(end)}`;
}

/**
 * The start in UTC, like the other times on the page. Undefined if the offset is unknown, or if the time is in
 * UTC already.
 */
export function startInUtc({ start }: Pick<Invitation, 'start'>): string | undefined {
  if (isWholeDay(start) || start.offset === undefined || start.zone === 'UTC') return undefined;
  return `${utcClock.format(timeOf(start) - start.offset * 60_000)} UTC`;
}

const isWholeDay = ({ local }: MeetingTime): boolean => !local.includes('T');
const timeOf = ({ local }: MeetingTime): number => Date.parse(local.includes('T') ? `${local}Z` : local);
const clockOf = ({ local }: MeetingTime): string => local.slice(11);

function dayOf(time: MeetingTime): string {
  const at = timeOf(time);
  return Number.isNaN(at) ? time.local.slice(0, 10) : day.format(at);
}

function zoneOf({ zone, offset }: MeetingTime): string {
  if (zone === undefined) return '(no time zone given)';
  if (zone === 'UTC') return 'UTC';
  if (offset === undefined) return zone;
  const minutes = Math.abs(offset);
  const hours = `${Math.floor(minutes / 60)}`.padStart(2, '0');
  return `${zone} (UTC${offset < 0 ? '−' : '+'}${hours}:${`${minutes % 60}`.padStart(2, '0')})`;
}
