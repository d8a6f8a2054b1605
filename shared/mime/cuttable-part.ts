import { onlyValue, type RawField, splitFields } from './raw-headers.ts';

/**
 * Decides which emails and parts the attachment cutter may touch: only those with unambiguous headers. Pure.
 */

/**
 * The boundary of an email that is an ordinary multipart; undefined for every other email and for unusual
 * boundaries.
 * @param header the email's header block with its blank line.
 */
export function cutBoundary(header: Uint8Array): string | undefined {
  const fields = splitFields(header);
  const contentType = onlyValue(fields, 'content-type');
  if (contentType === undefined || !plainEncoding.has(encodingOf(fields))) return undefined;
  if (!/^multipart\/[a-z-]{1,40}[ \t]*;/i.test(contentType) || isAmbiguous(contentType)) return undefined;
  const boundaries = [...contentType.matchAll(/[;\s]boundary\b/gi)];
  if (boundaries.length !== 1) return undefined;
  // The characters of RFC 2046 §5.1.1 without those that readers treat differently.
  const match = /;[ \t]*boundary=(?:"([\w'+,./:=?-]{1,70})"|([\w'+.-]{1,70}))[ \t]*(?:;|$)/i.exec(
    contentType,
  );
  return match?.[1] ?? match?.[2];
}

/**
 * Whether a part is a leaf in plain base64 that is not text: every reader treats it as an attachment.
 * @param header the part's header block with its blank line.
 */
export function isCuttable(header: Uint8Array): boolean {
  const fields = splitFields(header);
  const contentType = onlyValue(fields, 'content-type');
  if (contentType === undefined || encodingOf(fields) !== 'base64' || isAmbiguous(contentType)) return false;
  // A boundary on a leaf would make readers search it for delimiters.
  if (/boundary/i.test(contentType)) return false;
  const type = /^([a-z0-9!#$&^_.+-]{1,127})\/[a-z0-9!#$&^_.+-]{1,127}[ \t]*(?:;|$)/i.exec(contentType)?.[1];
  return type !== undefined && !['text', 'multipart', 'message'].includes(type.toLowerCase());
}

/**
 * Whether a part may contain a message or files that the reader extracts: `winmail.dat`, signed or encrypted
 * email, a meeting.
 * @param header the part's header block with its blank line.
 */
export function isOpenable(header: Uint8Array): boolean {
  const fields = splitFields(header);
  const contentType = onlyValue(fields, 'content-type') ?? '';
  if (/^application\/(?:(?:vnd\.)?ms-tnef|(?:x-)?pkcs7-mime|ics)\b/i.test(contentType)) return true;
  return /name=["']?(?:win|winmail|smime)\.(?:dat|p7m)\b/i.test(
    `${contentType};${onlyValue(fields, 'content-disposition') ?? ''}`,
  );
}

const plainEncoding = new Set(['', '7bit', '8bit', 'binary']);

/** Lower case; empty if the field is missing; `?` if it is repeated. */
function encodingOf(fields: readonly RawField[]): string {
  const name = 'content-transfer-encoding';
  if (!fields.some((field) => field.name === name)) return '';
  return onlyValue(fields, name)?.toLowerCase() ?? '?';
}

/** Readers disagree on comments, encoded words and stray control characters. */
function isAmbiguous(value: string): boolean {
  const bare = value.replace(/"[^"\\]*"/g, '""');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is searched for
  return value.length > 4_000 || /[(\\]/.test(bare) || /[\0-\x08\x0a-\x1f\x7f]/.test(value);
}
