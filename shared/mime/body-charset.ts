import type { TextGuesser } from './charset-detection.ts';
import { decodeAs } from './charsets.ts';
import { correctText } from './declared-charset.ts';
import { readableValue } from './encoded-words.ts';
import { fieldOf, isContainer, type MimePart, mimeParts } from './mime-parts.ts';
import { latin1, type RawField, unfold } from './raw-headers.ts';
import { decodeTransfer } from './transfer-encoding.ts';

/**
 * Makes every part of an email declare its real charset, so that a library decodes it correctly. The text of
 * a part with a wrong declaration becomes UTF-8, and so do raw 8-bit bytes in part headers, such as
 * attachment names. A part header without a terminating empty line gets one. Attachments and correctly
 * declared parts keep their bytes.
 * @param email prepared by `prepareMessage` and within the limits of `measureStructure`
 */
export async function declareCharsets(email: Uint8Array, guesser: TextGuesser): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let position = 0;
  for (const part of mimeParts(email)) {
    if (part.start < position) continue;
    const text = isShownText(part) ? await shownText(email, part, guesser) : undefined;
    const header = await readableHeader(part, text !== undefined, guesser);
    if (header === undefined && (endsInEmptyLine(email, part) || isEmpty(email, part))) continue;
    pieces.push(email.subarray(position, part.start), ...(header ?? fieldLines(part.fields)), endOfLine);
    position = part.bodyStart;
    if (text !== undefined) {
      pieces.push(base64Lines(text));
      position = part.end;
    }
  }
  return position === 0 ? email : Buffer.concat([...pieces, email.subarray(position)]);
}

/** Whether the library would show the part as text; everything else is a file. */
function isShownText(part: MimePart): boolean {
  const disposition = fieldOf(part, 'content-disposition').trim();
  return (
    !isContainer(part) && /^text\/(?:plain|html)$/.test(part.type) && /^(?:inline\b.*)?$/is.test(disposition)
  );
}

async function shownText(
  email: Uint8Array,
  part: MimePart,
  guesser: TextGuesser,
): Promise<string | undefined> {
  const encoding = fieldOf(part, 'content-transfer-encoding');
  const encoded = email.subarray(part.bodyStart, part.end);
  const tail = isBase64(encoding) ? base64End(encoded) : encoded.length;
  const body = decodeTransfer(encoded.subarray(0, tail), encoding);
  const charset = charsetOf(fieldOf(part, 'content-type'));
  const text = await correctText(body, { charset, isHtml: part.type === 'text/html' }, guesser);
  if (tail === encoded.length) return text;
  const footer = utf8(encoded.subarray(tail));
  return `${text ?? decodeAs(body, charset) ?? utf8(body)}\n${footer}`;
}

const isBase64 = (encoding: string): boolean => encoding.trim().toLowerCase() === 'base64';

/**
 * Where the base64 of a text ends: some list servers append their footer unencoded. Padding ends base64 (RFC
 * 2045 section 6.8), and so does an empty line followed by something that is not base64.
 */
function base64End(encoded: Uint8Array): number {
  const text = latin1(encoded);
  const found = /(?:=[ \t]{0,9}\r?\n|\n[ \t]{0,9}\r?\n)(?=\s{0,99}[^\s=])/.exec(text);
  if (found === null) return encoded.length;
  const end = found.index + found[0].length;
  // Several concatenated base64 texts are all decoded.
  return /^[A-Za-z0-9+/=\s]*$/.test(text.slice(end, end + 2_000)) ? encoded.length : end;
}

const charsetParameter = /;\s{0,99}charset\*?(?:0\*?)?\s{0,9}=\s{0,9}(?:"([^"]{0,60})"|([^\s;"]{1,60}))/i;

function charsetOf(contentType: string): string {
  const [, quoted, bare] = charsetParameter.exec(contentType) ?? [];
  return quoted ?? bare ?? '';
}

const endOfLine = Buffer.from('\r\n');

/** Undefined when the header needs no change. */
async function readableHeader(
  part: MimePart,
  becomesUtf8: boolean,
  guesser: TextGuesser,
): Promise<Uint8Array[] | undefined> {
  let isChanged = becomesUtf8;
  let contentType: string | undefined;
  const lines: Uint8Array[] = [];
  for (const field of part.fields) {
    const value = await repairedValue(field, guesser);
    isChanged ||= value !== undefined;
    if (becomesUtf8 && field.name === 'content-transfer-encoding') continue;
    if (becomesUtf8 && field.name === 'content-type') {
      contentType ??= value ?? utf8(unfold(field.value));
      continue;
    }
    lines.push(...(value === undefined ? fieldLines([field]) : [Buffer.from(`${field.name}: ${value}\r\n`)]));
  }
  if (!isChanged) return undefined;
  return becomesUtf8 ? [...lines, Buffer.from(utf8Declaration(part.type, contentType ?? ''))] : lines;
}

/** The corrected value; undefined when it needs no change. */
async function repairedValue({ name, value }: RawField, guesser: TextGuesser): Promise<string | undefined> {
  const line = unfold(value);
  const readable = await readableValue(line, guesser);
  const before = readable ?? utf8(line);
  const repaired = name === 'content-type' ? withSubtype(before) : before;
  const after = name.startsWith('content-') ? withoutPath(repaired) : repaired;
  return after === before ? readable : after;
}

/** `Content-Type: text` is invalid and means plain text (RFC 2045 section 5.2). */
const withSubtype = (contentType: string): string =>
  contentType.replace(/^\s{0,99}text\s{0,99}(?=;|$)/i, 'text/plain');

/** `filename="C:\\TEMP\\a.png"` becomes `a.png`: a library would read the backslashes as quoted pairs. */
const withoutPath = (value: string): string =>
  value.replace(/(name\s{0,9}=\s{0,9}")(?:[a-z]:|\\)\\(?:[^"]{0,400}\\)?([^"\\]{1,200}")/gi, '$1$2');

const utf8 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');

/** Keeps the other parameters of the content type, such as `format=flowed`. */
function utf8Declaration(type: string, contentType: string): string {
  const parameters = contentType.replace(/^[^;]*/, '').replace(charsetParameter, '');
  return `Content-Type: ${type}; charset=utf-8${parameters}\r\nContent-Transfer-Encoding: base64\r\n`;
}

function fieldLines(fields: readonly RawField[]): Uint8Array[] {
  return fields.map(({ raw }) => (raw.at(-1) === 0x0a ? raw : Buffer.concat([raw, endOfLine])));
}

/** Whether the next delimiter, or the end of the email, follows the header: there is no text to lose. */
function isEmpty(email: Uint8Array, part: MimePart): boolean {
  return (
    part.bodyStart >= email.length || latin1(email.subarray(part.bodyStart, part.bodyStart + 2)) === '--'
  );
}

function endsInEmptyLine(email: Uint8Array, part: MimePart): boolean {
  return /(?:^|\n)\r?\n$/.test(
    latin1(email.subarray(Math.max(part.start, part.bodyStart - 4), part.bodyStart)),
  );
}

function base64Lines(text: string): Uint8Array {
  return Buffer.from(Buffer.from(text).toString('base64').replace(/.{76}/g, '$&\r\n'));
}
