import { findBodyStart, latin1, onlyValue, splitFields } from '../mime/raw-headers.ts';

/** The bytes at the start and end of an email that are needed to tell whether it is complete. */
export const BEGINNING_BYTES = 64 * 1024;
export const END_BYTES = 4 * 1024;

/** The bytes read of an email whose size the server announced. */
export interface ReadMail {
  size: number;
  /** Its first `BEGINNING_BYTES`, or the whole email. */
  beginning: Uint8Array;
  /** Its last `END_BYTES`, or the whole email. */
  end: Uint8Array;
}

/**
 * Whether fewer bytes were read than the server announced as RFC822.SIZE. An email whose outermost boundary
 * is closed is complete (RFC 2046 section 5.1.1): Exchange announces estimates, and then the announcement is
 * wrong. Pure.
 * @param tolerated the fraction of the announced size that may be missing: 0 to 1
 */
export function isShort(read: ReadMail, announced: number, tolerated: number): boolean {
  return read.size < announced * (1 - tolerated) && !isClosed(read);
}

function isClosed({ beginning, end }: ReadMail): boolean {
  const header = beginning.subarray(0, findBodyStart(beginning) ?? beginning.length);
  const type = onlyValue(splitFields(header), 'content-type') ?? '';
  const [, quoted, bare] = /^multipart\/.*?;\s*boundary\s*=\s*(?:"([^"]+)"|([^\s;]+))/is.exec(type) ?? [];
  const boundary = quoted ?? bare;
  return boundary !== undefined && latin1(end).includes(`\n--${boundary}--`);
}

/** The note on a message that the server never delivered in full. */
export function shortNote(read: number, announced: number): string {
  return `The mail server announced ${inWords(announced)} but returned ${inWords(read)} each time. The end of this message may be missing.`;
}

const inWords = (bytes: number): string =>
  bytes < 100_000 ? `${bytes} bytes` : `${(bytes / 1_000_000).toFixed(1)} MB`;
