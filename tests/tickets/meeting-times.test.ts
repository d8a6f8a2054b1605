import { describe, expect, test } from 'vitest';
import type { MeetingTime } from '../../shared/tickets/invitation.ts';
import { meetingTimes, startInUtc } from '../../shared/tickets/meeting-times.ts';

const at = (local: string, zone?: string, offset?: number): MeetingTime => ({ local, zone, offset });

describe('the times of a meeting', () => {
  test.each([
    [
      at('2026-07-03T10:00', 'Europe/Berlin', 120),
      at('2026-07-03T11:30', 'Europe/Berlin', 120),
      'Friday, 3 July 2026, 10:00 to 11:30 Europe/Berlin (UTC+02:00)',
    ],
    [
      at('2026-12-03T22:00', 'UTC', 0),
      at('2026-12-04T01:00', 'UTC', 0),
      'Thursday, 3 December 2026, 22:00 to Friday, 4 December 2026, 01:00 UTC',
    ],
    [
      at('2026-12-03T22:00', 'America/New_York', -300),
      at('2026-12-04T09:00', 'Asia/Kolkata', 330),
      'Thursday, 3 December 2026, 22:00 America/New_York (UTC−05:00) to Friday, 4 December 2026, 09:00 Asia/Kolkata (UTC+05:30)',
    ],
    [at('2026-12-03'), at('2026-12-04'), 'Thursday, 3 December 2026 to Friday, 4 December 2026, all day'],
    [at('2026-12-03'), undefined, 'Thursday, 3 December 2026, all day'],
    [at('2026-12-03T09:00'), undefined, 'Thursday, 3 December 2026, 09:00 (no time zone given)'],
    [at('2026-12-03T09:00', 'Our Office'), undefined, 'Thursday, 3 December 2026, 09:00 Our Office'],
  ])('from %j to %j are written as %s', (start, end, written) => {
    expect(meetingTimes({ start, end })).toBe(written);
  });

  test('are also in UTC, if that differs and is known', () => {
    expect(startInUtc({ start: at('2026-01-01T01:00', 'Europe/Berlin', 60) })).toBe('1 Jan 2026, 00:00 UTC');
    expect(startInUtc({ start: at('2026-01-01T23:00', 'X', -120) })).toBe('2 Jan 2026, 01:00 UTC');
    for (const start of [at('2026-01-01T01:00', 'UTC', 0), at('2026-01-01T01:00', 'X'), at('2026-01-01')])
      expect(startInUtc({ start })).toBeUndefined();
  });
});
