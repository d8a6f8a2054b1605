import { isBlank, latin1, lineEnd, type RawField, readField } from './raw-headers.ts';

const LF = 0x0a;
const CR = 0x0d;
const DASH = 0x2d;
/** Number of lines after a doubtful header end that may still show that the header continues. */
const LINES_AHEAD = 10;

/**
 * Finds where the body of a complete email or part begins. Besides an empty line, a header ends
 * - at lines of blanks, as mail programs read it (RFC 5322 §4.2 would treat them as folding of a field);
 * - before a line that is not a field: the empty line is missing;
 * - before a delimiter, in a part or in an email that may have parts.
 * Broken folding looks the same, so the header continues if a field that it does not have yet follows soon,
 * and it is a typical field of an email or a part. Lines after a field `X-…:` without a value are that value:
 * some servers break it this way.
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
      const { name, value } = kind;
      if (doubtful !== undefined && continuing.test(name) && (!seen.has(name) || repeated.test(name)))
        doubtful = undefined;
      if (doubtful === undefined) seen.add(name);
      isUnfinished = name.startsWith('x-') && value.every(isSpace);
    } else if (isUnfinished && kind === 'other') {
      line = end;
      continue;
    } else if (kind === 'blanks' && (doubtful === undefined || doubtful.bodyStart === line)) {
      // All of several consecutive blank lines are outside the text.
      doubtful = { bodyStart: end, ahead: 0 };
    } else if (doubtful === undefined && kind !== 'folded') doubtful = { bodyStart: line, ahead: 0 };
    if (doubtful !== undefined) {
      if (doubtful.ahead === LINES_AHEAD) return doubtful.bodyStart;
      doubtful.ahead += 1;
    }
    line = end;
  }
  return doubtful?.bodyStart ?? bytes.length;
}

type LineKind = 'empty' | 'blanks' | 'folded' | 'delimiter' | 'other' | RawField;

function kindOfLine(line: Uint8Array): LineKind {
  if (line[0] === LF || (line[0] === CR && line[1] === LF)) return 'empty';
  if (isBlank(line[0])) return line.at(-1) === LF && line.every(isSpace) ? 'blanks' : 'folded';
  const field = readField(line);
  if (field === undefined && /^[^\s:]{1,76}[ \t]*:/.test(latin1(line.subarray(0, 80)))) return 'folded';
  if (field !== undefined) return field;
  return line[0] === DASH && line[1] === DASH ? 'delimiter' : 'other';
}

const isSpace = (byte: number): boolean => isBlank(byte) || byte === CR || byte === LF;

/** Field names that do not start a line of text by chance, unless the text quotes a header. */
const continuing =
  /^(?:from|to|cc|bcc|subject|date|message-id|in-reply-to|references|reply-to|sender|return-path|mime-version|received|delivered-to|authentication-results|dkim-signature|precedence|auto-submitted|importance|organization|user-agent|(?:content|list|resent|thread|arc|x)-[\w-]+)$/;
const repeated = /^(?:received|x-|arc-|dkim-)/;
