import { isUtf8 } from 'node:buffer';
import { decodeAs, decodeWith, isKnown, isReadable } from './charsets.ts';

/** Detection for 8-bit text with a missing or false charset declaration. */

/** Bytes passed to the detector; more make it slower, not better. */
const SAMPLE_BYTES = 16 * 1024;

/** Texts of one email that are passed to the detector. Hostile email has thousands, none of which matters. */
const DETECTIONS = 30;

/** Decodes text of one email whose charset is missing or falsely declared. */
export interface TextGuesser {
  /**
   * Decodes as UTF-8 if valid, else with the first of the email's charsets that reads it without an error,
   * else with the detected charset, else with windows-1252, which accepts everything.
   * @param first a charset to try before those of the email
   */
  decode(bytes: Uint8Array, first?: string): Promise<string>;
  /** The detected charset, as a label of the WHATWG Encoding Standard. */
  detect(bytes: Uint8Array): Promise<string>;
}

/** @param charsets named elsewhere in the email, the most trustworthy first */
export function createGuesser(charsets: readonly string[]): TextGuesser {
  const known = charsets.filter(isKnown);
  let detections = 0;
  let detected = 'windows-1252';
  const detect = async (bytes: Uint8Array): Promise<string> => {
    detections += 1;
    if (detections <= DETECTIONS) detected = await detectCharset(bytes);
    return detected;
  };
  return {
    detect,
    async decode(bytes, first) {
      if (isUtf8(bytes))
        return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
      for (const charset of first === undefined ? known : [first, ...known]) {
        const text = decodeAs(bytes, charset);
        if (text !== undefined) return text;
      }
      return decodeWith(bytes, await detect(bytes));
    },
  };
}

/** The most probable charset, by its label in the WHATWG Encoding Standard. */
export async function detectCharset(bytes: Uint8Array): Promise<string> {
  const sample = sampleOf(bytes);
  if (isCommonLatin(sample)) return 'windows-1252';
  // Loaded on demand: its models take about 50 MB of memory.
  const { chardet } = await import('jschardet');
  const found = chardet.detectAll(sample, { includeEncodings: candidates, ignoreThreshold: true });
  for (const { encoding } of found) {
    const name = labels[encoding?.toLowerCase() ?? ''] ?? encoding ?? '';
    if (isReadable(sample, name) && !mixesScripts(decodeWith(sample, name))) return name;
  }
  return 'windows-1252';
}

/** The charsets used in email, without those of mainframes, DOS and the old Macintosh. */
const candidates = [
  ...['gb18030', 'big5hkscs', 'cp932', 'euc_jis_2004', 'cp949', 'euc_kr', 'cp874', 'koi8-r', 'koi8-u'],
  ...['cp1250', 'cp1251', 'cp1252', 'cp1253', 'cp1254', 'cp1255', 'cp1256', 'cp1257', 'cp1258'],
  ...['iso8859-2', 'iso8859-15'],
];

/** Whether many words mix Latin letters with another alphabet, which no language does. */
function mixesScripts(text: string): boolean {
  const words = text.match(/[\p{L}\p{M}]*[^\0-\x7f]+[\p{L}\p{M}]*/gu) ?? [];
  const mixed = words.filter((word) => /[a-z]/i.test(word) && otherAlphabets.test(word));
  return mixed.length * 3 > words.length;
}

const otherAlphabets =
  /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Thai}]/u;

/** The detector's names for charsets, where they differ from the WHATWG labels. */
const labels: Readonly<Record<string, string>> = {
  cp932: 'shift_jis',
  cp949: 'euc-kr',
  cp874: 'windows-874',
  'euc-jis-2004': 'euc-jp',
  'big5-hkscs': 'big5',
};

/** The lines with non-ASCII bytes. */
function sampleOf(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (text.length <= SAMPLE_BYTES) return text;
  const lines: Buffer[] = [];
  let room = SAMPLE_BYTES;
  for (let start = 0; start < text.length && room > 0; ) {
    const found = text.indexOf(0x0a, start);
    const end = found < 0 ? text.length : found + 1;
    const line = text.subarray(start, Math.min(end, start + room));
    if (line.some((byte) => byte >= 0x80)) {
      lines.push(line);
      room -= line.length;
    }
    start = end;
  }
  return Buffer.concat(lines);
}

/** áâäçéëíîóôöúüß and their capitals: the same bytes in all Latin charsets. */
const everyLatin = new Set(Buffer.from('áâäçéëíîóôöúüßÁÂÄÇÉËÍÎÓÔÖÚÜ', 'latin1'));

/**
 * Whether the text is in Latin letters, mostly ASCII, and its other letters are at the same code point in
 * every Latin charset. This is the most common case, and the one in which a language-based detector has too
 * few letters to work with.
 */
function isCommonLatin(sample: Uint8Array): boolean {
  let letters = 0;
  let accented = 0;
  for (const byte of sample) {
    if (byte >= 0x80) {
      if (!everyLatin.has(byte)) return false;
      accented += 1;
    } else if ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a) letters += 1;
  }
  return accented <= letters;
}
