import { createBase64Decoder } from './base64-decoder.ts';
import { fieldOf, isContainer, type MimePart, mimeParts, parentOf } from './mime-parts.ts';
import type { MimeStructure } from './mime-structure.ts';
import { findBodyStart, latin1, type RawField, splitFields } from './raw-headers.ts';
import { takeUuFiles } from './uuencode.ts';

/**
 * Rewrites the parts that MIME libraries read in another way than a mail program shows them, so that both libraries read
 * what the sender meant. Pure. An email that would pass the limits in this way is left as it came.
 *
 * - Opaque-signed S/MIME becomes the content that was signed.
 * - A part in uuencode becomes one in base64.
 * - Inline text with a file name gets a twin that is an attachment: it is shown, and it is a file.
 * - Alternatives without HTML become ordinary parts where the email has HTML elsewhere: libraries leave them out of it.
 *
 * @param limits those that the email itself has kept
 * @param openSignatures false where a library may have failed at what was signed: the signed file stays as it is
 */
export async function openParts(
  bytes: Uint8Array,
  limits: MimeStructure,
  openSignatures: boolean,
): Promise<OpenedMail> {
  const asItCame = { bytes, parts: mimeParts(bytes, limits) };
  let opened: OpenedMail = asItCame;
  // Twice: what was signed may be a signed email.
  for (const rewrite of openSignatures ? [openSigned, openSigned, ...rewrites] : rewrites) {
    const replacements = await rewrite(opened.bytes, opened.parts);
    if (replacements.length === 0) continue;
    const rewritten = replaceRanges(opened.bytes, replacements);
    const parts = mimeParts(rewritten, limits);
    if (parts.length === 0) return asItCame;
    opened = { bytes: rewritten, parts };
  }
  return opened;
}

export interface OpenedMail {
  bytes: Uint8Array;
  /** Of these bytes; none where nothing is known about them. */
  parts: readonly MimePart[];
}

/** Bytes that take the place of others. */
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

/** In the order of the email; of those that overlap the first counts. */
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

/** `smime.p7m`, also where a program calls it a file of no type. */
export function isSmime(part: MimePart): boolean {
  return (
    smimeTypes.has(part.type) ||
    (part.type === 'application/octet-stream' && /\bsmime\.p7m\b/i.test(namesOf(part)))
  );
}

/** The body of a part up to `end`, its base64 decoded; that of other encodings as it stands. */
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
  // The library for it is loaded with the first signed email.
  const { signedContent } = await import('./cms.ts');
  return signed.flatMap((part) => {
    const entity = signedContent(contentOf(mail, part, part.end));
    const bodyStart = entity === undefined ? undefined : findBodyStart(entity);
    if (entity === undefined || bodyStart === undefined) return [];
    // The sender of the email is named outside: nothing that was signed may name another one.
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

/** A version of the text, or the page that the other parts belong to: its name is of no interest. */
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
 * Whether the text parts say all that the HTML parts say: no HTML stands for itself, without a text as its alternative.
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

/** Whether HTML and text stand beside each other, so that the page needs both in one. */
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

/** The parameters that give a file's name, still encoded; empty when none does. */
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
