import { isUtf8 } from 'node:buffer';
import { decodeAs, decodeWith, isKnown, isReadable } from './charsets.ts';

/** 8-bit text whose charset nobody declared, or declared falsely. */

/** Bytes that a detector looks at; more make it slower and no better. */
const SAMPLE_BYTES = 16 * 1024;

/** Texts of one email that are given to the detector; hostile email has thousands, of which none matters. */
const DETECTIONS = 30;

/** Reads the text of one email for which no charset, or a false one, is declared. */
export interface TextGuesser {
  /**
   * The text as its writer most probably meant it: UTF-8 where it is valid, else the first of the email's charsets that
   * reads it without an error, else what a detector finds, else windows-1252, which reads everything.
   * @param first a charset that is tried before those of the email
   */
  decode(bytes: Uint8Array, first?: string): Promise<string>;
  /** What a detector finds, as a label of the WHATWG Encoding Standard. */
  detect(bytes: Uint8Array): Promise<string>;
}

/** @param charsets that the email names elsewhere, the most trustworthy first */
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
  // Loaded when it is needed: its models take about 50 MB of memory.
  const { chardet } = await import('jschardet');
  const found = chardet.detectAll(sample, { includeEncodings: candidates, ignoreThreshold: true });
  for (const { encoding } of found) {
    const name = labels[encoding?.toLowerCase() ?? ''] ?? encoding ?? '';
    if (isReadable(sample, name) && !mixesScripts(decodeWith(sample, name))) return name;
  }
  return 'windows-1252';
}

/** The charsets that email was ever written in, without those of mainframes, DOS and the old Macintosh. */
const candidates = [
  ...['gb18030', 'big5hkscs', 'cp932', 'euc_jis_2004', 'cp949', 'euc_kr', 'cp874', 'koi8-r', 'koi8-u'],
  ...['cp1250', 'cp1251', 'cp1252', 'cp1253', 'cp1254', 'cp1255', 'cp1256', 'cp1257', 'cp1258'],
  ...['iso8859-2', 'iso8859-15'],
];

/** Whether many words have Latin letters beside those of another alphabet, which no language has. */
function mixesScripts(text: string): boolean {
  const words = text.match(/[\p{L}\p{M}]*[^\0-\x7f]+[\p{L}\p{M}]*/gu) ?? [];
  const mixed = words.filter((word) => /[a-z]/i.test(word) && otherAlphabets.test(word));
  return mixed.length * 3 > words.length;
}

const otherAlphabets =
  /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Thai}]/u;

/** The detector's names of charsets that are known by others. */
const labels: Readonly<Record<string, string>> = {
  cp932: 'shift_jis',
  cp949: 'euc-kr',
  cp874: 'windows-874',
  'euc-jis-2004': 'euc-jp',
  'big5-hkscs': 'big5',
};

/** The lines that hold something else than ASCII. */
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
 * Whether the text is in Latin letters, most of them ASCII, and the others of those that every Latin charset has in the
 * same place. The commonest case, and the one in which a detector that compares languages has too few letters to go by.
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
