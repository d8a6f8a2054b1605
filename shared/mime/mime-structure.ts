import { findHeaderEnd } from './header-end.ts';
import { latin1, splitFields, unfold } from './raw-headers.ts';

const LF = 0x0a;

/** Number and nesting depth of an email's parts, measured before a library builds a tree of them. */
export interface MimeStructure {
  parts: number;
  depth: number;
}

/**
 * Counts MIME parts by their delimiter lines, and the nesting of containers (multiparts, inline messages).
 * Stops as soon as a limit is exceeded, so the cost stays linear.
 */
export function measureStructure(bytes: Uint8Array, limits: MimeStructure): MimeStructure {
  const mail = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isSurelySmall(mail, Math.min(limits.parts, limits.depth))) return { parts: 0, depth: 0 };
  const measured: MimeStructure = { parts: 0, depth: 0 };
  /** The open containers; an inline message has no boundary of its own. */
  const open: (string | undefined)[] = [];
  let position = readHeaders(mail, 0, open);
  while (measured.parts <= limits.parts && measured.depth <= limits.depth) {
    measured.depth = Math.max(measured.depth, open.length);
    const start = mail.indexOf('\n--', Math.max(0, position - 1));
    if (start < 0) return measured;
    const end = mail.indexOf('\n', start + 1);
    position = end < 0 ? mail.length : end + 1;
    const line = latin1(mail.subarray(start + 3, Math.min(position, start + 1_200))).trimEnd();
    const owner = open.lastIndexOf(line);
    if (owner >= 0) {
      open.length = owner + 1;
      measured.parts += 1;
      position = readHeaders(mail, position, open);
    } else if (line.endsWith('--') && open.includes(line.slice(0, -2))) {
      open.length = open.lastIndexOf(line.slice(0, -2));
    }
  }
  return measured;
}

/**
 * Whether the email contains an empty inline message, on which mailparser 3.14.2 hangs: the message's header
 * is directly followed by a delimiter or the end of the email.
 */
export function hasEmptyInlineMessage(bytes: Uint8Array): boolean {
  const mail = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const sign of ['rfc822', 'RFC822', 'Rfc822']) {
    for (let at = mail.indexOf(sign); at >= 0; at = mail.indexOf(sign, at + sign.length)) {
      const start = mail.indexOf('\n', mail.lastIndexOf('\n--', at) + 1) + 1;
      if (at - start > 4_000) continue;
      const bodyStart = findHeaderEnd(mail, start);
      const header = latin1(mail.subarray(start, Math.min(bodyStart, start + 8_000)));
      if (!/^content-disposition\s*:\s*inline/im.test(header)) continue;
      const next = latin1(mail.subarray(bodyStart, bodyStart + 2));
      if (next === '' || next === '--') return true;
    }
  }
  return false;
}

/** Whether the email has more lines than the limit; stops counting there. */
export function hasMoreLines(bytes: Uint8Array, limit: number): boolean {
  let lines = 0;
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    lines += 1;
    if (lines > limit) return true;
  }
  return false;
}

/**
 * Most emails have fewer lines starting with dashes, and fewer inline messages, than the limits allow parts.
 */
function isSurelySmall(mail: Buffer, limit: number): boolean {
  let count = 0;
  for (const sign of ['\n--', 'essage/rfc822', 'ESSAGE/RFC822']) {
    for (let at = mail.indexOf(sign); at >= 0; at = mail.indexOf(sign, at + sign.length)) {
      count += 1;
      if (count > limit) return false;
    }
  }
  return true;
}

/** Reads the header block at `start`, and those of inline messages in it; returns the start of the body. */
function readHeaders(mail: Buffer, start: number, open: (string | undefined)[]): number {
  let position = start;
  for (;;) {
    const bodyStart = findHeaderEnd(mail, position);
    const fields = splitFields(mail.subarray(position, bodyStart));
    const headerValue = (name: string): string => {
      const field = fields.find((candidate) => candidate.name === name);
      return field === undefined ? '' : latin1(unfold(field.value).subarray(0, 4_000));
    };
    position = bodyStart;
    const type = headerValue('content-type');
    const boundary = /;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(type);
    if (/^\s*multipart\//i.test(type)) {
      const value = boundary?.[1] ?? boundary?.[2];
      if (value !== undefined) open.push(value.trimEnd());
      return position;
    }
    if (!/^\s*message\/rfc822/i.test(type) || !/^\s*inline/i.test(headerValue('content-disposition')))
      return position;
    if (position >= mail.length) return position;
    open.push(undefined);
  }
}
