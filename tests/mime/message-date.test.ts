/** Dates of email headers: which are valid, and what time they mean. */
import { expect, test } from 'vitest';
import { readDate } from '../../shared/mime/message-date.ts';

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
  ['CEST', 8],
  ['CET', 9],
  ['MESZ', 8],
  ['MEZ', 9],
  ['BST', 9],
  ['EEST', 7],
  ['MSK', 7],
  ['JST', 1],
  ['IST', 10],
  ['XYZ', 10],
  ['+02:00', 8],
  ['+0200', 8],
  ['-5:30', 15],
  ['GMT+02:00', 8],
  ['UTC +0200', 8],
])('ten o’clock %s is %i o’clock UTC', (zone, hour) => {
  expect(readDate(`24 Nov 2026 10:00:00 ${zone}`)).toBe(
    `2026-11-24T${String(hour).padStart(2, '0')}:${zone === '-5:30' ? '30' : '00'}:00.000Z`,
  );
});

test.each([
  ['Di, 24 Mär 2026', 3],
  ['Di, 24 Mrz 2026', 3],
  ['Do, 24 Mai 2026', 5],
  ['Sa, 24 Okt 2026', 10],
  ['Do, 24. Dezember 2026', 12],
  ['Do, 24 Dez 2026', 12],
  ['mar., 24 févr. 2026', 2],
  ['jeu., 24 juin 2026', 6],
  ['ven., 24 juil. 2026', 7],
  ['lun., 24 août 2026', 8],
  ['jeu., 24 déc. 2026', 12],
  ['sáb, 24 ene 2026', 1],
  ['24 de diciembre de 2026', 12],
  ['gio, 24 dic 2026', 12],
  ['ven, 24 lug 2026', 7],
  ['dom, 24 mag 2026', 5],
  ['24 de dezembro de 2026', 12],
  ['vr, 24 mrt 2026', 3],
  ['zo, 24 mei 2026', 5],
  ['tors, 24 maj 2026', 5],
  ['czw., 24 gru 2026', 12],
  ['wt., 24 lis 2026', 11],
  ['Paz, 24 Oca 2026', 1],
  ['Чт, 24 дек 2026', 12],
  ['Вс, 24 мая 2026', 5],
])('%s is in month %i', (day, month) => {
  expect(readDate(`${day} 10:00:00 +0000`)).toBe(`2026-${String(month).padStart(2, '0')}-24T10:00:00.000Z`);
});

test.each([
  ['12:05:00 AM', '00:05'],
  ['9:05 am', '09:05'],
  ['12:05:00 PM', '12:05'],
  ['9:05:00 PM +0000', '21:05'],
])('%s is %s o’clock', (time, clock) => {
  expect(readDate(`24 Nov 2026 ${time}`)).toBe(`2026-11-24T${clock}:00.000Z`);
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
])('%j is not a date', (text) => {
  expect(readDate(text)).toBeUndefined();
});

test('the first and the last allowed times are dates', () => {
  expect(readDate('1 Nov 2026 00:00:00 +0000')).toBe('2026-11-01T00:00:00.000Z');
  expect(readDate('31 Oct 2026 23:59:59 +0000')).toBe('2026-10-31T23:59:59.000Z');
});

test('an invalid ISO date is not read, and neither is a day that its month does not have', () => {
  expect(readDate('2026-13-24T10:00:00Z')).toBeUndefined();
  expect(readDate('on 2026-11-24T10:00:00Z')).toBeUndefined();
  expect(readDate('2026-11-24T10:0')).toBeUndefined();
  expect(readDate('2026-11-24T10:00:00Zulu')).toBeUndefined();
});
