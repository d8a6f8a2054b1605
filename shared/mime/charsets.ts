import iconv from 'iconv-lite';

/** Decodes text by the charset name that an email gives. Pure. */

/**
 * The text, or undefined when the bytes are invalid in that charset, or when the name says nothing about
 * 8-bit text: ASCII, UTF-8 (which is recognized by its bytes), an unknown name, and UTF-7, which can hide
 * markup from a filter. Latin-1 is read as windows-1252 (WHATWG Encoding Standard §4.2), which is what
 * writers of Latin-1 mean.
 */
export function decodeAs(bytes: Uint8Array, charset: string): string | undefined {
  const name = charset.trim().toLowerCase();
  if (inconclusiveNames.test(name)) return undefined;
  const label = aliases[name] ?? name;
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes);
  } catch (error) {
    // A TypeError: the charset is known, but the bytes are invalid in it.
    return error instanceof RangeError ? decodeRare(bytes, label) : undefined;
  }
}

/** Whether `decodeAs` can read text in a charset of that name. */
export function isKnown(charset: string): boolean {
  return decodeAs(new Uint8Array(0), charset) !== undefined;
}

/** Whether both MIME libraries know the name as written: one uses iconv-lite, the other `TextDecoder`. */
export function isLibraryName(written: string): boolean {
  try {
    new TextDecoder(written);
  } catch {
    return false;
  }
  return iconv.encodingExists(written) || /^jis|^iso-?2022-?jp|^euc-?jp/i.test(written);
}

/** Whether the name denotes UTF-7, which needs `decodeUtf7`. */
export function isUtf7(charset: string): boolean {
  return /^(?:x-)?(?:unicode-1-1-|unicode-2-0-)?utf-?7$/i.test(charset.trim());
}

/**
 * UTF-7 (RFC 2152): `+`, UTF-16 in base64, `-`. Its text can contain `<` and `>`, so the result may only be
 * used where text is escaped, and must never become HTML.
 */
export function decodeUtf7(text: string): string {
  return text.replace(/\+([A-Za-z0-9+/]*)-?/g, (_whole, base64: string) => {
    if (base64 === '') return '+';
    const bytes = Buffer.from(base64, 'base64');
    return bytes
      .subarray(0, bytes.length & ~1)
      .swap16()
      .toString('utf16le')
      .toWellFormed();
  });
}

/**
 * The text, with U+FFFD for bytes that are invalid in that charset.
 * @throws RangeError when the label is not in the WHATWG Encoding Standard
 */
export function decodeWith(bytes: Uint8Array, label: string): string {
  return new TextDecoder(label).decode(bytes);
}

/** Whether the text is valid in that charset apart from a few broken characters. */
export function isReadable(bytes: Uint8Array, charset: string): boolean {
  let text: string;
  try {
    text = decodeWith(bytes, charset);
  } catch {
    return false;
  }
  const broken = text.split('\ufffd').length - 1;
  return broken === 0 || (text.match(/[^\0-\x7f\ufffd]/gu) ?? []).length >= broken * 4;
}

const inconclusiveNames =
  /^$|^(?:us-?)?ascii$|^ansi_x3|^iso646|^utf-?8$|^7bit$|^8bit$|^binary$|^base64$|^hex$|utf-?7|^utf-?(?:16|32)|^ucs-?[24]|^(?:x-)?unknown/;

/** Names that only mail programs use. */
const aliases: Readonly<Record<string, string>> = {
  cp932: 'shift_jis',
  cp936: 'gbk',
  cp949: 'euc-kr',
  cp950: 'big5',
  cp874: 'windows-874',
  tis620: 'windows-874',
  'latin-1': 'windows-1252',
};

/** Charsets of old systems that browsers do not support, such as cp437 and cp850. */
function decodeRare(bytes: Uint8Array, name: string): string | undefined {
  if (!iconv.encodingExists(name)) return undefined;
  const text = iconv.decode(bytes, name);
  return text.includes('\ufffd') ? undefined : text;
}
