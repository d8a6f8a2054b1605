import { createHash } from 'node:crypto';

/** A MIME part with its header fields: lines end with CRLF, except the last. */
export type Part = string;

/** A text part in quoted-printable, UTF-8. */
export function textPart(text: string, subtype = 'plain', more = ''): Part {
  return part(`text/${subtype}; charset=utf-8${more}`, 'quoted-printable', quotedPrintable(text));
}

/** A part in base64; `headers` are additional fields as complete lines. */
export function filePart(type: string, bytes: Uint8Array, headers: readonly string[]): Part {
  return part(type, 'base64', folded(Buffer.from(bytes).toString('base64')), headers);
}

/** Text that needs no encoding. */
export function plainPart(type: string, text: string, headers: readonly string[] = []): Part {
  return part(type, '7bit', crlf(text).trimEnd(), headers);
}

/** `multipart/<kind>`. The boundary is derived from the parts, so the same email has the same bytes. */
export function multipart(kind: string, parts: readonly Part[]): Part {
  const boundary = `=_${createHash('sha256').update(parts.join()).digest('hex').slice(0, 24)}`;
  const [subtype = '', ...parameters] = kind.split(';');
  const type = [
    `multipart/${subtype}`,
    `boundary="${boundary}"`,
    ...parameters.map((one) => one.trim()),
  ].join('; ');
  const body = parts.map((one) => `--${boundary}\r\n${one}\r\n`).join('');
  return `Content-Type: ${type}\r\n\r\n${body}--${boundary}--`;
}

/** A complete email. Header fields without a value are omitted. */
export function mail(headers: Readonly<Record<string, string | undefined>>, body: Part): Buffer {
  const fields = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  );
  return Buffer.from(`${[...fields, 'MIME-Version: 1.0', body].join('\r\n')}\r\n`, 'latin1');
}

/** Header text with non-ASCII letters, as encoded words of at most 75 characters (RFC 2047 §2). */
export function word(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  const pieces: string[] = [];
  let piece = '';
  for (const letter of text) {
    if (Buffer.byteLength(piece + letter) > 42) {
      pieces.push(piece);
      piece = '';
    }
    piece += letter;
  }
  return [...pieces, piece].map((one) => `=?UTF-8?B?${Buffer.from(one).toString('base64')}?=`).join('\r\n ');
}

/** `Tue, 24 Nov 2026 08:00:00 +0100`. */
export function mailDate(time: Date, offsetHours: number): string {
  const shifted = new Date(time.getTime() + offsetHours * 3_600_000);
  const zone = `${offsetHours < 0 ? '-' : '+'}${String(Math.abs(offsetHours)).padStart(2, '0')}00`;
  return shifted.toUTCString().replace('GMT', zone);
}

function part(type: string, encoding: string, body: string, headers: readonly string[] = []): Part {
  const fields = [`Content-Type: ${type}`, `Content-Transfer-Encoding: ${encoding}`, ...headers];
  return `${fields.join('\r\n')}\r\n\r\n${body}`;
}

function quotedPrintable(text: string): string {
  const lines = crlf(text).trimEnd().split('\r\n');
  return lines.map((line) => softBroken(encodedLine(line))).join('\r\n');
}

function encodedLine(line: string): string {
  return Buffer.from(line)
    .toString('latin1')
    .replace(
      /[^\x20-\x3c\x3e-\x7e]|\s$/g,
      (letter) => `=${letter.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
    );
}

/** Lines of at most 76 characters; an escape sequence is never split (RFC 2045 §6.7). */
function softBroken(encoded: string): string {
  const lines: string[] = [];
  let line = '';
  for (const [unit] of encoded.matchAll(/=[0-9A-F]{2}|[^=]/g)) {
    if (line.length + unit.length > 75) {
      lines.push(line);
      line = '';
    }
    line += unit;
  }
  return [...lines, line].join('=\r\n');
}

function folded(base64: string): string {
  return (base64.match(/.{1,76}/g) ?? []).join('\r\n');
}

function crlf(text: string): string {
  return text.replace(/\r?\n/g, '\r\n');
}
