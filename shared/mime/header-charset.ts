import { isAscii, isUtf8 } from 'node:buffer';

/** Whether a header contains bytes whose charset a mail library would have to guess. */
export function needsDecoding(bytes: Uint8Array): boolean {
  return !isAscii(bytes) && !isUtf8(bytes);
}

/** At most `limit` bytes, without splitting a UTF-8 character. */
export function cutBytes(bytes: Uint8Array, limit: number): Uint8Array {
  let end = Math.min(limit, bytes.length);
  if (end === bytes.length) return bytes;
  for (let step = 0; step < 3 && ((bytes[end] ?? 0) & 0xc0) === 0x80; step += 1) end -= 1;
  return bytes.subarray(0, end);
}
