import { expect, test } from 'vitest';
import { BEGINNING_BYTES, END_BYTES, isShort, shortNote } from '../../shared/intake/complete-message.ts';

const short = (text: string, announced: number, tolerated = 0): boolean => {
  const bytes = Buffer.from(text, 'latin1');
  const read = {
    size: bytes.length,
    beginning: bytes.subarray(0, BEGINNING_BYTES),
    end: bytes.subarray(-END_BYTES),
  };
  return isShort(read, announced, tolerated);
};
const parts = (type: string, end: string): string =>
  `Subject: s\r\nContent-Type: ${type}\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n${end}`;

const long = (type: string, end: string): string =>
  `Received: ${'by a server '.repeat(4000)}\r\n${parts(type, end)}`;

test.each([
  ['as many bytes as announced', false, 'Subject: s\r\n\r\nbody', 18],
  ['more than announced', false, 'Subject: s\r\n\r\nbody', 3],
  ['fewer, of a text', true, 'Subject: s\r\n\r\nbody', 19],
  ['fewer, its last boundary closed', false, parts('multipart/mixed; boundary=b', '--b--\r\n'), 9000],
  ['fewer, closed by a quoted boundary', false, parts('multipart/mixed;\r\n boundary="b"', '--b--'), 9000],
  [
    'fewer, closed by a boundary of several words',
    false,
    parts('multipart/mixed; boundary="b 1"', '--b 1--'),
    9000,
  ],
  [
    'fewer, closed by a long boundary',
    false,
    parts('multipart/mixed;boundary = part-1;x', '--part-1--'),
    9000,
  ],
  ['fewer, its header long', false, long('multipart/mixed; boundary=b', '--b--\r\n'), 90_000],
  ['fewer, its boundary not closed', true, parts('multipart/mixed; boundary=b', '--b\r\n'), 9000],
  ['fewer, another boundary closed', true, parts('multipart/mixed; boundary=b', '--c--\r\n'), 9000],
  [
    'fewer, of another type that only mentions a multipart',
    true,
    parts('text/plain; x=multipart/mixed; boundary=b', '--b--\r\n'),
    9000,
  ],
  ['fewer, of a multipart without a boundary', true, parts('multipart/mixed', '--undefined--\r\n'), 9000],
  ['fewer, no multipart in its own header', true, parts('text/plain; boundary=b', '--b--\r\n'), 9000],
])('%s', (_what, expected, text, announced) => {
  expect(short(text, announced)).toBe(expected);
});

test('the announced size of a part may be an estimate', () => {
  expect(short('Subject: s\r\n\r\nbody', 30, 0.5)).toBe(false);
  expect(short('Subject: s\r\n\r\nbody', 40, 0.5)).toBe(true);
});

test('the note contains both sizes', () => {
  expect(shortNote(1_048_576, 12_300_000)).toBe(
    'The mail server announced 12.3 MB but returned 1.0 MB each time. The end of this message may be missing.',
  );
  expect(shortNote(99_999, 100_000)).toContain('announced 0.1 MB but returned 99999 bytes');
  expect(shortNote(500, 3_000)).toContain('announced 3000 bytes but returned 500 bytes');
});
