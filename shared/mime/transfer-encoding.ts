import { createBase64Decoder } from './base64-decoder.ts';

/**
 * Decodes the Content-Transfer-Encoding of a text (RFC 2045 §6). Text in any other encoding than these two is
 * returned unchanged.
 * @param encoding the value of the field
 */
export function decodeTransfer(body: Uint8Array, encoding: string): Uint8Array {
  switch (encoding.trim().toLowerCase()) {
    case 'base64': {
      const decoder = createBase64Decoder();
      return Buffer.concat([...decoder.push(body), ...decoder.end()]);
    }
    case 'quoted-printable':
      return decodeQuotedPrintable(body);
    default:
      return body;
  }
}

/** RFC 2045 §6.7; invalid escapes are left unchanged. Linear time. */
function decodeQuotedPrintable(body: Uint8Array): Uint8Array {
  const decoded = Buffer.alloc(body.length);
  let length = 0;
  /** Length without the blanks at the end of the line, which relays add. */
  let solid = 0;
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at] ?? 0;
    if (byte !== EQUALS) {
      if (byte === LF || (byte === CR && body[at + 1] === LF)) length = solid;
      decoded[length++] = byte;
      if (byte !== SPACE && byte !== TAB) solid = length;
      continue;
    }
    const value = hexValue(body[at + 1]) * 16 + hexValue(body[at + 2]);
    const lineEnd = softLineEnd(body, at + 1);
    if (!Number.isNaN(value)) {
      decoded[length++] = value;
      at += 2;
    } else if (lineEnd !== undefined) at = lineEnd;
    else decoded[length++] = byte;
    solid = length;
  }
  return decoded.subarray(0, length);
}

const EQUALS = 0x3d;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;

/** The last byte of a soft line break that starts after the `=`; blanks may precede its line end. */
function softLineEnd(body: Uint8Array, from: number): number | undefined {
  let at = from;
  while (at < from + 80 && (body[at] === SPACE || body[at] === TAB || body[at] === CR)) at += 1;
  return body[at] === LF ? at : undefined;
}

function hexValue(byte: number | undefined): number {
  if (byte === undefined) return Number.NaN;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : Number.NaN;
}
