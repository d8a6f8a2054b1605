/** uuencode: files as lines of printable characters, between `begin 644 name` and `end` (POSIX, uuencode). */

export interface UuFile {
  /** Undefined if the `begin` line has none. */
  name: string | undefined;
  content: Uint8Array;
}

const BEGIN = /^begin [0-7]{3,4}(?: (\S.*))?$/;
/** Maximum bytes of one line: its first character is their number. */
const LINE_BYTES = 63;

/**
 * Extracts the uuencoded files from a text. Text that only starts like a file stays in the text. Linear time.
 * @param text lines that end in LF or CRLF
 */
export function takeUuFiles(text: string): { text: string; files: UuFile[] } {
  if (!/^begin [0-7]{3,4}[ \r]*$|^begin [0-7]{3,4} \S/m.test(text)) return { text, files: [] };
  const lines = text.split('\n');
  const files: UuFile[] = [];
  const rest: string[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    const begin = BEGIN.exec(line.trimEnd());
    const block = begin === null ? undefined : readBlock(lines, at + 1);
    if (begin === null || block === undefined) rest.push(line);
    else {
      files.push({ name: begin[1], content: block.content });
      at = block.endLine;
    }
  }
  return files.length === 0 ? { text, files } : { text: rest.join('\n'), files };
}

/** The lines up to `end`; undefined if one of them is not uuencode, or `end` is missing. */
function readBlock(
  lines: readonly string[],
  from: number,
): { content: Uint8Array; endLine: number } | undefined {
  const chunks: Buffer[] = [];
  for (let at = from; at < lines.length; at += 1) {
    const line = (lines[at] ?? '').replace(/\r$/, '');
    if (line.trimEnd() === 'end') return { content: Buffer.concat(chunks), endLine: at };
    const chunk = decodeLine(line);
    if (chunk === undefined) return undefined;
    chunks.push(chunk);
  }
  return undefined;
}

/**
 * Mail programs trim blanks at the end of a line, so missing characters are blanks; a checksum may follow.
 */
function decodeLine(line: string): Buffer | undefined {
  const size = digit(line, 0);
  if (size === undefined || size > LINE_BYTES) return undefined;
  const digits = Math.ceil(size / 3) * 4;
  if (line.length > digits + 4) return undefined;
  const bytes = Buffer.alloc(Math.ceil(size / 3) * 3);
  for (let group = 0; group < digits / 4; group += 1) {
    let value = 0;
    for (let place = 1; place <= 4; place += 1) {
      const next = digit(line, group * 4 + place);
      if (next === undefined) return undefined;
      value = (value << 6) | next;
    }
    bytes.writeUIntBE(value, group * 3, 3);
  }
  return bytes.subarray(0, size);
}

/** A blank and a backtick are both 0. */
function digit(line: string, at: number): number | undefined {
  const code = at < line.length ? line.charCodeAt(at) : 0x20;
  return code >= 0x20 && code <= 0x60 ? (code - 0x20) & 0x3f : undefined;
}
