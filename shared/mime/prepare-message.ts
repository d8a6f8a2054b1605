import { withBracketedAddresses } from './address-comments.ts';
import { type AuthenticationField, authenticationFields } from './authentication-results.ts';
import { createGuesser, detectCharset, type TextGuesser } from './charset-detection.ts';
import { namedCharsets } from './declared-charset.ts';
import { readableValue } from './encoded-words.ts';
import { cutBytes, needsDecoding } from './header-charset.ts';
import { findHeaderEnd } from './header-end.ts';
import type { ParseLimits } from './parsed-message.ts';
import { latin1, type RawField, splitFields, unfold } from './raw-headers.ts';

/**
 * Prepares an email for a MIME library: repairs line ends, envelope lines of mbox files, oversized headers
 * and headers in an undeclared charset, so that two libraries read the same email. Pure.
 */
export interface PreparedMessage {
  /** The input bytes themselves, unless something had to be repaired. */
  bytes: Uint8Array;
  headers: HeaderTexts;
  /** Decodes text with a missing or false charset. */
  guesser: TextGuesser;
  /**
   * From all fields, including those over the limits: a flood of others
   * must not displace the receiving server's field.
   */
  authentication: AuthenticationField[];
  notes: string[];
}

/** The email's own header fields, by lower-case name. */
export interface HeaderTexts {
  names: ReadonlySet<string>;
  /** The first field of that name on one line, as a string; encoded words (RFC 2047) stay encoded. */
  first(name: string): string | undefined;
}

const LF = 0x0a;
const CR = 0x0d;

/** @returns undefined if the bytes are not an email: no header field except those that relays add */
export async function prepareMessage(
  raw: Uint8Array,
  limits: ParseLimits,
): Promise<PreparedMessage | undefined> {
  const notes: string[] = [];
  let bytes = raw;
  if (!raw.includes(LF) && raw.includes(CR)) {
    bytes = Buffer.from(latin1(raw).replaceAll('\r', '\r\n'), 'latin1');
    notes.push('lone carriage returns were read as line ends');
  }
  bytes = bytes.subarray(headerStart(bytes));
  const bodyStart = findHeaderEnd(bytes);
  const block = bytes.subarray(0, bodyStart);
  const fields = splitFields(block);
  if (!fields.some((field) => isMailField(field.name))) return undefined;

  const bounded = boundFields(fields, limits, notes);
  const guesser = createGuesser(await usedCharsets(fields, bytes));
  const values = await readableValues(bounded, guesser);
  const headers: HeaderTexts = {
    names: new Set(bounded.map((field) => field.name)),
    first: (name) => {
      const found = bounded.find((field) => field.name === name);
      return found === undefined ? undefined : (values.get(found) ?? utf8(unfold(found.value)));
    },
  };
  const authentication = authenticationFields(fields);
  const isWhole = bounded === fields && values.size === 0 && endsInEmptyLine(block);
  if (isWhole) return { bytes, headers, guesser, authentication, notes };

  const lines = bounded.map((field) => {
    const value = values.get(field);
    return value === undefined ? endLine(field.raw) : Buffer.from(`${field.name}: ${value}\r\n`);
  });
  const body = bytes.subarray(bodyStart);
  return {
    bytes: Buffer.concat([...lines, Buffer.from('\r\n'), body]),
    headers,
    guesser,
    authentication,
    notes,
  };
}

/**
 * The charsets that the email names. For raw 8-bit text in its header,
 * also the charset detected from all of that text.
 */
async function usedCharsets(fields: readonly RawField[], bytes: Uint8Array): Promise<string[]> {
  const named = namedCharsets(bytes);
  const undeclared = fields.map(({ value }) => unfold(value)).filter(needsDecoding);
  if (undeclared.length === 0) return named;
  return [...named, await detectCharset(Buffer.concat(undeclared.flatMap((value) => [value, endOfLine])))];
}

/** The values that differ from the header. */
async function readableValues(
  fields: readonly RawField[],
  guesser: TextGuesser,
): Promise<Map<RawField, string>> {
  const values = new Map<RawField, string>();
  for (const field of fields) {
    const line = unfold(field.value);
    const readable = await readableValue(line, guesser);
    const bracketed = addressLists.has(field.name)
      ? withBracketedAddresses(readable ?? utf8(line))
      : undefined;
    const value = bracketed ?? readable;
    if (value !== undefined) values.set(field, value);
  }
  return values;
}

const endOfLine = Buffer.from('\r\n');
const addressLists = new Set(['to', 'cc']);
const utf8 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');

function endsInEmptyLine(block: Uint8Array): boolean {
  const end = latin1(block.subarray(-4));
  return /\n\r?\n$/.test(end) || /^\r?\n$/.test(end);
}

/** Skips blank lines and the envelope line of an mbox file, which mail stores leave before a header. */
function headerStart(bytes: Uint8Array): number {
  let start = 0;
  while (bytes[start] === LF || bytes[start] === CR) start += 1;
  const line = latin1(bytes.subarray(start, start + 6));
  if (!line.startsWith('From ') && line !== '>From ') return start;
  const end = bytes.indexOf(LF, start);
  return end < 0 ? bytes.length : end + 1;
}

const mailFields = new Set(
  `from to cc bcc subject date message-id reply-to sender in-reply-to references mime-version auto-submitted precedence
   importance priority sensitivity organization user-agent keywords comments errors-to newsgroups
   apparently-to return-receipt-to dkim-signature domainkey-signature received-spf feedback-id status lines mailing-list
   followup-to mail-followup-to mail-reply-to encoding language autocrypt openpgp face approved expires supersedes`.split(
    /\s+/,
  ),
);
const mailFamilies = /^(?:content|resent|list|thread|disposition|original|importance|references)-[a-z0-9-]+$/;

/**
 * Fields that the author of an email sets. Received, Delivered-To,
 * Return-Path, X-…, ARC-… and the like prove no email.
 */
function isMailField(name: string): boolean {
  return mailFields.has(name) || mailFamilies.test(name);
}

/** Returns the same array if everything is within the limits. */
function boundFields(fields: RawField[], limits: ParseLimits, notes: string[]): RawField[] {
  const large = fields.reduce((cost, field) => cost + costOf(field), 0) > limits.headerBlock;
  const long = fields.some((field) => field.raw.length > limits.header);
  if (!large && !long) return fields;
  if (long) notes.push(`header cut at ${Math.round(limits.header / 1024)} KB`);
  if (large) notes.push(`header block cut at ${Math.round(limits.headerBlock / 1024)} KB`);
  // The author's fields come first, so that a flood of other fields cannot push them out.
  const chosen = large
    ? [
        ...fields.filter((field) => isMailField(field.name)),
        ...fields.filter((field) => !isMailField(field.name)),
      ]
    : fields;
  const bounded: RawField[] = [];
  let room = limits.headerBlock;
  for (const field of chosen) {
    const short = field.raw.length > limits.header ? cutField(field, limits.header) : field;
    room -= costOf(short);
    if (room < 0) break;
    bounded.push(short);
  }
  return bounded;
}

/**
 * Bytes, but at least 64 per line, as mailparser counts: half a million two-byte lines are a large block too.
 */
function costOf(field: RawField): number {
  let lines = 1;
  for (let at = field.raw.indexOf(LF); at >= 0; at = field.raw.indexOf(LF, at + 1)) lines += 1;
  return Math.max(field.raw.length + 2, lines * 64);
}

function cutField(field: RawField, limit: number): RawField {
  const raw = cutBytes(field.raw, limit - 2);
  return { ...field, raw, value: raw.subarray(field.value.byteOffset - field.raw.byteOffset) };
}

function endLine(raw: Uint8Array): Uint8Array {
  return raw[raw.length - 1] === LF ? raw : Buffer.concat([raw, Buffer.from('\r\n')]);
}
