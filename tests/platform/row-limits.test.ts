import { describe, expect, test } from 'vitest';
import { assertRowFits, sizeOfRow } from '../../shared/platform/row-limits.ts';
import type { Row } from '../../shared/platform/tables.ts';

const row = (columns: Partial<Row> = {}): Row => ({ ...columns, partitionKey: 'p', rowKey: 'r' });
const fits = (it: Row): (() => void) => {
  return () => assertRowFits(it);
};
const tooLarge = expect.objectContaining({ code: 'row-too-large' });
const badKey = expect.objectContaining({ code: 'bad-key' });

describe('the size of a row', () => {
  test('follows the formula of the service', () => {
    const bytes = sizeOfRow(row({ text: 'äöü', flag: true, n: 7, raw: new Uint8Array(5) }));
    const keys = 4 + 2 * 2;
    const text = 8 + 2 * 4 + 4 + 2 * 3;
    const flag = 8 + 2 * 4 + 1;
    const n = 8 + 2 * 1 + 8;
    const raw = 8 + 2 * 3 + 4 + 5;
    expect(bytes).toBe(keys + text + flag + n + raw);
  });

  test('may be exactly 1 MiB, and no more', () => {
    // Each column of 64 KB takes 8 + 2·3 + 4 + 65,536 bytes; the last one fills up.
    const full = Object.fromEntries(
      Array.from({ length: 15 }, (_, index) => [
        `c${String(index).padStart(2, '0')}`,
        new Uint8Array(65_536),
      ]),
    );
    const left = 1024 * 1024 - sizeOfRow(row(full)) - (8 + 2 * 3 + 4);
    const exact = row({ ...full, end: new Uint8Array(left) });
    expect(sizeOfRow(exact)).toBe(1024 * 1024);
    expect(fits(exact)).not.toThrow();
    expect(fits(row({ ...full, end: new Uint8Array(left + 1) }))).toThrow(tooLarge);
  });
});

describe('the columns of a row', () => {
  const columns = (count: number): Row =>
    row(Object.fromEntries(Array.from({ length: count }, (_, index) => [`c${index}`, 1])));

  test('may be 252, and no more', () => {
    expect(fits(columns(252))).not.toThrow();
    expect(fits(columns(253))).toThrow(tooLarge);
  });

  test('do not count when they are undefined, nor does the ETag', () => {
    expect(fits({ ...columns(252), etag: 'x', more: undefined })).not.toThrow();
  });

  test('may have names of 255 characters, and no longer ones', () => {
    expect(fits(row({ ['a'.repeat(255)]: 1 }))).not.toThrow();
    expect(fits(row({ ['a'.repeat(256)]: 1 }))).toThrow(tooLarge);
  });

  test.each(['a-b', '1a', 'a b', 'a.b', '', 'ä'])('must not be called %j', (name) => {
    expect(fits(row({ [name]: 1 }))).toThrow(tooLarge);
  });

  test('may have 32 Ki characters or 64 KiB, and no more', () => {
    expect(fits(row({ text: 'x'.repeat(32 * 1024) }))).not.toThrow();
    expect(fits(row({ text: 'x'.repeat(32 * 1024 + 1) }))).toThrow(tooLarge);
    expect(fits(row({ raw: new Uint8Array(64 * 1024) }))).not.toThrow();
    expect(fits(row({ raw: new Uint8Array(64 * 1024 + 1) }))).toThrow(tooLarge);
  });

  test.each([2 ** 31 - 1, -(2 ** 31 - 1), 0])('may hold the number %d', (n) => {
    expect(fits(row({ n }))).not.toThrow();
  });

  test.each([2 ** 31, -(2 ** 31) - 1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])(
    'must not hold the number %d',
    (n) => {
      expect(fits(row({ n }))).toThrow(tooLarge);
    },
  );
});

describe('a key', () => {
  test('may have 512 characters, and no more', () => {
    expect(fits({ partitionKey: 'p'.repeat(512), rowKey: 'r'.repeat(512) })).not.toThrow();
    expect(fits({ partitionKey: 'p'.repeat(513), rowKey: 'r' })).toThrow(badKey);
    expect(fits({ partitionKey: 'p', rowKey: 'r'.repeat(513) })).toThrow(badKey);
  });

  test.each(['/', '\\', '#', '?', '\t', '\n', '\u0000', '\u001f', '\u007f', '\u009f'])(
    'must not hold %j, in either place',
    (character) => {
      expect(fits({ partitionKey: `a${character}b`, rowKey: 'r' })).toThrow(badKey);
      expect(fits({ partitionKey: 'p', rowKey: `a${character}b` })).toThrow(badKey);
    },
  );

  test.each(['|', '~', ' ', "'", '%', ':', '\u00a0', 'ä'])('may hold %j', (character) => {
    expect(fits({ partitionKey: `a${character}b`, rowKey: `a${character}b` })).not.toThrow();
  });
});

test('a refusal names the row and the column, and none of their content', () => {
  const text = 'confidential '.repeat(3000);
  expect(fits(row({ text }))).toThrow(/^p\/r\.text has \d+ characters$/);
});
