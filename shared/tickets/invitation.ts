import type { Person } from './ticket.ts';

/** A meeting as an email proposes, changes or calls it off (RFC 5545, RFC 5546). Types only. */
export interface Invitation {
  /** What the email does: `event` where it asks for nothing. */
  kind: 'invitation' | 'cancellation' | 'answer' | 'counter' | 'event';
  title: string;
  start: MeetingTime;
  /** The last day of a meeting of whole days. Absent when it is the start. */
  end: MeetingTime | undefined;
  place: string | undefined;
  organizer: Person | undefined;
  repeats: Repetition | undefined;
  /** Of an answer: who gave it, and which. */
  answer: { from: Person; says: 'accepted' | 'declined' | 'tentative' | 'other' } | undefined;
}

/** Every so many days, weeks, months or years. */
export interface Repetition {
  every: number;
  unit: 'day' | 'week' | 'month' | 'year';
}

/** A time on the clock of the place that the invitation names. */
export interface MeetingTime {
  /** `YYYY-MM-DDTHH:MM`, or `YYYY-MM-DD` of a whole day. */
  local: string;
  /** As the invitation names it; absent when the time is everybody's own. */
  zone: string | undefined;
  /** Minutes that the zone is ahead of UTC at that time; absent when nobody can know. */
  offset: number | undefined;
}
