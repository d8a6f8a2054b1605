/** Dates of mail headers: what is read, as which time, and what is none. */
import { expect, test } from 'vitest';
import { readDate } from '../../shared/intake/message-date.ts';

test.each([
  ['Tue, 24 Nov 2026 10:00:00 +0100', '2026-11-24T09:00:00.000Z'],
  ['24 Nov 2026 10:00:07 -0130', '2026-11-24T11:30:07.000Z'],
  ['24 November 2026 10:00 +0000', '2026-11-24T10:00:00.000Z'],
  ['24-Nov.-26, 10.00.05', '2026-11-24T10:00:05.000Z'],
  ['1 jan 1999 0:00:00 GMT', '1999-01-01T00:00:00.000Z'],
  ['31 Dec 2026 24:00:60 +0000', '2027-01-01T00:01:00.000Z'],
  ['24 Nov 2026 10:59:59.123 +0000', '2026-11-24T10:59:59.000Z'],
  ['24 Nov 2026 10:00:00 +100', '2026-11-24T09:00:00.000Z'],
  ['24 Nov 2026 10:00:00 (a comment) +0100 (another one)', '2026-11-24T09:00:00.000Z'],
  ['24 Nov 2026 10:00:00 +2400', '2026-11-23T10:00:00.000Z'],
  ['24 Nov 2026 10:00:00 +2401', '2026-11-24T10:00:00.000Z'],
  ['24  Nov  2026  10:00:00  +0100', '2026-11-24T09:00:00.000Z'],
  ['24 Nov 2026 10:00:00.123 +0100', '2026-11-24T09:00:00.000Z'],
  ['Tue Nov 24 10:00:00 2026 +0100', '2026-11-24T09:00:00.000Z'],
  ['Tue Nov 24  10:00:00  +0100 2026', '2026-11-24T09:00:00.000Z'],
  ['Tue Nov 24 10:00:00 2026', '2026-11-24T10:00:00.000Z'],
  ['Tue Nov 24 10:00 2026', '2026-11-24T10:00:00.000Z'],
  ['Tue Nov 24 10:00:00 +0100 2026', '2026-11-24T09:00:00.000Z'],
  ['Tue Nov  4 1:00:00 2026 PST', '2026-11-04T09:00:00.000Z'],
  ['Tue Nov 24 10:00:00 EDT 2026', '2026-11-24T14:00:00.000Z'],
  ['2026-11-24T10:00:00Z', '2026-11-24T10:00:00.000Z'],
  [' 2026-11-24 10:00:00 ', '2026-11-24T10:00:00.000Z'],
  ['2026-11-24T10:00:00+01:00', '2026-11-24T09:00:00.000Z'],
  ['2026-11-24T10:00-0100', '2026-11-24T11:00:00.000Z'],
])('%s is %s', (text, time) => {
  expect(readDate(text)).toBe(time);
});

test.each([
  ['EST', 15],
  ['EDT', 14],
  ['CST', 16],
  ['CDT', 15],
  ['MST', 17],
  ['MDT', 16],
  ['PST', 18],
  ['PDT', 17],
  ['UT', 10],
  ['GMT', 10],
  ['Z', 10],
  ['CEST', 10],
])('ten o’clock %s is %i o’clock UTC', (zone, hour) => {
  expect(readDate(`24 Nov 2026 10:00:00 ${zone}`)).toBe(`2026-11-24T${hour}:00:00.000Z`);
});

test.each([
  ['49', 2049],
  ['50', 1950],
  ['99', 1999],
  ['00', 2000],
  ['126', 2026],
  ['2026', 2026],
  ['1000', 1000],
])('the year %s is %i', (year, full) => {
  expect(readDate(`1 Feb ${year} 10:00:00 +0000`)).toBe(`${full}-02-01T10:00:00.000Z`);
});

test.each(
  ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'].map(
    (month, index) => [index, month] as const,
  ),
)('month %i is %s', (index, month) => {
  const two = String(index + 1).padStart(2, '0');
  expect(readDate(`5 ${month} 2026 10:00:00 +0000`)).toBe(`2026-${two}-05T10:00:00.000Z`);
});

test.each([
  '',
  'yesterday',
  '24 Foo 2026 10:00:00 +0000',
  '0 Nov 2026 10:00:00 +0000',
  '32 Nov 2026 10:00:00 +0000',
  '24 Nov 2026 25:00:00 +0000',
  '24 Nov 2026 10:60:00 +0000',
  '24 Nov 2026 10:00:61 +0000',
  '24 Nov 2026',
  '24 Nov 0999 10:00:00 +0000',
  'Tue Nov 24 10:00:00',
  `${' '.repeat(200)}24 Nov 2026 10:00:00 +0000`,
])('%j is no date', (text) => {
  expect(readDate(text)).toBeUndefined();
});

test('the first and the last of what is allowed are dates', () => {
  expect(readDate('1 Nov 2026 00:00:00 +0000')).toBe('2026-11-01T00:00:00.000Z');
  expect(readDate('31 Oct 2026 23:59:59 +0000')).toBe('2026-10-31T23:59:59.000Z');
});

test('an ISO date that is none is read as nothing, and so is a day that no month has', () => {
  expect(readDate('2026-13-24T10:00:00Z')).toBeUndefined();
  expect(readDate('on 2026-11-24T10:00:00Z')).toBeUndefined();
  expect(readDate('2026-11-24T10:0')).toBeUndefined();
  expect(readDate('2026-11-24T10:00:00Zulu')).toBeUndefined();
});
