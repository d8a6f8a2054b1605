/** The header block of an email as bytes: where it ends, and its fields. */
import { describe, expect, test } from 'vitest';
import { findBodyStart, latin1, onlyValue, splitFields, unfold } from '../../shared/mime/raw-headers.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const fieldsOf = (text: string): string[][] =>
  splitFields(bytes(text)).map(({ name, raw, value }) => [name, latin1(raw), latin1(value)]);

describe('the body starts', () => {
  test.each([
    ['a: b\n\nbody', 6],
    ['a: b\r\n\r\nbody', 8],
    ['a: b\n\r\nbody', 7],
    ['a: b\r\n\nbody', 7],
    ['a: b\nc: d\n\nbody', 11],
    ['\nbody', 1],
    ['\r\nbody', 2],
    ['a: b\n\n', 6],
    ['a: b\r\n\r\n', 8],
  ])('in %j at %i', (text, start) => {
    expect(findBodyStart(bytes(text))).toBe(start);
  });

  test.each([
    '',
    'a: b',
    'a: b\n',
    'a: b\r\n',
    'a: b\r\n\r',
    'a: b\r\rbody\n',
    'a: b\nc\n',
    '\rbody\n',
    ' \n',
  ])('nowhere in %j', (text) => {
    expect(findBodyStart(bytes(text))).toBeUndefined();
  });

  test('after the line at which the search begins', () => {
    expect(findBodyStart(bytes('\na: b\n\nbody'), 1)).toBe(7);
    expect(findBodyStart(bytes('a: b\n\nbody\n\nmore'), 6)).toBe(12);
    expect(findBodyStart(bytes('a\n\n'), 3)).toBeUndefined();
  });
});

describe('the fields of a header block', () => {
  test('have a name in lower case, the original bytes, and a value without the last line end', () => {
    expect(fieldsOf('From: a@b\r\nSUBJECT:s\nX-Empty:\r\nX-None:')).toEqual([
      ['from', 'From: a@b\r\n', ' a@b'],
      ['subject', 'SUBJECT:s\n', 's'],
      ['x-empty', 'X-Empty:\r\n', ''],
      ['x-none', 'X-None:', ''],
    ]);
  });

  test('continue in lines that begin with a space', () => {
    expect(fieldsOf('A: 1\r\n 2\r\n\t3\r\nB: 4\n 5')).toEqual([
      ['a', 'A: 1\r\n 2\r\n\t3\r\n', ' 1\r\n 2\r\n\t3'],
      ['b', 'B: 4\n 5', ' 4\n 5'],
    ]);
  });

  test('keep a CR that ends no line, and a value that consists of it', () => {
    expect(fieldsOf('A: 1\rB: 2\r')).toEqual([['a', 'A: 1\rB: 2\r', ' 1\rB: 2']]);
    expect(fieldsOf('A:\r')).toEqual([['a', 'A:\r', '']]);
    expect(fieldsOf('A:\n')).toEqual([['a', 'A:\n', '']]);
    expect(fieldsOf('A:x\r\r\n')).toEqual([['a', 'A:x\r\r\n', 'x\r']]);
  });

  test('may have spaces before the colon, and none inside the name', () => {
    expect(fieldsOf('A \t: 1\nB C: 2\nD: 3')).toEqual([
      ['a', 'A \t: 1\n', ' 1'],
      ['d', 'D: 3', ' 3'],
    ]);
  });

  test.each([
    'no colon\n',
    ': no name\n',
    '  : blanks\n',
    'a\x7fb: 1\n',
    'ä: 1\n',
    'a\x1fb: 1\n',
    'a\x00: 1\n',
  ])('do not include %j, nor its continuation', (line) => {
    expect(fieldsOf(`${line} more: of it\nB: 2`).at(-1)).toEqual(['b', 'B: 2', ' 2']);
    expect(fieldsOf(`A: 1\n${line.trimStart()}B: 2`).map(([name]) => name)).toEqual(['a', 'b']);
  });

  test('may have every printable character in their names', () => {
    expect(fieldsOf('!~#: 1')).toEqual([['!~#', '!~#: 1', ' 1']]);
  });

  test('are found after an empty line', () => {
    expect(fieldsOf('\nA: 1')).toEqual([['a', 'A: 1', ' 1']]);
    expect(fieldsOf('\r\nA: 1')).toEqual([['a', 'A: 1', ' 1']]);
  });

  test('do not exist in an empty block', () => {
    expect(fieldsOf('')).toEqual([]);
  });
});

describe('a value', () => {
  test.each([
    [' a b ', 'a b'],
    ['\t a\r\n b\t', 'a b'],
    ['a\rb\nc', 'abc'],
    ['a\nb', 'ab'],
    ['a\rb', 'ab'],
    [' \t ', ''],
    ['', ''],
    ['a\t b', 'a\t b'],
  ])('%j is %j on one line', (value, line) => {
    expect(latin1(unfold(bytes(value)))).toBe(line);
  });

  test('belongs to the only field of its name', () => {
    const fields = splitFields(bytes('A: 1\r\n 2\nB: 3\nb: 4\n'));
    expect(onlyValue(fields, 'a')).toBe('1 2');
    expect(onlyValue(fields, 'b')).toBeUndefined();
    expect(onlyValue(fields, 'c')).toBeUndefined();
  });

  test('is read one character per byte, wherever it is in a larger block', () => {
    expect(latin1(Uint8Array.of(0, 0x41, 0xe9, 0xff).subarray(1))).toBe('A\u00e9\u00ff');
  });
});
