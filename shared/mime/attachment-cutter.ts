import { type Base64Decoder, createBase64Decoder } from './base64-decoder.ts';
import { cutBoundary, isCuttable, isOpenable } from './cuttable-part.ts';
import { findHeaderEnd } from './header-end.ts';
import { findBodyStart } from './raw-headers.ts';

/**
 * Removes attachments from an email before a MIME parser sees it: parsing an attachment costs ten times as
 * much as decoding it. Only leaf parts of the outermost multipart are removed, and only if they are plain
 * base64 and not text, multipart or message. Each part stays in the email with its headers, and its body is
 * replaced by a marker, so the parser still reports name, type, ID and order. Everything else, and anything
 * ambiguous, is left unchanged.
 *
 * Delimiter lines are recognized as mailparser recognizes them (RFC 2046 §5.1.1): `--boundary`, an optional
 * `--`, blanks, line end.
 */
export interface AttachmentCutter {
  push(chunk: Uint8Array): CutEvent[];
  end(): CutEvent[];
}

export type CutEvent =
  /** Bytes that remain in the email. They may be a view of the chunk passed to `push`. */
  | { kind: 'keep'; bytes: Uint8Array }
  | { kind: 'begin'; cut: number }
  /** Decoded bytes of the part. */
  | { kind: 'data'; cut: number; bytes: Uint8Array }
  | { kind: 'end'; cut: number; size: number };

/**
 * The marker that replaces cut part number `cut`, base64-encoded.
 * Senders must not be able to guess the nonce.
 */
export function cutMarker(nonce: string, cut: number): string {
  return `postroom-cut:${nonce}:${cut}`;
}

const LF = 0x0a;
const CR = 0x0d;
const DASH = 0x2d;
const rootHeaderLimit = 256 * 1024;
const partHeaderLimit = 64 * 1024;
/** Maximum number of blanks after a delimiter; mailparser has the same limit. */
const delimiterBlanks = 998;

type Phase = 'header' | 'between' | 'part-header' | 'body' | 'rest';

/**
 * Reads an email in chunks of any size. Buffers at most one header block and one delimiter line.
 * @param openable whether parts that the reader can open (`isOpenable`) stay in the email
 */
export function createAttachmentCutter(nonce: string, openable: 'keep' | 'cut' = 'keep'): AttachmentCutter {
  let phase: Phase = 'header';
  /** Bytes not yet processed. In `between` and `body` they start at, or before, the start of a line. */
  let buffered: Buffer = Buffer.alloc(0);
  let delimiter: Buffer = Buffer.alloc(0);
  let atLineStart = true;
  let cut = -1;
  let size = 0;
  let decoder: Base64Decoder = createBase64Decoder();
  let events: CutEvent[] = [];

  const keep = (length: number): void => {
    if (length > 0) events.push({ kind: 'keep', bytes: buffered.subarray(0, length) });
    drop(length);
  };
  const drop = (length: number): void => {
    if (length > 0) atLineStart = buffered[length - 1] === LF;
    buffered = buffered.subarray(length);
  };
  const emitData = (chunks: readonly Uint8Array[]): void => {
    for (const bytes of chunks) {
      size += bytes.length;
      events.push({ kind: 'data', cut, bytes });
    }
  };
  const endCut = (): void => {
    emitData(decoder.end());
    events.push({ kind: 'end', cut, size });
    const marker = Buffer.from(cutMarker(nonce, cut)).toString('base64');
    events.push({ kind: 'keep', bytes: Buffer.from(`${marker}\r\n`) });
  };

  /**
   * Each step processes as much of `buffered` as it can; true when the
   * phase changed and the next step can run.
   */
  const readRootHeader = (final: boolean): boolean => {
    const bodyStart = findBodyStart(buffered);
    if (bodyStart === undefined && !final && buffered.length <= rootHeaderLimit) return false;
    const boundary = bodyStart === undefined ? undefined : cutBoundary(buffered.subarray(0, bodyStart));
    if (bodyStart === undefined || boundary === undefined || mayEndEarlier(buffered, bodyStart)) {
      phase = 'rest';
      return true;
    }
    delimiter = Buffer.from(`--${boundary}`, 'latin1');
    keep(bodyStart);
    phase = 'between';
    return true;
  };

  const mayCut = (header: Buffer): boolean =>
    isCuttable(header) && (openable === 'cut' || !isOpenable(header));

  const readPartHeader = (final: boolean): boolean => {
    const bodyStart = findBodyStart(buffered);
    if (bodyStart === undefined && !final && buffered.length <= partHeaderLimit) return false;
    const header = buffered.subarray(0, bodyStart ?? 0);
    if (
      bodyStart === undefined ||
      mayContainDelimiter(header) ||
      mayEndEarlier(buffered, bodyStart) ||
      !mayCut(header)
    ) {
      // The search for the next delimiter starts at the header's first line.
      phase = 'between';
      return true;
    }
    keep(bodyStart);
    cut += 1;
    size = 0;
    decoder = createBase64Decoder();
    events.push({ kind: 'begin', cut });
    phase = 'body';
    return true;
  };

  const pass = (length: number): void => {
    if (phase === 'body') {
      emitData(decoder.push(buffered.subarray(0, length)));
      drop(length);
    } else keep(length);
  };

  const readToDelimiter = (final: boolean): boolean => {
    let search = 0;
    for (;;) {
      const found = buffered.indexOf(delimiter, search);
      if (found < 0) {
        // The end of the chunk may be the start of a delimiter line.
        pass(final ? buffered.length : Math.max(0, buffered.length - delimiter.length - 1));
        return false;
      }
      if (!startsLine(buffered, found, atLineStart)) {
        search = found + 1;
        continue;
      }
      const line = readDelimiterLine(buffered, found + delimiter.length, final);
      if (line === 'more') {
        // The byte before it stays in the buffer: a lone CR there
        // decides whether the delimiter starts a line.
        pass(Math.max(0, found - 1));
        return false;
      }
      if (line === undefined) {
        search = found + 1;
        continue;
      }
      pass(found);
      if (phase === 'body') endCut();
      keep(line.end - found);
      phase = line.closing ? 'rest' : 'part-header';
      return true;
    }
  };

  const step = (final: boolean): boolean => {
    if (phase === 'header') return readRootHeader(final);
    if (phase === 'part-header') return readPartHeader(final);
    if (phase !== 'rest') return readToDelimiter(final);
    keep(buffered.length);
    return false;
  };

  const run = (final: boolean): CutEvent[] => {
    events = [];
    let more = step(final);
    while (more) more = step(final);
    if (final && phase === 'body') endCut();
    return events;
  };

  return {
    push(chunk) {
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      buffered = buffered.length === 0 ? bytes : Buffer.concat([buffered, bytes]);
      return run(false);
    },
    end: () => run(true),
  };
}

/** Whether a delimiter at `found` starts a line. A lone CR before it is allowed, as in mailparser. */
function startsLine(bytes: Uint8Array, found: number, atLineStart: boolean): boolean {
  if (found === 0) return atLineStart;
  if (bytes[found - 1] === LF) return true;
  if (bytes[found - 1] !== CR) return false;
  return found === 1 ? atLineStart : bytes[found - 2] === LF;
}

/**
 * Whether a reader may take part of the header for the body: the header contains lines that are not fields.
 */
function mayEndEarlier(bytes: Uint8Array, bodyStart: number): boolean {
  return findHeaderEnd(bytes.subarray(0, bodyStart)) !== bodyStart;
}

/** Whether a header line starts like a delimiter: the part may then end inside its own header. */
function mayContainDelimiter(header: Buffer): boolean {
  return header.indexOf('--') === 0 || header.includes('\n--') || header.includes('\r--');
}

/** Reads the rest of the line after `--boundary`; undefined when the line is not a delimiter. */
function readDelimiterLine(
  bytes: Uint8Array,
  from: number,
  final: boolean,
): { end: number; closing: boolean } | 'more' | undefined {
  if (bytes[from] === DASH && from + 1 === bytes.length) return final ? undefined : 'more';
  const closing = bytes[from] === DASH && bytes[from + 1] === DASH;
  if (bytes[from] === DASH && !closing) return undefined;
  let index = closing ? from + 2 : from;
  const limit = from + 2 + delimiterBlanks + 2;
  while (index < limit && (bytes[index] === 0x20 || bytes[index] === 0x09)) index += 1;
  while (index < limit && bytes[index] === CR) index += 1;
  if (index >= limit) return undefined;
  if (index < bytes.length) return bytes[index] === LF ? { end: index + 1, closing } : undefined;
  if (!final) return 'more';
  // Only the closing delimiter may end the email without a line end.
  return closing ? { end: index, closing } : undefined;
}
