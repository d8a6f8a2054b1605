import type { TextGuesser } from './charset-detection.ts';
import { correctText } from './declared-charset.ts';

/**
 * Rewrites parameters in the form of RFC 2231 §4, `filename*=charset'language'%C3%BC.pdf`, with their real
 * charset. A parameter split into several (§3) is left unchanged.
 * @param value of a header field, one character per byte
 */
export async function readableParameters(value: string, guesser: TextGuesser): Promise<string> {
  if (!value.includes('*=')) return value;
  const pieces: string[] = [];
  let position = 0;
  for (const { 0: whole, 1: name = '', 2: charset = '', 3: encoded = '', index } of value.matchAll(
    parameter,
  )) {
    const text = await correctText(percentDecoded(encoded), { charset, isHtml: false }, guesser);
    if (text === undefined) continue;
    pieces.push(value.slice(position, index), `${name}*=utf-8''${percentEncoded(text)}`);
    position = index + whole.length;
  }
  return pieces.join('') + value.slice(position);
}

const parameter = /\b([a-z-]{1,40})\*=([\w.:-]{0,60})'[\w-]{0,20}'([^;\s"]{1,4000})/gi;

function percentDecoded(encoded: string): Buffer {
  const bytes = encoded.replace(/%([0-9a-f]{2})/gi, (_whole, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1');
}

/** Also encodes the characters that `encodeURIComponent` leaves and RFC 2231 §7 does not allow. */
const percentEncoded = (text: string): string =>
  encodeURIComponent(text.toWellFormed()).replace(/[*'()]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
