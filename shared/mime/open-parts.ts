import { createBase64Decoder } from './base64-decoder.ts';
import { fieldOf, isContainer, type MimePart, mimeParts, parentOf } from './mime-parts.ts';
import type { MimeStructure } from './mime-structure.ts';
import { findBodyStart, latin1, type RawField, splitFields } from './raw-headers.ts';
import { takeUuFiles } from './uuencode.ts';

/**
 * Rewrites parts that MIME libraries read differently from how a mail program shows them, so that both
 * libraries read what the sender meant. Pure. If the result would exceed the limits, the email is left
 * unchanged.
 *
 * - Opaque-signed S/MIME becomes the signed content.
 * - A uuencoded part becomes a base64 part.
 * - Inline text with a file name gets a duplicate that is an attachment: it is shown, and it is a file.
 * - Alternatives without HTML become ordinary parts if the email has HTML elsewhere: libraries omit them
 *   from it.
 *
 * @param limits that the email itself does not exceed
 * @param openSignatures false if a library may have failed on signed content: the signed file then stays as
 * it is
 */
export async function openParts(
  bytes: Uint8Array,
  limits: MimeStructure,
  openSignatures: boolean,
): Promise<OpenedMail> {
  const original = { bytes, parts: mimeParts(bytes, limits) };
  let opened: OpenedMail = original;
  // Twice: the signed content may itself be a signed email.
  for (const rewrite of openSignatures ? [openSigned, openSigned, ...rewrites] : rewrites) {
    const replacements = await rewrite(opened.bytes, opened.parts);
    if (replacements.length === 0) continue;
    const rewritten = replaceRanges(opened.bytes, replacements);
    const parts = mimeParts(rewritten, limits);
    if (parts.length === 0) return original;
    opened = { bytes: rewritten, parts };
  }
  return opened;
}

export interface OpenedMail {
  bytes: Uint8Array;
  /** Parts of these bytes; empty if they could not be read. */
  parts: readonly MimePart[];
}

/** Bytes that replace a range. */
interface Replacement {
  start: number;
  end: number;
  bytes: Uint8Array;
}

type Rewrite = (
  mail: Uint8Array,
  parts: readonly MimePart[],
) => readonly Replacement[] | Promise<readonly Replacement[]>;

const rewrites: readonly Rewrite[] = [decodeUuencoded, attachNamedText, joinAlternatives];

/** In the order of the email; of overlapping replacements the first wins. */
function replaceRanges(mail: Uint8Array, replacements: readonly Replacement[]): Uint8Array {
  const pieces: Uint8Array[] = [];
  let position = 0;
  for (const { start, end, bytes } of replacements.toSorted((a, b) => a.start - b.start)) {
    if (start < position) continue;
    pieces.push(mail.subarray(position, start), bytes);
    position = end;
  }
  pieces.push(mail.subarray(position));
  return Buffer.concat(pieces);
}

const endOfLine = Buffer.from('\r\n');
/** Larger signed files stay attachments. */
const SIGNED_LIMIT = 16 * 1024 * 1024;
const smimeTypes = new Set(['application/pkcs7-mime', 'application/x-pkcs7-mime']);

/** `smime.p7m`, even if a program declares it as a file of unknown type. */
export function isSmime(part: MimePart): boolean {
  return (
    smimeTypes.has(part.type) ||
    (part.type === 'application/octet-stream' && /\bsmime\.p7m\b/i.test(namesOf(part)))
  );
}

/** The body of a part up to `end`, decoded if it is base64; other encodings are left as they are. */
export function contentOf(mail: Uint8Array, part: MimePart, end: number): Uint8Array {
  const body = mail.subarray(part.bodyStart, end);
  if (encodingOf(part) !== 'base64') return body;
  const decoder = createBase64Decoder();
  return Buffer.concat([...decoder.push(body), ...decoder.end()]);
}

async function openSigned(mail: Uint8Array, parts: readonly MimePart[]): Promise<Replacement[]> {
  const signed = parts.filter(
    (part) => !isContainer(part) && isSmime(part) && part.end - part.bodyStart <= SIGNED_LIMIT * 1.4,
  );
  if (signed.length === 0) return [];
  // The library is loaded with the first signed email.
  const { signedContent } = await import('./cms.ts');
  return signed.flatMap((part) => {
    const entity = signedContent(contentOf(mail, part, part.end));
    const bodyStart = entity === undefined ? undefined : findBodyStart(entity);
    if (entity === undefined || bodyStart === undefined) return [];
    // The outer header names the email's sender; the signed content must not name another one.
    const inner = splitFields(entity.subarray(0, bodyStart)).filter(isContentField);
    const outer = parentOf(part) === undefined ? part.fields.filter((field) => !isContentField(field)) : [];
    const bytes = [...linesOf([...outer, ...inner]), endOfLine, entity.subarray(bodyStart)];
    return [{ start: part.start, end: part.end, bytes: Buffer.concat(bytes) }];
  });
}

function decodeUuencoded(mail: Uint8Array, parts: readonly MimePart[]): Replacement[] {
  return parts.flatMap((part) => {
    if (isContainer(part) || !/^(?:x-)?uu(?:e|encode)$/.test(encodingOf(part))) return [];
    const [file] = takeUuFiles(latin1(mail.subarray(part.bodyStart, part.end))).files;
    if (file === undefined) return [];
    const fields = part.fields.filter(({ name }) => name !== 'content-transfer-encoding');
    const lines = ['Content-Transfer-Encoding: base64'];
    // Quotes and backslashes would end the value.
    const name = file.name?.replace(/["\\]/g, '_');
    if (name !== undefined && namesOf(part) === '' && part.type !== 'text/plain')
      lines.push(`Content-Disposition: attachment; filename="${name}"`);
    const header = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
    const bytes = Buffer.concat([...linesOf(fields), header, base64Lines(file.content)]);
    return [{ start: part.start, end: part.end, bytes }];
  });
}

function attachNamedText(mail: Uint8Array, parts: readonly MimePart[]): Replacement[] {
  return parts.flatMap((part) => {
    const parent = parentOf(part);
    const isFile = isInlineText(part) && namesOf(part) !== '';
    if (!isFile || parent === undefined || isBodyOf(parent, part, parts)) return [];
    const disposition = fieldOf(part, 'content-disposition').replace(/^\s*inline/i, '');
    const fields = part.fields.filter(({ name }) => name !== 'content-disposition');
    const header = `Content-Disposition: attachment${disposition}\r\n\r\n`;
    const twin = [
      Buffer.from(`\r\n--${parent.boundary ?? ''}\r\n`, 'latin1'),
      ...linesOf(fields),
      Buffer.from(header, 'latin1'),
      mail.subarray(part.bodyStart, part.end),
    ];
    return [{ start: part.end, end: part.end, bytes: Buffer.concat(twin) }];
  });
}

/** A version of the text, or the page that the other parts belong to: its name is irrelevant. */
function isBodyOf(parent: MimePart, part: MimePart, parts: readonly MimePart[]): boolean {
  if (parent.boundary === undefined || parent.type === 'multipart/alternative') return true;
  return parent.type === 'multipart/related' && parts.find((other) => parentOf(other) === parent) === part;
}

function joinAlternatives(mail: Uint8Array, parts: readonly MimePart[]): Replacement[] {
  const pages = parts.filter(isInlineHtml);
  if (pages.length === 0) return [];
  return parts.flatMap((part) => {
    if (part.type !== 'multipart/alternative' || pages.some(({ inside }) => inside.includes(part))) return [];
    const field = part.fields.find(({ name }) => name === 'content-type');
    if (field === undefined) return [];
    const start = field.raw.byteOffset - mail.byteOffset;
    const at = latin1(field.raw).toLowerCase().indexOf('alternative');
    return [{ start: start + at, end: start + at + 'alternative'.length, bytes: Buffer.from('mixed') }];
  });
}

/**
 * Whether the text parts cover all HTML parts: every HTML part has a text part as its alternative.
 * @param parts of the email in `mail`
 */
export function textIsComplete(mail: Uint8Array, parts: readonly MimePart[]): boolean {
  const texts = parts.filter(
    (part) =>
      isInlineText(part) && part.type === 'text/plain' && hasWords(mail.subarray(part.bodyStart, part.end)),
  );
  return parts.filter(isInlineHtml).every((page) => {
    const versions = page.inside.find(({ type }) => type === 'multipart/alternative');
    return versions !== undefined && texts.some((text) => text.inside.includes(versions));
  });
}

/** Whether HTML and text are side by side, so that the page must show both together. */
export function hasTextBesideHtml(parts: readonly MimePart[]): boolean {
  const texts = parts.filter(isInlineText);
  return (
    texts.some(isInlineHtml) &&
    texts.some(
      (part) => !isInlineHtml(part) && !part.inside.some(({ type }) => type === 'multipart/alternative'),
    )
  );
}

const hasWords = (body: Uint8Array): boolean => body.some((byte) => byte > 0x20);

function isInlineText(part: MimePart): boolean {
  const disposition = fieldOf(part, 'content-disposition').trim();
  return /^text\/(?:plain|html)$/.test(part.type) && (disposition === '' || /^inline/i.test(disposition));
}

const isInlineHtml = (part: MimePart): boolean => part.type === 'text/html' && isInlineText(part);
const isContentField = ({ name }: RawField): boolean => name.startsWith('content-');
const encodingOf = (part: MimePart): string =>
  fieldOf(part, 'content-transfer-encoding').trim().toLowerCase();

/** The parameters that contain a file name, still encoded; empty if there are none. */
function namesOf(part: MimePart): string {
  const fields = `${fieldOf(part, 'content-disposition')};${fieldOf(part, 'content-type')}`;
  return fields.match(/;\s*(?:file)?name\*?[\d*]*\s*=\s*[^\s;][^;]*/gi)?.join('') ?? '';
}

/** Header lines, each with its line end. */
function linesOf(fields: readonly RawField[]): Uint8Array[] {
  return fields.map(({ raw }) => (raw.at(-1) === 0x0a ? raw : Buffer.concat([raw, endOfLine])));
}

function base64Lines(content: Uint8Array): Uint8Array {
  const text = Buffer.from(content).toString('base64');
  return Buffer.from(text.replace(/.{1,76}/g, '$&\r\n'));
}
