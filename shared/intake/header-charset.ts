import { isAscii, isUtf8 } from 'node:buffer';

/**
 * Header text whose charset nobody declared (RFC 5322 allows ASCII alone, RFC 6532 UTF-8): UTF-8 where it is valid, else
 * the charset of the body, else a guess that is only made where the bytes leave little room for another, else
 * windows-1252, which reads everything.
 */
export function decodeUndeclared(bytes: Uint8Array, bodyCharset: string | undefined): string {
  if (isUtf8(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  const declared = bodyCharset === undefined ? undefined : decodeStrictly(bytes, bodyCharset);
  return declared ?? guessed(bytes) ?? new TextDecoder('windows-1252').decode(bytes);
}

/** Whether a header holds bytes that a mail library would have to guess about. */
export function needsDecoding(bytes: Uint8Array): boolean {
  return !isAscii(bytes) && !isUtf8(bytes);
}

/** At most `limit` bytes, not ending in the middle of a UTF-8 character. */
export function cutBytes(bytes: Uint8Array, limit: number): Uint8Array {
  let end = Math.min(limit, bytes.length);
  if (end === bytes.length) return bytes;
  for (let step = 0; step < 3 && ((bytes[end] ?? 0) & 0xc0) === 0x80; step += 1) end -= 1;
  return bytes.subarray(0, end);
}

function guessed(bytes: Uint8Array): string | undefined {
  if (looksLikeGb2312(bytes)) return decodeStrictly(bytes, 'gb18030');
  const japanese = decodeStrictly(bytes, 'shift_jis');
  // Full-width kana are in nearly every Japanese sentence; in windows-1252 the same bytes are rare punctuation.
  return japanese !== undefined && /[\u3041-\u30fe]/.test(japanese) ? japanese : undefined;
}

/**
 * Chinese text has its high bytes in pairs, most of them in the rows of everyday characters. Western text has single
 * high bytes between letters, which GB18030 would "validly" read as rare characters.
 */
function looksLikeGb2312(bytes: Uint8Array): boolean {
  let pairs = 0;
  for (let index = 0; index < bytes.length; index += 1) {
    const lead = bytes[index] ?? 0;
    if (lead < 0x80) continue;
    const trail = bytes[index + 1] ?? 0;
    const everyday = (lead >= 0xa1 && lead <= 0xa9) || (lead >= 0xb0 && lead <= 0xf7);
    if (!everyday || trail < 0xa1 || trail === 0xff) return false;
    pairs += 1;
    index += 1;
  }
  return pairs >= 2;
}

/** Undefined when the bytes are not valid in that charset, or the charset says nothing about 8-bit text. */
function decodeStrictly(bytes: Uint8Array, charset: string): string | undefined {
  // The WHATWG labels take ASCII for windows-1252; UTF-8 was tried before.
  if (/^(us-?)?ascii$|^ansi_x3|^utf-?8$/i.test(charset)) return undefined;
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
