import {
  answersWithin,
  attributionStart,
  deviceLine,
  type FieldKind,
  fieldKinds,
  forwardedMessage,
  forwardedSubject,
  originalMessage,
  rawField,
  wroteWord,
} from './quotation-words.ts';

// Finds what a page may collapse: the quotation at the end of a message and the signature above it, never the
// sender's own words. In doubt, everything stays visible: an extra quotation costs a glance, but a hidden reply
// is missed.

/** One line of a message's text, or of its rendered HTML. */
export interface MailLine {
  /** Trimmed if it comes from HTML. */
  text: string;
  /** Marked as quoted, by `>` or by a mail client's element. */
  quoted: boolean;
  /** In an indented block, which may be a quotation. HTML only. */
  indented?: boolean;
  /** What the mail client marked this line as. HTML only. */
  part?: 'attribution' | 'signature';
}

/** Line indexes. */
export interface FoldPoints {
  /** First line of the signature, which ends at the quotation or at the end of the message. */
  signature: number | undefined;
  /** First line of the quotation, which ends at the end of the message. */
  quotation: number | undefined;
}

/** Only this many characters of a line are examined. */
const MAX_LINE_CHARACTERS = 400;
/** Maximum lines of a signature. */
const SIGNATURE_LINES = 10;
/** Maximum lines of a signature that the mail client marked, with address, slogan and disclaimer. */
const MARKED_LINES = 20;
/** Longer messages are logs or reports rather than letters and are not collapsed. */
const MAX_LINES = 5_000;
/** The header fields above a quotation are within this many lines. */
const FIELD_LINES = 12;

const noFolds: FoldPoints = { signature: undefined, quotation: undefined };

/**
 * Finds the signature and the quotation at the end of a message, in linear time.
 * @param subject identifies a message forwarded from Outlook, whose body looks like a reply
 */
export function findQuotation(lines: readonly MailLine[], subject = ''): FoldPoints {
  if (lines.length > MAX_LINES) return noFolds;
  const trailer = signatureStart(lines, lines.length);
  const quotation = quotationStart(lines, trailer);
  if (quotation === 'stays' || (quotation !== undefined && forwardedSubject.test(subject))) return noFolds;
  const signature = signatureStart(lines, quotation ?? lines.length);
  return { signature: signature < (quotation ?? lines.length) ? signature : undefined, quotation };
}

const isBlank = ({ text }: MailLine): boolean => text.trim() === '' || /^\s*_{5,}\s*$/.test(text);
const isFiller = (line: MailLine | undefined): boolean =>
  line !== undefined && (isBlank(line) || originalMessage.test(line.text.slice(0, 200).trim()));
const shortened = (line: MailLine | undefined): string =>
  (line?.text ?? '').slice(0, MAX_LINE_CHARACTERS).trim();

/** @param trailer first line of a signature at the end; if both are short, it may contain the quotation */
function quotationStart(lines: readonly MailLine[], trailer: number): number | 'stays' | undefined {
  for (let at = 0; at < lines.length; at += 1) {
    const end = at < trailer ? trailer : lines.length;
    const line = lines[at];
    if (line === undefined || isBlank(line)) continue;
    if (line.text.length <= MAX_LINE_CHARACTERS && forwardedMessage.test(line.text)) return 'stays';
    if (line.quoted) {
      const after = endOfRun(lines, at, end, ({ quoted }) => quoted);
      if (after < end) at = after - 1;
      else return withAttribution(lines, at);
    } else {
      const below = originalMessage.test(line.text.slice(0, 200))
        ? at + 1
        : (fieldsEnd(lines, at) ?? attributionEnd(lines, at, end));
      if (below === 'stays') return below;
      if (below !== undefined) return foldPoint(lines, at);
    }
  }
  return undefined;
}

/** The index after a run of such lines and blank lines. */
function endOfRun(
  lines: readonly MailLine[],
  start: number,
  end: number,
  belongs: (line: MailLine) => boolean,
): number {
  let at = start;
  while (at < end) {
    const line = lines[at];
    if (line === undefined || !(isBlank(line) || belongs(line))) break;
    at += 1;
  }
  return at;
}

/** A marked quotation includes the line above it if that line says who wrote the quoted text. */
function withAttribution(lines: readonly MailLine[], quoted: number): number | 'stays' {
  let above = quoted - 1;
  while (above >= 0 && shortened(lines[above]) === '') above -= 1;
  const text = (lines[above]?.text ?? '').length > MAX_LINE_CHARACTERS ? '' : shortened(lines[above]);
  const named = isDay.test(text) && isAddress.test(text) && attributionStart.test(text);
  if (!/[:：]$/u.test(text) && !named) return foldPoint(lines, quoted);
  // A line such as "The log says:" is not an attribution, and what it introduces must stay visible.
  if (!wroteWord.test(text) && !(hasDate(text) && (isAddress.test(text) || attributionStart.test(text))))
    return 'stays';
  const upper = shortened(lines[above - 1]);
  const wrapped = !attributionStart.test(text) && attributionStart.test(upper) && !/[.!?:：]$/u.test(upper);
  return foldPoint(lines, wrapped ? above - 1 : above);
}

/**
 * Moves the index up past blank lines. `stays` if there is nothing above it, or if the text above refers to the
 * quotation.
 */
function foldPoint(lines: readonly MailLine[], quotation: number): number | 'stays' {
  let start = quotation;
  while (start > 0 && isFiller(lines[start - 1])) start -= 1;
  if (start === 0) return 'stays';
  const last = shortened(lines[start - 1]);
  const written = lines
    .slice(Math.max(0, start - 30), start)
    .map(shortened)
    .join('\n');
  return /[:：]$/u.test(last) || answersWithin.test(written) ? 'stays' : start;
}

const isTime = /(?<!\d)\d{1,2}[:.h]\d{2}(?!\d)/u;
const isDay = /(?<!\d)(?:19|20)\d{2}(?!\d)|(?<!\d)\d{1,2}[./]\s?\d{1,2}[./]\s?\d{2}(?!\d)/u;
const isAddress = /[^\s<>()@]{1,64}@[^\s<>()@]{1,255}/u;
const hasDate = (text: string): boolean => isDay.test(text) && (isTime.test(text) || isAddress.test(text));

/**
 * Matches "On 5 March 2024 at 9:14, Ada wrote:": a full date with a time or an address, and the verb or the
 * typical start of such a line.
 */
function isAttribution(text: string): boolean {
  if (!/(?:[:：]|(?<!\p{L})wrote\s?-*)$/u.test(text) || !hasDate(text)) return false;
  return wroteWord.test(text) || (isAddress.test(text) && attributionStart.test(text));
}

/**
 * The end of the attribution line at `start`, which clients wrap to up to three lines. Undefined if there is
 * none, or if anything other than the quotation follows.
 */
function attributionEnd(lines: readonly MailLine[], start: number, end: number): number | undefined {
  const below = attributionLength(lines, start, end);
  if (below === undefined) return undefined;
  const content = endOfRun(lines, below, end, () => false);
  const first = lines[content];
  if (first === undefined || content >= end) return undefined;
  const marked = ({ quoted, indented }: MailLine): boolean => quoted || indented === true;
  if (!marked(first))
    return lines[start]?.part === 'attribution' && !isAttribution(shortened(lines[start]))
      ? undefined
      : below;
  return endOfRun(lines, content, end, marked) < end ? undefined : below;
}

function attributionLength(lines: readonly MailLine[], start: number, end: number): number | undefined {
  const first = lines[start];
  if (first?.part === 'attribution') return endOfRun(lines, start, end, ({ part }) => part === 'attribution');
  let joined = shortened(first);
  if (isAttribution(joined)) return start + 1;
  if (!attributionStart.test(joined) || /[.!?:：]$/u.test(joined)) return undefined;
  for (let next = start + 1; next < Math.min(end, start + 3); next += 1) {
    const line = lines[next];
    const text = shortened(line);
    if (text === '' || line?.quoted === true) return undefined;
    // A complete attribution by itself, so the line above it is a reply.
    if (attributionStart.test(text) && isAttribution(text)) return undefined;
    joined = `${joined} ${text}`;
    if (joined.length <= MAX_LINE_CHARACTERS && isAttribution(joined)) return next + 1;
  }
  return undefined;
}

/**
 * The end of the block of header fields ("From, Sent, To, Subject") that starts at this line, as clients write
 * it above a quotation. Undefined for the header of a raw message, or if nothing follows. `stays` for the order
 * From, Subject: these introduce a forwarded message, which must stay visible.
 */
function fieldsEnd(lines: readonly MailLine[], start: number): number | 'stays' | undefined {
  if (fieldOf(lines[start]) === undefined || rawField.test(lines[start - 1]?.text ?? '')) return undefined;
  const kinds = new Set<FieldKind>();
  let below = start;
  for (let at = start; at < Math.min(lines.length, start + FIELD_LINES); at += 1) {
    const line = lines[at];
    if (line === undefined || line.text.trim() === '') break;
    if (rawField.test(line.text)) return undefined;
    const kind = fieldOf(line);
    if (kind !== undefined) {
      kinds.add(kind);
      below = at + 1;
    } else if (at - below >= 2) break;
  }
  const order = [...kinds];
  const forwarded = order.indexOf('subject') === order.indexOf('from') + 1 && order[0] === 'from';
  const complete = kinds.has('from') && kinds.has('date') && kinds.has('subject');
  if (!complete || !lines.slice(below).some((line) => !isBlank(line))) return undefined;
  return forwarded ? 'stays' : below;
}

function fieldOf(line: MailLine | undefined): FieldKind | undefined {
  const name = /^[*\s]*([^:：*]{1,24}?)[*\s]*[:：]/u.exec(line?.text.slice(0, 40) ?? '')?.[1];
  return name === undefined ? undefined : fieldKinds.get(name.toLowerCase());
}

/** First line of the signature that ends at `end`; `end` if there is none, or nothing above it. */
function signatureStart(lines: readonly MailLine[], end: number): number {
  let start = end;
  // The line of a mobile device can be above or below the signature.
  for (let pass = 0; pass < 3; pass += 1) {
    const above = oneSignature(lines, start);
    if (above === start) break;
    start = above;
  }
  const hasWords = lines.slice(0, start).some((line) => !isBlank(line));
  return hasWords ? start : end;
}

function oneSignature(lines: readonly MailLine[], end: number): number {
  let last = end - 1;
  while (last >= 0 && lines[last]?.text.trim() === '') last -= 1;
  if (last < 0) return end;
  const marked = markedStart(lines, last);
  if (marked <= last) return marked;
  let filled = 0;
  for (let at = last; at >= 0 && filled <= SIGNATURE_LINES; at -= 1) {
    const line = lines[at];
    if (line === undefined || line.quoted || rawField.test(line.text)) break;
    if (isDelimiter(lines, at, last)) return at;
    if (line.text.trim() !== '') filled += 1;
  }
  return isDevice(lines[last]) ? last : end;
}

/**
 * First line of the signature that the client marked and that ends at `last`; `last + 1` if the last line is
 * not marked, or if the block is too long.
 */
function markedStart(lines: readonly MailLine[], last: number): number {
  let start = last + 1;
  let filled = 0;
  for (let at = last; at >= 0; at -= 1) {
    const line = lines[at];
    if (line?.text.trim() === '') continue;
    if (line?.part !== 'signature') break;
    start = at;
    filled += 1;
  }
  // A sender who writes the message itself in the signature block wants it to be read.
  return filled <= MARKED_LINES ? start : last + 1;
}

/** True for the delimiter above a signature (RFC 3676 section 4.3) or above a mailing list's footer. */
function isDelimiter(lines: readonly MailLine[], at: number, last: number): boolean {
  const text = lines[at]?.text ?? '';
  const below = lines.slice(at + 1, last + 1).map(shortened);
  if (below.length === 0) return false;
  // A postscript or a question is meant to be read.
  if (/^--/.test(text) && below.some((line) => /[?]$|^p\.?\s?s\b/iu.test(line))) return false;
  if (text === '-- ') return true;
  // Without the trailing space, it can also be a separator between paragraphs.
  if (/^(?:--|[—–]{1,12})\s*$/u.test(text))
    return !below.some((line) => /[?.!:]$/u.test(line) || line.length > 80);
  return /^_{30,}\s*$/.test(text) && below.length <= 6 && below.some((line) => /https?:\/\/|@/.test(line));
}

function isDevice(line: MailLine | undefined): boolean {
  const text = shortened(line);
  const found = deviceLine.exec(text);
  // Longer text is a sentence about a device, not a device's line.
  return found !== null && /^[^,;:!?]{0,50}$/u.test(text.slice(found[0].length).replace(/<[^<>]*>$/, ''));
}
