import { isAscii, isUtf8 } from 'node:buffer';
import type { TextGuesser } from './charset-detection.ts';
import { decodeAs, decodeUtf7, decodeWith, isLibraryName, isReadable, isUtf7 } from './charsets.ts';
import { latin1 } from './raw-headers.ts';
import { isLatinName, isNonWesternText, isWesternName } from './western-text.ts';

export interface Declared {
  /** The charset as the email names it; empty if it names none. */
  charset: string;
  /** UTF-7 is decoded only for plain text, never for HTML. */
  isHtml: boolean;
}

/**
 * Decodes text that a library would decode wrongly because of its declared charset; undefined if the
 * declaration is correct and nothing needs to change. A library reads text with a missing or unknown charset
 * as UTF-8.
 *
 * A declaration is false if the bytes are invalid in that charset, if they are UTF-8 that no writer of that
 * charset could have meant, or if "Latin-1" is text in another alphabet. A few broken characters among many
 * good ones do not make it false.
 */
export async function correctText(
  bytes: Uint8Array,
  declared: Declared,
  guesser: TextGuesser,
): Promise<string | undefined> {
  const charset = bareName(declared.charset);
  if (isUtf7(charset)) return declared.isHtml ? undefined : decodeUtf7(latin1(bytes));
  if (isWide(charset)) return undefined;
  if (isAscii(bytes)) return isPlain(charset) ? escapedJapanese(bytes) : undefined;
  const text = decodeAs(bytes, charset);
  if (isUtf8(bytes)) {
    if (isPlain(charset)) return undefined;
    const utf8 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
    return text === undefined || isSurelyUtf8(utf8) ? utf8 : undefined;
  }
  if (text !== undefined) {
    if (isWesternName(charset) && isNonWesternText(bytes)) {
      const detected = await guesser.detect(bytes);
      return isLatinName(detected) ? undefined : decodeWith(bytes, detected);
    }
    return isLibraryName(declared.charset) ? undefined : text;
  }
  if (isReadable(bytes, isPlain(charset) ? 'utf-8' : charset)) return undefined;
  return guesser.decode(bytes, declared.isHtml ? metaCharset(bytes) : undefined);
}

/**
 * The charsets that an email names, the most trusted first: those of
 * its parts, then those of its encoded words.
 */
export function namedCharsets(email: Uint8Array): string[] {
  const text = latin1(email.subarray(0, 64 * 1024));
  const named = [
    ...text.matchAll(/\bcharset\s{0,9}=\s{0,9}["']?([\w.:-]{2,40})/gi),
    ...text.matchAll(/=\?([\w.:-]{2,40})(?:\*[\w-]{0,20})?\?[qb]\?/gi),
  ].map(([, charset = '']) => charset.toLowerCase());
  return [...new Set(named)].slice(0, 10);
}

/** Also handles `'utf-8'` in the wrong quotes, and charset'language'value (RFC 2231 §4). */
function bareName(written: string): string {
  const open = written.trim().replace(/'$/, '');
  return open
    .slice(open.lastIndexOf("'") + 1)
    .trim()
    .toLowerCase();
}

/** Charsets whose bytes a library reads as UTF-8. */
const isPlain = (charset: string): boolean =>
  /^$|^(?:us-?)?ascii$|^ansi_x3|^iso646|^utf-?8$|^[78]bit$/.test(charset);
const isWide = (charset: string): boolean => /^utf-?(?:16|32)|^ucs-?[24]/.test(charset);

/** ISO-2022-JP is ASCII with escape sequences, and is often declared as ASCII or not at all. */
function escapedJapanese(bytes: Uint8Array): string | undefined {
  const ascii = latin1(bytes);
  if (!ascii.includes('\u001b$@') && !ascii.includes('\u001b$B')) return undefined;
  const text = decodeAs(bytes, 'iso-2022-jp');
  return text !== undefined && /[\u3041-\u30fe\u4e00-\u9fff]/.test(text) ? text : undefined;
}

/**
 * Only very few bytes of another charset are valid UTF-8 by chance. A common accented letter, quotation mark
 * or dash is proof enough; other characters must occur several times.
 */
function isSurelyUtf8(utf8: string): boolean {
  const others = utf8.match(/[^\0-\x7f]/gu) ?? [];
  return (
    others.length >= 4 ||
    others.every((character) => /[\u00a0-\u017f\u2010-\u203a\u20ac\u2122]/.test(character))
  );
}

/**
 * The charset in the head of an HTML document (WHATWG HTML §13.2.3.2 reads 1,024 bytes; Word writes more).
 */
function metaCharset(bytes: Uint8Array): string | undefined {
  const head = latin1(bytes.subarray(0, 16 * 1024));
  return /<meta\s[^>]{0,400}?charset\s{0,9}=\s{0,9}["']?\s{0,9}([\w.:-]{2,40})/i.exec(head)?.[1];
}
