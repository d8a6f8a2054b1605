import { createHash } from 'node:crypto';
import { findBodyStart, type RawField, splitFields, unfold } from '../mime/raw-headers.ts';

/**
 * The content key ("K2") identifies copies of the same email, whatever route each took. SHA-256 over
 * Message-ID, Date, From, To and Subject, and over the fields that determine how the body is read
 * (MIME-Version, Content-Type, Content-Transfer-Encoding), each raw, unfolded and prefixed with its length,
 * and over the bytes of the body. Without the latter fields, an attacker who sends the same email first with
 * another content type would make the real one a copy of unreadable bytes.
 * If no blank line ends the header, all of it counts as body, too: it may be text without a header.
 * Fields that relays add (Received, Delivered-To, Return-Path, ARC-…, Authentication-Results, X-…) are
 * excluded. Message-ID alone is never enough: anyone who reuses one could make another person's email
 * disappear.
 * An email with neither a Message-ID nor a Date does not tell when it was sent: a device's alarm has the same
 * bytes each time. Its key also includes the UTC day on which the mail server received it, which no repeated
 * fetch and no new UIDVALIDITY changes (docs/decisions/0016).
 *
 * Stored keys depend on every byte of this: a change turns email already fetched into new email.
 */
export interface ContentKey {
  update(chunk: Uint8Array): void;
  /** 64 hex digits. Call once, at the end. */
  digest(): string;
}

const keyFields = [
  'message-id',
  'date',
  'from',
  'to',
  'subject',
  'mime-version',
  'content-type',
  'content-transfer-encoding',
] as const;
/** A field that differs each time an email is sent. An empty one counts as missing. */
const isTimingField = ({ name, value }: RawField): boolean =>
  (name === 'message-id' || name === 'date') && unfold(value).length > 0;

/** Maximum size of the buffered header; anything after it counts as body. */
const headerLimit = 1024 * 1024;
const LF = 0x0a;
const CR = 0x0d;

/**
 * Accepts an email in chunks of any size; the result does not depend on the chunk boundaries. Buffers at most
 * 1 MB.
 * @param receivedAt ISO time in UTC at which the mail server received it
 */
export function createContentKey(receivedAt: string): ContentKey {
  const hash = createHash('sha256');
  let block = new Uint8Array(16 * 1024);
  let length = 0;
  let inBody = false;

  const keep = (bytes: Uint8Array): void => {
    if (length + bytes.length > block.length) {
      const larger = new Uint8Array(Math.min(headerLimit, Math.max(block.length * 2, length + bytes.length)));
      larger.set(block.subarray(0, length));
      block = larger;
    }
    block.set(bytes, length);
    length += bytes.length;
  };

  const leaveHeader = (header: Uint8Array, rest: Uint8Array): void => {
    inBody = true;
    const fields = splitFields(header);
    for (const name of keyFields) {
      const values = fields.filter((field) => field.name === name).map((field) => unfold(field.value));
      hash.update(`${name}*${values.length}\n`);
      for (const value of values) hash.update(`${value.length}:`).update(value);
    }
    if (!fields.some(isTimingField)) hash.update(`day*1\n10:${receivedAt.slice(0, 10)}`);
    hash.update('body\n').update(rest);
    block = new Uint8Array(0);
  };

  return {
    update(chunk) {
      if (inBody) {
        hash.update(chunk);
        return;
      }
      const room = chunk.subarray(0, headerLimit - length);
      // A blank line may span two chunks, so the search starts at the last complete line.
      const from = block.lastIndexOf(LF) + 1;
      keep(room);
      const seen = block.subarray(0, length);
      const bodyStart = findBodyStart(seen, from);
      if (bodyStart !== undefined) leaveHeader(seen.subarray(0, bodyStart), seen.subarray(bodyStart));
      else if (length === headerLimit) leaveHeader(...splitLoneCr(seen));
      // Empty, unless the chunk exceeds the header limit.
      hash.update(chunk.subarray(room.length));
    },
    digest() {
      if (!inBody) leaveHeader(...splitLoneCr(block.subarray(0, length)));
      return hash.digest('hex');
    },
  };
}

/**
 * The ID of the ticket that this email opens, if it opens one. Deterministic, so a retry finds its own row.
 */
export function ticketIdOf(mailboxId: string, key: string): string {
  return base32(createHash('sha256').update(`t${mailboxId}${key}`).digest()).slice(0, 26);
}

/**
 * Handles an email in which no blank line ends the header. Email without any LF (old Macintosh files) ends
 * its lines in CR, and its body stays unchanged. Otherwise the start of the body is unknown: all of it is
 * header and body at once.
 */
function splitLoneCr(bytes: Uint8Array): [header: Uint8Array, rest: Uint8Array] {
  if (bytes.includes(LF)) return [bytes, bytes];
  const lines = bytes.map((byte) => (byte === CR ? LF : byte));
  const bodyStart = findBodyStart(lines);
  // Without a blank line both are the whole email.
  return [lines.subarray(0, bodyStart), bytes.subarray(bodyStart)];
}

/** RFC 4648 §6, in lower case, for complete groups of five bits. */
function base32(bytes: Uint8Array): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += alphabet[(value >> bits) & 31] ?? '';
    }
  }
  return text;
}
