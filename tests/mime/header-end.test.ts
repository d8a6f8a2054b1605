/** Where the header of a whole email or part ends. */
import { describe, expect, test } from 'vitest';
import { findHeaderEnd } from '../../shared/mime/header-end.ts';
import { processorTime } from '../harness/measure-time.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
/** The detected body, which is clearer than an offset. */
const bodyOf = (text: string): string => text.slice(findHeaderEnd(bytes(text)));

describe('the body begins', () => {
  test.each([
    ['behind an empty line', 'A: b\r\n\r\nbody', 'body'],
    ['behind an empty line that ends in LF alone', 'A: b\n\nbody\n\nmore', 'body\n\nmore'],
    ['at once, without any header', '\nbody', 'body'],
    ['behind a line of blanks', 'A: b\n \t\nbody', 'body'],
    ['behind all lines of blanks', `A: b\n${' \n'.repeat(20)}body`, 'body'],
    ['at a line that is no field', 'A: b\nHello you\n\nmore', 'Hello you\n\nmore'],
    ['at a line that is no field, in an email without an empty line', 'A: b\nHello\nyou', 'Hello\nyou'],
    [
      'at the delimiter of an email that has a type',
      'Content-Type: x\n--b\nContent-Type: y\nContent-Id: z\n\n',
      '--b\nContent-Type: y\nContent-Id: z\n\n',
    ],
    ['at the end if there is no body', 'A: b\nC: d\n', ''],
    ['at the end of nothing', '', ''],
    [
      'at a quoted header, whose fields are in the header, too',
      'From: a\nSubject: b\nHe wrote\nFrom: c\nSubject: d\n\nx',
      'He wrote\nFrom: c\nSubject: d\n\nx',
    ],
    [
      'before ten more lines, whatever field comes behind them',
      `A: b\nHello\n${'text\n'.repeat(10)}Subject: s\n\nx`,
      `Hello\n${'text\n'.repeat(10)}Subject: s\n\nx`,
    ],
  ])('%s', (_where, text, body) => {
    expect(bodyOf(text)).toBe(body);
  });
});

describe('the header continues', () => {
  test.each([
    ['behind folded lines', 'A: b\n c\n\td\nE: f\n\nbody'],
    ['behind a line of blanks before a field that it does not have yet', 'From: a\n \nSubject: s\n\nbody'],
    ['behind a line of blanks before a field that comes often', 'Received: a\n \nReceived: b\n\nbody'],
    ['behind a wrapped line that is not folded', 'From: a\nX-Long: b\nwrapped\nSubject: s\n\nbody'],
    ['nine lines behind one', `A: b\nHello\n${'text\n'.repeat(9)}Subject: s\n\nbody`],
    [
      'behind the value of a field that begins one line late',
      'From: a\nX-Info:\nAbCd==\nEf\nFrom: b\n\nbody',
    ],
    ['behind a name that no field may have', 'From: a\nInvalïd-Header: x\nOther: y\n\nbody'],
    ['at dashes in an email without parts', 'From: a\n--b\nSubject: s\n\nbody'],
  ])('%s', (_where, text) => {
    expect(bodyOf(text)).toBe('body');
  });
});

test('a part ends its header at any delimiter, and begins where it begins', () => {
  const mail = 'A: b\n\n--x\nC: d\n--x\nSubject: s\n\ntext';
  expect(mail.slice(findHeaderEnd(bytes(mail), mail.indexOf('C: d')))).toBe('--x\nSubject: s\n\ntext');
  expect(mail.slice(findHeaderEnd(bytes(mail), mail.indexOf('Subject')))).toBe('text');
  const empty = 'A: b\n\n--x\n--x\nSubject: s\n\ntext';
  expect(empty.slice(findHeaderEnd(bytes(empty), empty.lastIndexOf('--x')))).toBe('--x\nSubject: s\n\ntext');
});

test('a header of two hundred thousand lines takes less than a second', async () => {
  for (const line of ['a\n', ' \n', 'x-a:\n', ' a\n', 'a:b\n', ':\n']) {
    const raw = bytes(`From: a\n${line.repeat(200_000)}\nbody`);
    expect(await processorTime(() => findHeaderEnd(raw)), line).toBeLessThan(1_000);
  }
});
