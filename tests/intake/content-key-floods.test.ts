/** Separate from the other tests of the content key: tens of thousands of header lines take seconds. */
import { expect, it } from 'vitest';
import { createContentKey } from '../../shared/intake/content-key.ts';

function keyOf(mail: string | Uint8Array, chunkSize = Number.MAX_SAFE_INTEGER): string {
  const bytes = typeof mail === 'string' ? Buffer.from(mail, 'latin1') : mail;
  const key = createContentKey('2026-11-24T10:00:00.000Z');
  for (let at = 0; at < bytes.length; at += chunkSize) key.update(bytes.subarray(at, at + chunkSize));
  return key.digest();
}

it('accepts a header block of more than 1 MB, and still distinguishes emails', () => {
  const flood = `From: a@b\r\n${'X-Flood: 0123456789\r\n'.repeat(60_000)}`;
  const mail = `${flood}Subject: s\r\n\r\nbody`;
  expect(keyOf(mail, 64 * 1024)).toBe(keyOf(mail));
  expect(keyOf(mail, 1_000)).toBe(keyOf(mail));
  expect(keyOf(`${mail}!`)).not.toBe(keyOf(mail));
  expect(keyOf(mail.replace('a@b', 'a@x'))).not.toBe(keyOf(mail));
});

it('distinguishes texts of 200,000 lines that have neither a header nor a blank line', () => {
  const long = (text: string): string => `${text}\n`.repeat(200_000);
  expect(keyOf(long('Hello1'))).not.toBe(keyOf(long('Hello2')));
});
