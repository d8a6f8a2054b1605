/**
 * The header block of an email as bytes: its end and its fields. Lines end in LF or CRLF; an email with lone
 * CRs must be converted first. Values stay raw, because the content key hashes them unchanged.
 */

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;

export interface RawField {
  /** Lower case. */
  name: string;
  /** The whole field with its folded lines and its last line end. */
  raw: Uint8Array;
  /** The text after the colon, still folded, without the last line end. */
  value: Uint8Array;
}

/**
 * The offset after the blank line that ends a header block, or undefined if there is none yet.
 * @param lineStart where to start; must be the start of a line
 */
export function findBodyStart(bytes: Uint8Array, lineStart = 0): number | undefined {
  let line = lineStart;
  while (line < bytes.length) {
    if (bytes[line] === LF) return line + 1;
    if (bytes[line] === CR && bytes[line + 1] === LF) return line + 2;
    const end = bytes.indexOf(LF, line);
    if (end < 0) return undefined;
    line = end + 1;
  }
  return undefined;
}

/** Splits a header block into its fields. Lines that are not fields (and their continuations) are omitted. */
export function splitFields(block: Uint8Array): RawField[] {
  const fields: RawField[] = [];
  let start = 0;
  while (start < block.length) {
    let end = lineEnd(block, start);
    while (isBlank(block[end])) end = lineEnd(block, end);
    const field = readField(block.subarray(start, end));
    if (field !== undefined) fields.push(field);
    start = end;
  }
  return fields;
}

/** The value on one line: line ends removed, surrounding white space trimmed (RFC 5322 §2.2.3). */
export function unfold(value: Uint8Array): Uint8Array {
  const folded = value.includes(LF) || value.includes(CR);
  const line = folded ? withoutLineEnds(value) : value;
  let start = 0;
  let end = line.length;
  // An index out of range yields undefined, which is not a blank.
  while (isBlank(line[start])) start += 1;
  while (isBlank(line[end - 1])) end -= 1;
  return line.subarray(start, end);
}

/** A loop, since `filter` takes ten times as long, and every email has hundreds of header lines. */
function withoutLineEnds(value: Uint8Array): Uint8Array {
  const line = new Uint8Array(value.length);
  let length = 0;
  for (const byte of value) if (byte !== CR && byte !== LF) line[length++] = byte;
  return line.subarray(0, length);
}

/** The unfolded value of the only field of that name; undefined if there is none or more than one. */
export function onlyValue(fields: readonly RawField[], name: string): string | undefined {
  const [field, ...more] = fields.filter((candidate) => candidate.name === name);
  return field === undefined || more.length > 0 ? undefined : latin1(unfold(field.value));
}

/** One character per byte. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** The offset after the line that starts at `from`. */
export function lineEnd(bytes: Uint8Array, from: number): number {
  const end = bytes.indexOf(LF, from);
  return end < 0 ? bytes.length : end + 1;
}

/** The field of a line with its continuations; undefined if it is not a field. */
export function readField(raw: Uint8Array): RawField | undefined {
  const colon = raw.indexOf(0x3a);
  // A name is printable ASCII without blanks; obsolete syntax allows blanks before the colon (RFC 5322 §4.5).
  let nameEnd = colon;
  while (isBlank(raw[nameEnd - 1])) nameEnd -= 1;
  if (nameEnd < 1) return undefined;
  for (let index = 0; index < nameEnd; index += 1) {
    const byte = raw[index] ?? 0;
    if (byte <= SPACE || byte >= 0x7f) return undefined;
  }
  let end = raw.length;
  if (raw[end - 1] === LF) end -= 1;
  if (raw[end - 1] === CR) end -= 1;
  return { name: latin1(raw.subarray(0, nameEnd)).toLowerCase(), raw, value: raw.subarray(colon + 1, end) };
}

/** Whether a byte is a space or a tab, the white space of headers (RFC 5322 section 2.2.2). */
export function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB;
}
