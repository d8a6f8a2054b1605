import { cutMarker } from './attachment-cutter.ts';
import { declareCharsets } from './body-charset.ts';
import type { TextGuesser } from './charset-detection.ts';
import { encryptionOf } from './encryption.ts';
import { expandParts } from './expand-parts.ts';
import { cutBytes } from './header-charset.ts';
import { findHeaderEnd } from './header-end.ts';
import { withFoundBoundary } from './lost-boundary.ts';
import { hasEmptyInlineMessage, hasMoreLines, measureStructure } from './mime-structure.ts';
import { normaliseMessage, type ReadAddress, type ReadMail, type ReadPart } from './normalise-message.ts';
import { hasTextBesideHtml, type OpenedMail, openParts, textIsComplete } from './open-parts.ts';
import { type ParseLimits, type ParseOutcome, SECOND_PARSER } from './parsed-message.ts';
import { type HeaderTexts, prepareMessage } from './prepare-message.ts';
import { storedBody } from './stored-text.ts';
import { decodeTransfer } from './transfer-encoding.ts';

export type MailLibrary = 'mailparser' | 'postal-mime';

export interface ParseOptions {
  parser: MailLibrary;
  /** The nonce with which the attachments were cut out (`attachment-cutter.ts`). */
  nonce?: string;
  limits: ParseLimits;
}

/** Preloads the libraries, so that the first email does not wait for them. */
export const loadLibraries = (): Promise<unknown> =>
  Promise.all([import('mailparser'), import('postal-mime')]);

const rawTextLimit = 64 * 1024;

/**
 * Reads one email. Neither library is safe alone (one hangs on an email of 129 bytes, the other needs minutes
 * for some megabytes of line ends), so this belongs in a thread that can be killed: `parser-pool.ts`.
 * @throws any error that the library throws for an unreadable email
 */
export async function parseMessage(raw: Uint8Array, options: ParseOptions): Promise<ParseOutcome> {
  if (raw.length === 0) return { kind: 'not-a-mail', reason: 'not an email: it is empty' };
  const { limits, nonce } = options;
  const prepared = await prepareMessage(raw, limits);
  if (prepared === undefined) {
    return { kind: 'not-a-mail', reason: 'not an email: it has none of the header fields that make one' };
  }
  const { headers, guesser, authentication, notes } = prepared;
  if (hasMoreLines(prepared.bytes, limits.lines))
    return unreadable(`it has more than ${inWords(limits.lines)} lines`);
  const repaired = withFoundBoundary(prepared.bytes);
  if (repaired !== undefined)
    notes.push('the declared boundary does not occur in the email: another one was used');
  const bytes = repaired ?? prepared.bytes;
  const { parts, depth } = measureStructure(bytes, limits);
  if (depth > limits.depth) return unreadable(`its parts are nested more than ${limits.depth} deep`);
  if (parts > limits.parts) return unreadable(`it has more than ${inWords(limits.parts)} parts`);

  // The second library runs after a first attempt failed, perhaps on an opened part, so it opens none.
  const wouldHang = options.parser === 'mailparser' && hasEmptyInlineMessage(bytes);
  if (wouldHang) notes.push(SECOND_PARSER);
  const isFirst = options.parser === 'mailparser' && !wouldHang;
  const opened = await openParts(bytes, limits, isFirst);
  const declared = { ...opened, bytes: await declareCharsets(opened.bytes, guesser) };
  const mail = await (isFirst ? readWithMailparser : readWithPostalMime)(declared, limits);
  if (mail.text.trim() === '' && mail.html === undefined && mail.parts.length === 0) {
    mail.text = await bodyAsText(opened.bytes, headers, guesser);
    if (mail.text !== '') notes.push('no part of it could be read: the raw text is shown');
  }
  if (isFirst) expandParts(mail, limits.parts);
  Object.assign(mail, storedBody(mail, textIsComplete(opened.bytes, opened.parts)));
  const message = normaliseMessage(mail, headers, authentication, notes, cutFinder(nonce));
  message.encryption = encryptionOf(opened, message.text);
  const calendar = isFirst ? mail.parts.filter(isCalendar) : [];
  // The library is loaded with the first meeting.
  if (calendar.length > 0)
    message.invitation = (await import('./read-invitation.ts')).invitationIn(
      calendar.map(({ content }) => content),
    );
  return { kind: 'mail', mail: message };
}

/**
 * Some programs lose the boundary of their multipart. A library then finds nothing in it, but a person can
 * read the raw text. Empty if it contains only delimiters and part headers.
 */
async function bodyAsText(bytes: Uint8Array, headers: HeaderTexts, guesser: TextGuesser): Promise<string> {
  const body = bytes.subarray(findHeaderEnd(bytes), findHeaderEnd(bytes) + rawTextLimit * 2);
  const decoded = decodeTransfer(body, headers.first('content-transfer-encoding') ?? '');
  const text = await guesser.decode(cutBytes(decoded, rawTextLimit));
  const hasWords = text.split('\n').some((line) => /^(?!--|content-|\s|$)/i.test(line));
  return hasWords ? text : '';
}

function isCalendar({ contentType }: ReadPart): boolean {
  return /^(?:text\/calendar|application\/ics)$/i.test(contentType ?? '');
}

const inWords = (count: number): string => count.toLocaleString('en-US');

function unreadable(reason: string): ParseOutcome {
  return { kind: 'unreadable', reason: `The email cannot be read: ${reason}.` };
}

/** Distinguishes a marker of the attachment cutter from content. */
function cutFinder(nonce: string | undefined): (content: Uint8Array) => number | undefined {
  if (nonce === undefined) return () => undefined;
  const prefix = cutMarker(nonce, 0).slice(0, -1);
  return (content) => {
    if (content.length > prefix.length + 12) return undefined;
    const text = Buffer.from(content).toString('latin1').trim();
    const number = text.startsWith(prefix) ? text.slice(prefix.length) : '';
    return /^\d{1,9}$/.test(number) ? Number(number) : undefined;
  };
}

/**
 * Minimal settings: no text made from HTML, no HTML made from text alone,
 * no links, no checksums (a third of the time).
 */
async function readWithMailparser(
  { bytes, parts: tree }: OpenedMail,
  limits: ParseLimits,
): Promise<ReadMail> {
  const { MailParser } = await import('mailparser');
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const parser = new MailParser({
    skipHtmlToText: true,
    skipTextToHtml: !hasTextBesideHtml(tree),
    skipImageLinks: true,
    skipTextLinks: true,
    keepDeliveryStatus: true,
    checksumAlgo: false,
    // The limits were already enforced. The library also counts the email
    // itself and parts that consist of a header only.
    maxChildNodes: limits.parts * 2,
    // Leaves room for the blank line after a block that was cut to the limit.
    maxHeadSize: limits.headerBlock + 1_024,
  });
  let headers = new Map<string, unknown>();
  let text = '';
  let html: string | undefined;
  const parts: ReadPart[] = [];
  parser.on('headers', (found) => {
    headers = found;
  });
  parser.on('data', (item) => {
    if (item.type === 'text') {
      text = item.text ?? '';
      html = item.html;
      return;
    }
    const chunks: Buffer[] = [];
    const index = parts.length;
    parts.push({
      filename: item.filename,
      contentType: structuredValue(item.headers.get('content-type')),
      contentId: item.contentId,
      inline:
        item.contentDisposition === 'inline' ||
        (item.related === true && item.contentDisposition !== 'attachment'),
      content: new Uint8Array(0),
    });
    item.content.on('data', (chunk: Buffer) => chunks.push(chunk));
    item.content.once('error', reject);
    item.content.once('end', () => {
      const part = parts[index];
      if (part !== undefined) part.content = Buffer.concat(chunks);
      item.release?.();
    });
  });
  parser.once('error', reject);
  parser.once('end', resolve);
  parser.end(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  await promise;
  const list = (name: string): ReadAddress[] => addressList(headers.get(name));
  return {
    addresses: {
      from: list('from'),
      'reply-to': list('reply-to'),
      sender: list('sender'),
      'return-path': list('return-path'),
      to: list('to'),
      cc: list('cc'),
    },
    subject: String(headers.get('subject') ?? ''),
    text,
    html: html === '' ? undefined : html,
    parts,
  };
}

/** The fallback library. */
async function readWithPostalMime({ bytes }: OpenedMail, limits: ParseLimits): Promise<ReadMail> {
  const { default: PostalMime } = await import('postal-mime');
  const mail = await PostalMime.parse(bytes, { rfc822Attachments: true, maxNestingDepth: limits.depth * 2 });
  return {
    addresses: {
      from: addressList(mail.from),
      'reply-to': addressList(mail.replyTo),
      sender: addressList(mail.sender),
      'return-path': mail.returnPath === undefined ? [] : [{ name: '', address: mail.returnPath }],
      to: addressList(mail.to),
      cc: addressList(mail.cc),
    },
    subject: mail.subject ?? '',
    text: mail.text ?? '',
    html: mail.html,
    parts: mail.attachments.map((part) => ({
      filename: part.filename ?? undefined,
      contentType: part.mimeType,
      contentId: part.contentId,
      inline: part.disposition === 'inline' || (part.related === true && part.disposition !== 'attachment'),
      content: typeof part.content === 'string' ? Buffer.from(part.content) : new Uint8Array(part.content),
    })),
  };
}

/** The addresses in any shape a library returns: one, several, in groups, under `value`. */
function addressList(found: unknown): ReadAddress[] {
  if (Array.isArray(found)) return found.flatMap(addressList);
  if (!isRecord(found)) return [];
  if (found['value'] !== undefined) return addressList(found['value']);
  if (Array.isArray(found['group'])) return addressList(found['group']);
  return [{ name: String(found['name'] ?? ''), address: String(found['address'] ?? '') }];
}

function structuredValue(header: unknown): string | undefined {
  return isRecord(header) && typeof header['value'] === 'string' ? header['value'] : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
