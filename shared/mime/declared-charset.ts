import { isAscii, isUtf8 } from 'node:buffer';
import type { TextGuesser } from './charset-detection.ts';
import { decodeAs, decodeUtf7, decodeWith, isLibraryName, isReadable, isUtf7 } from './charsets.ts';
import { latin1 } from './raw-headers.ts';
import { isLatinName, isNoWesternText, isWesternName } from './western-text.ts';

export interface Declared {
  /** The charset as the email names it; empty where it names none. */
  charset: string;
  /** Only text that is shown as text may come out of UTF-7. */
  isHtml: boolean;
}

/**
 * What text says whose declared charset a library would read wrongly; undefined where the declaration is true, and then
 * nothing needs to be changed. A library reads text without a charset, or with an unknown one, as UTF-8.
 *
 * A declaration is false where the bytes are not valid in that charset, where they are UTF-8 that no writer of that
 * charset could have meant, and where "Latin-1" is text of another alphabet. Some broken characters among many good ones do not make it false.
 */
export async function textMeant(
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
    if (isWesternName(charset) && isNoWesternText(bytes)) {
      const detected = await guesser.detect(bytes);
      return isLatinName(detected) ? undefined : decodeWith(bytes, detected);
    }
    return isLibraryName(declared.charset) ? undefined : text;
  }
  if (isReadable(bytes, isPlain(charset) ? 'utf-8' : charset)) return undefined;
  return guesser.decode(bytes, declared.isHtml ? metaCharset(bytes) : undefined);
}

/** The charsets that an email names, in the order of trust: those of its parts, then those of its encoded words. */
export function namedCharsets(email: Uint8Array): string[] {
  const text = latin1(email.subarray(0, 64 * 1024));
  const named = [
    ...text.matchAll(/\bcharset\s{0,9}=\s{0,9}["']?([\w.:-]{2,40})/gi),
    ...text.matchAll(/=\?([\w.:-]{2,40})(?:\*[\w-]{0,20})?\?[qb]\?/gi),
  ].map(([, charset = '']) => charset.toLowerCase());
  return [...new Set(named)].slice(0, 10);
}

/** Also of `'utf-8'` in the wrong quotes, and of charset'language'value (RFC 2231 §4). */
function bareName(written: string): string {
  const open = written.trim().replace(/'$/, '');
  return open
    .slice(open.lastIndexOf("'") + 1)
    .trim()
    .toLowerCase();
}

/** Charsets in which a library reads bytes as UTF-8. */
const isPlain = (charset: string): boolean =>
  /^$|^(?:us-?)?ascii$|^ansi_x3|^iso646|^utf-?8$|^[78]bit$/.test(charset);
const isWide = (charset: string): boolean => /^utf-?(?:16|32)|^ucs-?[24]/.test(charset);

/** ISO-2022-JP is ASCII with escape sequences, and often declared as ASCII or not at all. */
function escapedJapanese(bytes: Uint8Array): string | undefined {
  const ascii = latin1(bytes);
  if (!ascii.includes('\u001b$@') && !ascii.includes('\u001b$B')) return undefined;
  const text = decodeAs(bytes, 'iso-2022-jp');
  return text !== undefined && /[\u3041-\u30fe\u4e00-\u9fff]/.test(text) ? text : undefined;
}

/**
 * Bytes of other charsets are UTF-8 by chance only where they are very few. What UTF-8 makes of the common accented
 * letters, quotation marks and dashes is enough; of other characters there must be several.
 */
function isSurelyUtf8(utf8: string): boolean {
  const others = utf8.match(/[^\0-\x7f]/gu) ?? [];
  return (
    others.length >= 4 ||
    others.every((character) => /[\u00a0-\u017f\u2010-\u203a\u20ac\u2122]/.test(character))
  );
}

/** The charset in the head of an HTML document (WHATWG HTML §13.2.3.2, which looks at 1,024 bytes; Word writes more). */
function metaCharset(bytes: Uint8Array): string | undefined {
  const head = latin1(bytes.subarray(0, 16 * 1024));
  return /<meta\s[^>]{0,400}?charset\s{0,9}=\s{0,9}["']?\s{0,9}([\w.:-]{2,40})/i.exec(head)?.[1];
}
