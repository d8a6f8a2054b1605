import { findHeaderEnd } from './header-end.ts';
import type { MimeStructure } from './mime-structure.ts';
import { defaultParseLimits } from './parsed-message.ts';
import { latin1, type RawField, splitFields, unfold } from './raw-headers.ts';

/** A part of an email with the offsets of its bytes, used to repair the email before a library reads it. */
export interface MimePart {
  fields: readonly RawField[];
  /** `type/subtype` in lower case; `text/plain` if none is given (RFC 2045 §5.2). */
  type: string;
  /** Offset of its first header line. */
  start: number;
  bodyStart: number;
  /** Offset after its body, before the line end that belongs to the next delimiter (RFC 2046 §5.1.1). */
  end: number;
  /** The multiparts and inline messages that contain it, outermost first. */
  inside: readonly MimePart[];
  /** Its delimiter without dashes; only a multipart has one. */
  boundary: string | undefined;
}

const LF = 0x0a;
const CR = 0x0d;

/** Maximum number of lines starting with dashes that are examined. */
const DASHED_LINES = 500_000;
/** Maximum number of those that start like an open delimiter. */
const LIKELY_LINES = 50_000;

/**
 * All parts in the order of the email, the email itself first, containers before their content. Delimiters
 * are recognized as in `measureStructure`. Empty if the email exceeds the limits, or has so many lines
 * starting with dashes that examining them would take too long.
 */
export function mimeParts(bytes: Uint8Array, limits: MimeStructure = defaultParseLimits): MimePart[] {
  const mail = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: MimePart[] = [];
  let open: MimePart[] = [];
  let leaf: MimePart | undefined;

  const close = (at: number, containers: readonly MimePart[]): void => {
    const end = lineEndBefore(mail, at);
    for (const part of leaf === undefined ? containers : [leaf, ...containers])
      part.end = Math.max(part.bodyStart, end);
    leaf = undefined;
  };
  /** Reads the header at `start`, and those of inline messages in it; returns the start of the body. */
  const begin = (start: number): number => {
    for (let position = start; ; ) {
      const part = readPart(mail, position, open);
      parts.push(part);
      position = part.bodyStart;
      if (!isContainer(part)) {
        leaf = part;
        return position;
      }
      open = [...open, part];
      if (part.boundary !== undefined || position >= mail.length || open.length > limits.depth)
        return position;
    }
  };

  let position = begin(0);
  let dashed = 0;
  let likely = 0;
  while (open.length > 0) {
    if (parts.length > limits.parts + 1 || open.length > limits.depth) return [];
    const found = mail.indexOf('\n--', Math.max(0, position - 1));
    if (found < 0) break;
    dashed += 1;
    if (dashed > DASHED_LINES) return [];
    position = found + 3;
    if (!open.some(({ boundary }) => boundary?.charCodeAt(0) === mail[found + 3])) continue;
    likely += 1;
    if (likely > LIKELY_LINES) return [];
    const lineEnd = mail.indexOf('\n', found + 1);
    position = lineEnd < 0 ? mail.length : lineEnd + 1;
    const line = latin1(mail.subarray(found + 3, Math.min(position, found + 1_200))).trimEnd();
    const owner = lastWith(open, line);
    const ended = owner < 0 && line.endsWith('--') ? lastWith(open, line.slice(0, -2)) : -1;
    if (owner >= 0) {
      close(found + 1, open.slice(owner + 1));
      open = open.slice(0, owner + 1);
      position = begin(position);
    } else if (ended >= 0) {
      close(found + 1, open.slice(ended));
      open = open.slice(0, ended);
    }
  }
  return parts;
}

/** The unfolded value of the first field of that name; empty if there is none. */
export function fieldOf(part: Pick<MimePart, 'fields'>, name: string): string {
  const field = part.fields.find((candidate) => candidate.name === name);
  return field === undefined ? '' : latin1(unfold(field.value).subarray(0, 4_000));
}

/** Whether it contains other parts: a multipart, or a message that is shown inline. */
export function isContainer(part: MimePart): boolean {
  if (part.type.startsWith('multipart/')) return part.boundary !== undefined;
  return part.type === 'message/rfc822' && /^inline/i.test(fieldOf(part, 'content-disposition'));
}

/** The innermost container around it; undefined for the email itself. */
export const parentOf = (part: MimePart): MimePart | undefined => part.inside.at(-1);

const lastWith = (open: readonly MimePart[], boundary: string): number =>
  open.findLastIndex((part) => part.boundary === boundary);

function readPart(mail: Buffer, start: number, inside: readonly MimePart[]): MimePart {
  const bodyStart = findHeaderEnd(mail, start);
  const part = { fields: splitFields(mail.subarray(start, bodyStart)), start, bodyStart, end: mail.length };
  const contentType = fieldOf(part, 'content-type');
  const type = /^\s*([\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127})/.exec(contentType)?.[1]?.toLowerCase();
  const boundary = /;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType);
  return {
    ...part,
    type: type ?? 'text/plain',
    inside,
    boundary: type?.startsWith('multipart/') ? (boundary?.[1] ?? boundary?.[2])?.trimEnd() : undefined,
  };
}

function lineEndBefore(mail: Uint8Array, at: number): number {
  if (mail[at - 1] !== LF) return at;
  return mail[at - 2] === CR ? at - 2 : at - 1;
}
