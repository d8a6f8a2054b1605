import type { Person } from './ticket.ts';

/** A meeting that an email proposes, changes or cancels (RFC 5545, RFC 5546). Types only. */
export interface Invitation {
  /** What the email does: `event` if it requests no reply. */
  kind: 'invitation' | 'cancellation' | 'answer' | 'counter' | 'event';
  title: string;
  start: MeetingTime;
  /** For an all-day meeting, its last day. Absent when it equals the start. */
  end: MeetingTime | undefined;
  place: string | undefined;
  organizer: Person | undefined;
  repeats: Repetition | undefined;
  /** For an answer: the attendee and the reply. */
  answer: { from: Person; says: 'accepted' | 'declined' | 'tentative' | 'other' } | undefined;
}

/** Repeats every `every` units. */
export interface Repetition {
  every: number;
  unit: 'day' | 'week' | 'month' | 'year';
}

/** A local time in the time zone of the invitation. */
export interface MeetingTime {
  /** `YYYY-MM-DDTHH:MM`, or `YYYY-MM-DD` for an all-day meeting. */
  local: string;
  /** Time zone name from the invitation; absent for a floating time (RFC 5545 section 3.3.5). */
  zone: string | undefined;
  /** Offset from UTC in minutes at that time; absent when it is unknown. */
  offset: number | undefined;
}
