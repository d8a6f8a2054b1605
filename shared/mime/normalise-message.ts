import { domainToASCII } from 'node:url';
import { textOfHtml } from '../tickets/html-text.ts';
import type { AuthenticationField } from './authentication-results.ts';
import { cleanBody, cleanFileName, cleanLine, cutText } from './clean-text.ts';
import { cutBytes, needsDecoding } from './header-charset.ts';
import { readDate } from './message-date.ts';
import type {
  Address,
  AutomaticMarks,
  FromSource,
  ParsedAttachment,
  ParsedMessage,
} from './parsed-message.ts';
import type { HeaderTexts } from './prepare-message.ts';
import { addressIn, readReport, returnedIds } from './report-facts.ts';

/** The raw output of a MIME library, not yet trusted. */
export interface ReadMail {
  addresses: Record<FromSource | 'to' | 'cc', ReadAddress[]>;
  subject: string;
  text: string;
  html: string | undefined;
  parts: ReadPart[];
}

export interface ReadAddress {
  name: string;
  address: string;
}

export interface ReadPart {
  filename: string | undefined;
  contentType: string | undefined;
  contentId: string | undefined;
  inline: boolean;
  content: Uint8Array;
}

const subjectLimit = 1_000;
const nameLimit = 200;
const listLimit = 200;
const idLimit = 995;
const referenceLimit = 50;
/** How much of a delivery report is shown as text; the full report remains an attachment. */
const reportLimit = 64 * 1024;

/**
 * Cleans the output of a library: no control characters in any field, only plain addresses, only safe file
 * names, no time that the email does not state, no type guessed from a name. Pure.
 * @param cutOf returns the number of the cut part whose marker a content is
 */
export function normaliseMessage(
  read: ReadMail,
  headers: HeaderTexts,
  authentication: readonly AuthenticationField[],
  notes: readonly string[],
  cutOf: (content: Uint8Array) => number | undefined,
): ParsedMessage {
  const remarks = [...notes];
  const list = (name: FromSource | 'to' | 'cc'): Address[] => {
    const all = read.addresses[name].flatMap((address) => cleanAddress(address) ?? []);
    if (all.length > listLimit) remarks.push(`${name} list cut at ${listLimit} addresses`);
    return all.slice(0, listLimit);
  };
  const replyTo = list('reply-to');
  const sender = findSender(read.addresses);
  const subject = cleanLine(read.subject, read.subject.length);
  if (subject.length > subjectLimit) remarks.push(`subject cut at ${subjectLimit} characters`);
  const attachments = read.parts.map((part, index) => toAttachment(part, index, cutOf(part.content)));
  return {
    from: sender?.address,
    fromSource: sender?.source,
    fromName: nameOfSender(read.addresses.from[0], sender, headers.first('from')),
    replyTo,
    to: list('to'),
    cc: list('cc'),
    subject: cutText(subject, subjectLimit),
    messageId: messageIds(headers.first('message-id')).at(0),
    inReplyTo: messageIds(headers.first('in-reply-to')).slice(0, referenceLimit),
    references: messageIds(headers.first('references')).slice(-referenceLimit),
    date: readDate(headers.first('date') ?? ''),
    text: withReports(cleanBody(read.text), attachments),
    html: read.html?.toWellFormed(),
    attachments,
    automatic: automaticMarks(headers, attachments),
    authentication,
    notes: remarks,
  };
}

/** The start of the visible text on one line, at most 200 characters. Linear time. */
export function previewOf(mail: Pick<ParsedMessage, 'text' | 'html' | 'encryption' | 'invitation'>): string {
  const lineOf = (text: string): string => cleanLine(cutText(text, 8 * 1024).replace(/\s+/g, ' '), 200);
  const fromText = lineOf(mail.text.trimStart());
  if (fromText !== '') return fromText;
  const fromHtml = mail.html === undefined ? '' : lineOf(textOfHtml(mail.html).trimStart());
  if (fromHtml !== '') return fromHtml;
  return mail.invitation?.title ?? (mail.encryption === undefined ? '' : 'Encrypted email');
}

/** The first valid address in order of trust. An email without one is still an email. */
function findSender(addresses: ReadMail['addresses']): { address: Address; source: FromSource } | undefined {
  for (const source of ['from', 'reply-to', 'sender', 'return-path'] as const) {
    for (const candidate of addresses[source]) {
      const address = cleanAddress(candidate);
      if (address !== undefined) return { address, source };
    }
  }
  return undefined;
}

/**
 * If From has no readable address, its text identifies the sender: fax
 * gateways and telephone systems write a number.
 */
function nameOfSender(
  from: ReadAddress | undefined,
  sender: { address: Address; source: FromSource } | undefined,
  header: string | undefined,
): string | undefined {
  const name = sender?.address.name ?? nameOf(from);
  if (name !== undefined || sender?.source === 'from') return name;
  const written = header?.replace(/^\s*<([^<>]*)>\s*$/, '$1') ?? '';
  if (!/[\p{L}\p{N}]/u.test(written)) return undefined;
  // The library's result has encoded words decoded.
  return nameOf({ name: written.includes('=?') ? (from?.address ?? '') : written, address: '' });
}

function nameOf(read: ReadAddress | undefined): string | undefined {
  const name = cleanLine(read?.name ?? '', nameLimit);
  return name === '' ? undefined : name;
}

const refusedInLocal = /[\s\p{Cc}()<>[\]:;@\\,"]/u;
/** `domainToASCII` would drop them, and two addresses that look alike would become the same. */
const invisible = /[\p{Cf}\p{Default_Ignorable_Code_Point}]/u;

/**
 * An address that is safe in an envelope and a header, or undefined. Quoted local parts and address literals
 * are rejected: mail programs disagree about them (CVE-2025-13033).
 */
export function cleanAddress(read: ReadAddress): Address | undefined {
  if (read.address.length > 320) return undefined;
  // Outlook sometimes leaves the quotes of a display name around an address.
  const plain = /^'(.+)'$/.exec(read.address)?.[1] ?? read.address;
  const at = plain.lastIndexOf('@');
  const local = plain.slice(0, Math.max(0, at));
  if (local === '' || refusedInLocal.test(local) || invisible.test(plain)) return undefined;
  const domain = cleanDomain(plain.slice(at + 1));
  if (domain === undefined || !local.isWellFormed()) return undefined;
  return { name: nameOf(read), address: `${local}@${domain}` };
}

function cleanDomain(domain: string): string | undefined {
  const plain = /^[a-z0-9._-]+$/i.test(domain);
  // Beyond ASCII, printable characters may occur in names; other ASCII characters may not (RFC 5890).
  if (!plain && /[^\w.\u00a1-\uffff-]/.test(domain)) return undefined;
  const ascii = (plain ? domain : domainToASCII(domain)).toLowerCase().replace(/\.$/, '');
  return ascii.length <= 253 && /^[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/.test(ascii) ? ascii : undefined;
}

/**
 * The Message-IDs in a header, with angle brackets; one without brackets is accepted if it is the only one.
 */
function messageIds(value: string | undefined): string[] {
  if (value === undefined) return [];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed
  const line = value.replace(/[\0-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]/g, '').toWellFormed();
  const ids: string[] = [];
  for (let open = line.indexOf('<'); open >= 0; ) {
    const close = line.indexOf('>', open);
    if (close < 0) break;
    // The innermost bracket counts; blanks in an ID come from broken folding.
    const id = line.slice(line.lastIndexOf('<', close) + 1, close).replace(/\s+/g, '');
    if (id !== '' && id.length <= idLimit - 2) ids.push(`<${id}>`);
    open = line.indexOf('<', close);
  }
  const bare = line.trim();
  if (ids.length === 0 && /^[^\s<>]+$/.test(bare) && bare.length <= idLimit - 2) ids.push(`<${bare}>`);
  return [...new Set(ids)];
}

function toAttachment(part: ReadPart, index: number, cut: number | undefined): ParsedAttachment {
  const type = (part.contentType ?? '').toLowerCase().trim();
  const contentId = cleanLine((part.contentId ?? '').trim().replace(/^<|>$/g, ''), idLimit);
  return {
    index,
    filename: part.filename === undefined ? undefined : cleanFileName(part.filename),
    contentType: /^[a-z0-9!#$&^_.+-]{1,127}\/[a-z0-9!#$&^_.+-]{1,127}$/.test(type)
      ? type
      : 'application/octet-stream',
    contentId: contentId === '' ? undefined : contentId,
    inline: part.inline,
    size: cut === undefined ? part.content.length : 0,
    content: cut === undefined ? part.content : undefined,
    cut,
  };
}

const reportTypes = new Set([
  'message/delivery-status',
  'message/global-delivery-status',
  'message/disposition-notification',
  'message/feedback-report',
]);

/**
 * Often only the machine-readable part of a delivery report has any
 * content, and it is readable enough to show.
 */
function withReports(text: string, attachments: readonly ParsedAttachment[]): string {
  const reports = attachments
    .filter((attachment) => reportTypes.has(attachment.contentType) && attachment.content !== undefined)
    .map(({ content }) => cleanBody(reportText(content ?? new Uint8Array())).trim());
  return [text.trimEnd(), ...reports].filter((piece) => piece !== '').join('\n\n');
}

/** A report has no charset (RFC 3464 §2.1); some servers write their own language into it. */
function reportText(content: Uint8Array): string {
  const bytes = cutBytes(content, reportLimit);
  return new TextDecoder(needsDecoding(bytes) ? 'windows-1252' : 'utf-8').decode(bytes);
}

function automaticMarks(headers: HeaderTexts, attachments: readonly ParsedAttachment[]): AutomaticMarks {
  const word = (name: string): string | undefined => {
    const value = cleanLine(headers.first(name) ?? '', 200);
    return value === '' ? undefined : value;
  };
  const autoSubmitted = word('auto-submitted')
    ?.split(/[;\s(]/)[0]
    ?.toLowerCase();
  const precedence = word('precedence')?.toLowerCase();
  const listName = [...headers.names].find((name) => name.startsWith('list-'));
  const listId = word('list-id') ?? listName;
  const suppress = word('x-auto-response-suppress') ?? autoReplyHeader(headers);
  const isReport =
    /^multipart\/report/i.test(headers.first('content-type') ?? '') ||
    attachments.some((attachment) => reportTypes.has(attachment.contentType));
  const isVacation =
    /\bvacation\b/i.test(headers.first('auto-submitted') ?? '') ||
    // Exchange sends out-of-office replies through the mailbox's rules,
    // which also mark everything they forward.
    (headers.names.has('x-ms-exchange-inbox-rules-loop') &&
      autoSubmitted !== undefined &&
      autoSubmitted !== 'no' &&
      /\b(?:all|oof|autoreply)\b/i.test(suppress ?? ''));
  const report = readReport(headers.first('content-type') ?? '', attachments);
  const attached = returnedIds(attachments);
  const failed = (headers.first('x-failed-recipients') ?? '')
    .slice(0, 2_000)
    .split(',')
    .flatMap((text) => addressIn(text) ?? []);
  return {
    ...(autoSubmitted === undefined ? {} : { autoSubmitted }),
    ...(precedence === undefined ? {} : { precedence }),
    ...(listId === undefined ? {} : { listId }),
    returnPathEmpty: /^\s*<\s*>/.test(headers.first('return-path') ?? ''),
    isReport,
    ...(suppress === undefined ? {} : { suppress }),
    ...((headers.names.has('list-id') || headers.names.has('list-post')) && { isListId: true }),
    ...(isVacation && { isVacation }),
    ...(headers.names.has('x-failed-recipients') && { failedRecipients: true }),
    ...(failed.length > 0 && { failedAddresses: failed }),
    ...(report === undefined && attached.length > 0 && { returnedIds: attached }),
    ...(headers.names.has('x-postroom') && { isPostroom: true }),
    ...(report !== undefined && { report }),
  };
}

/** Marks of responders older than RFC 3834. */
function autoReplyHeader(headers: HeaderTexts): string | undefined {
  const names = ['x-autoreply', 'x-autorespond', 'x-autoresponder', 'x-auto-response', 'x-failed-recipients'];
  const found = names.find((name) => headers.names.has(name));
  return found === undefined ? undefined : cleanLine(`${found}: ${headers.first(found) ?? ''}`, 200);
}
