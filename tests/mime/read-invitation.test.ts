import { describe, expect, it } from 'vitest';
import { readInvitation } from '../../shared/mime/read-invitation.ts';
import { processorTime } from '../harness/measure-time.ts';
import { ownMail, readMail } from '../harness/memory/mail-files.ts';

const event = (...lines: string[]): Buffer =>
  Buffer.from(
    ['BEGIN:VCALENDAR', 'BEGIN:VEVENT', 'UID:1', ...lines, 'END:VEVENT', 'END:VCALENDAR'].join('\r\n'),
  );

describe('the meeting in an email', () => {
  it('has a time in the Windows time zone that the invitation describes, with its offset on that day', async () => {
    const mail = await readMail(ownMail('invitation-windows-zone.eml'));
    expect(mail.invitation).toEqual({
      kind: 'invitation',
      title: 'Review, printers, second floor',
      start: { local: '2026-07-03T10:00', zone: 'W. Europe Standard Time', offset: 120 },
      end: { local: '2026-07-03T11:30', zone: 'W. Europe Standard Time', offset: 120 },
      place: 'Room 4',
      organizer: { name: 'Ada Byron', address: 'ada@fabrikam.example' },
      repeats: { every: 1, unit: 'week' },
      answer: undefined,
    });
    expect(mail.text.trim()).toBe('Let us look at the printers together.');
    expect(mail.attachments).toMatchObject([{ contentType: 'text/calendar' }]);
  });

  it('may be cancelled, and last whole days, in a separate file', async () => {
    const mail = await readMail(ownMail('invitation-cancelled-all-day.eml'));
    expect(mail.invitation).toMatchObject({
      kind: 'cancellation',
      title: 'Trade fair',
      start: { local: '2026-12-03', zone: undefined },
      end: { local: '2026-12-04', zone: undefined },
    });
  });

  it('may be a response, with a time zone that the calendar only names', async () => {
    const mail = await readMail(ownMail('invitation-accepted.eml'));
    expect(mail.invitation).toMatchObject({
      kind: 'answer',
      start: { local: '2026-12-03T09:00', zone: 'America/New_York', offset: -300 },
      end: { local: '2026-12-03T09:45' },
      answer: { from: { name: 'Ada Byron', address: 'ada@fabrikam.example' }, says: 'accepted' },
    });
  });

  it('has UTC, a floating time, or one of an unknown zone, unchanged', () => {
    const startOf = (line: string): unknown => readInvitation(event(line))?.start;
    expect(startOf('DTSTART:20260701T100000Z')).toEqual({
      local: '2026-07-01T10:00',
      zone: 'UTC',
      offset: 0,
    });
    expect(startOf('DTSTART:20260701T100000')).toMatchObject({ zone: undefined, offset: undefined });
    expect(startOf('DTSTART;TZID=Our Office:20260701T100000')).toEqual({
      local: '2026-07-01T10:00',
      zone: 'Our Office',
      offset: undefined,
    });
  });

  it('does not exist if the file has no event with a time', () => {
    for (const file of ['', 'hello', 'BEGIN:VCALENDAR', 'BEGIN:VCALENDAR\r\nEND:VCALENDAR'])
      expect(readInvitation(Buffer.from(file)), file).toBeUndefined();
    expect(readInvitation(event('SUMMARY:x'))).toBeUndefined();
    expect(readInvitation(event('DTSTART:99999999T999999Z'))).toBeUndefined();
  });

  it('is found among lines that are not part of a calendar', () => {
    const broken = event(
      'DTSTART:20260701T100000Z',
      'DESCRIPTION:Hello,',
      '',
      'this line is no property',
      'SUMMARY:Fair',
    );
    expect(readInvitation(broken)).toMatchObject({ title: 'Fair', start: { local: '2026-07-01T10:00' } });
  });

  it('is not searched in a large calendar', () => {
    const lines = (size: number): string[] => ['DTSTART:20260701T100000Z', `X-A:${'x'.repeat(size)}`];
    expect(readInvitation(event(...lines(250_000)))).toBeDefined();
    expect(readInvitation(event(...lines(270_000)))).toBeUndefined();
  });

  it.each([
    ['a rule of every second', 'DTSTART:20260701T100000Z\r\nRRULE:FREQ=SECONDLY'],
    ['a duration of millennia', 'DTSTART:20260701T100000Z\r\nDURATION:P99999999999999D'],
    ['the year 9999', 'DTSTART;TZID=Europe/Berlin:99990701T100000'],
    ['many lines', 'CATEGORIES:a,b\r\n'.repeat(10_000)],
    ['a folded title', `SUMMARY:${'a\r\n '.repeat(50_000)}`],
  ])('with %s is parsed without delay', async (_what, lines) => {
    expect(await processorTime(() => readInvitation(event(lines)))).toBeLessThan(1_000);
  });

  it('uses only yearly rules of a time zone', () => {
    const zone = [
      'BEGIN:VTIMEZONE',
      'TZID:Odd',
      'BEGIN:STANDARD',
      'DTSTART:16010101T000000',
      'TZOFFSETFROM:+0100',
    ];
    const rest = ['TZOFFSETTO:+0200', 'RRULE:FREQ=SECONDLY', 'END:STANDARD', 'END:VTIMEZONE'];
    const file = event('DTSTART;TZID=Odd:20260701T100000').toString();
    const withZone = file.replace('BEGIN:VEVENT', [...zone, ...rest, 'BEGIN:VEVENT'].join('\r\n'));
    expect(readInvitation(Buffer.from(withZone))?.start).toMatchObject({ zone: 'Odd', offset: undefined });
  });
});
