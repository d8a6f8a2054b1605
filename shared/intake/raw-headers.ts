/**
 * The header block of an email as bytes: where it ends, which fields it has. Lines end in LF or CRLF; an email of lone CRs
 * must be converted first. Values stay raw, because the content key hashes them as they came.
 */

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;
const DASH = 0x2d;

export interface RawField {
  /** Lower case. */
  name: string;
  /** The whole field with its folded lines and its last line end. */
  raw: Uint8Array;
  /** What stands behind the colon, still folded, without the last line end. */
  value: Uint8Array;
}

/**
 * The offset just behind the blank line that ends a header block, or undefined while there is none.
 * @param lineStart where to begin; must be the start of a line.
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

/** Lines behind a doubtful end of a header that may still prove it to go on. */
const LINES_AHEAD = 10;

/**
 * Where the body of an email or part begins that has arrived as a whole. Besides at an empty line, a header ends
 * - at a line of blanks, as mail programs read it (RFC 5322 §4.2 would take it for the folding of a field);
 * - before a line that is no field: the empty line was forgotten;
 * - before a delimiter, in a part or in an email that may have parts.
 * Broken folding looks the same, so the header goes on where a field that it does not have yet comes soon: one that an
 * email or a part is known by. Lines behind a field `X-…:` without a value are that value, as some servers break it.
 * @param start the start of the header's first line
 */
export function findHeaderEnd(bytes: Uint8Array, start = 0): number {
  const seen = new Set<string>();
  let doubtful: { bodyStart: number; ahead: number } | undefined;
  let isUnfinished = false;
  for (let line = start; line < bytes.length; ) {
    const end = lineEnd(bytes, line);
    const text = bytes.subarray(line, end);
    const kind = kindOfLine(text);
    if (kind === 'empty') return doubtful?.bodyStart ?? end;
    if (kind === 'delimiter' && (start > 0 || seen.has('content-type'))) return doubtful?.bodyStart ?? line;
    if (typeof kind === 'object') {
      const { name } = kind;
      const isNew = goOn.test(name) && (!seen.has(name) || repeated.test(name));
      if (doubtful !== undefined && isNew) doubtful = undefined;
      if (doubtful === undefined) seen.add(name);
      isUnfinished = name.startsWith('x-') && kind.isEmpty;
    } else if (isUnfinished && kind === 'other') {
      line = end;
      continue;
    } else if (doubtful === undefined && kind === 'blanks') doubtful = { bodyStart: end, ahead: 0 };
    else if (doubtful === undefined && kind !== 'folded') doubtful = { bodyStart: line, ahead: 0 };
    if (doubtful !== undefined) {
      if (doubtful.ahead === LINES_AHEAD) return doubtful.bodyStart;
      doubtful.ahead += 1;
    }
    line = end;
  }
  return doubtful?.bodyStart ?? bytes.length;
}

type LineKind = 'empty' | 'blanks' | 'folded' | 'delimiter' | 'other' | { name: string; isEmpty: boolean };

function kindOfLine(line: Uint8Array): LineKind {
  if (line[0] === LF || (line[0] === CR && line[1] === LF)) return 'empty';
  if (isBlank(line[0])) return unfold(line).length === 0 && line.at(-1) === LF ? 'blanks' : 'folded';
  const field = readField(line);
  if (field === undefined && /^[^\s:]{1,76}[ \t]*:/.test(latin1(line.subarray(0, 80)))) return 'folded';
  if (field !== undefined) return { name: field.name, isEmpty: unfold(field.value).length === 0 };
  return line[0] === DASH && line[1] === DASH ? 'delimiter' : 'other';
}

/** Fields that no text begins a line with by chance, unless it quotes a header. */
const goOn =
  /^(?:from|to|cc|bcc|subject|date|message-id|in-reply-to|references|reply-to|sender|return-path|mime-version|received|delivered-to|authentication-results|dkim-signature|precedence|auto-submitted|importance|organization|user-agent|(?:content|list|resent|thread|arc|x)-[\w-]+)$/;
const repeated = /^(?:received|x-|arc-|dkim-)/;

/** Splits a header block into its fields. Lines that are no field (and their continuations) are left out. */
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

/** The value on one line: line ends taken out, white space around it trimmed (RFC 5322 §2.2.3). */
export function unfold(value: Uint8Array): Uint8Array {
  const folded = value.includes(LF) || value.includes(CR);
  const line = folded ? value.filter((byte) => byte !== CR && byte !== LF) : value;
  let start = 0;
  let end = line.length;
  // Beyond either end is no byte, and so no blank.
  while (isBlank(line[start])) start += 1;
  while (isBlank(line[end - 1])) end -= 1;
  return line.subarray(start, end);
}

/** The unfolded value of the only field of that name; undefined when there is none or more than one. */
export function onlyValue(fields: readonly RawField[], name: string): string | undefined {
  const [field, ...more] = fields.filter((candidate) => candidate.name === name);
  return field === undefined || more.length > 0 ? undefined : latin1(unfold(field.value));
}

/** One character a byte. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function lineEnd(bytes: Uint8Array, from: number): number {
  const end = bytes.indexOf(LF, from);
  return end < 0 ? bytes.length : end + 1;
}

function readField(raw: Uint8Array): RawField | undefined {
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

function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB;
}
