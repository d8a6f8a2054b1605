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

// What a page may fold: the quotation at the end of a message and the signature above it, never a word that its writer
// wrote. Where that is not certain, everything stays in sight: a quotation too many costs a glance, a hidden answer costs
// the answer.

/** One line of a message, of its text or of what its HTML shows. */
export interface MailLine {
  /** Without blanks around it where it comes from HTML. */
  text: string;
  /** Marked as quoted: by `>`, or by the block of a mail client. */
  quoted: boolean;
  /** In a block that indents, which may be a quotation. HTML only. */
  indented?: boolean;
  /** What the mail client says this line is. HTML only. */
  part?: 'attribution' | 'signature';
}

/** Places in the list of lines. */
export interface FoldPoints {
  /** Where the signature begins; it ends at the quotation or at the end. */
  signature: number | undefined;
  /** Where the quotation begins; it ends at the end. */
  quotation: number | undefined;
}

/** Characters of a line that are looked at. */
const LOOKED_AT = 400;
/** Lines that a signature may have. */
const SIGNATURE_LINES = 10;
/** Lines that one may have which the client marks: with an address, a motto and a disclaimer. */
const MARKED_LINES = 20;
/** A message of more lines is no letter; it stays as it is. */
const MOST_LINES = 5_000;
/** Lines among which the fields above a quotation stand. */
const FIELD_LINES = 12;

const nothing: FoldPoints = { signature: undefined, quotation: undefined };

/**
 * Finds the signature and the quotation at the end of a message. Takes linear time.
 * @param subject tells a forwarded message of Outlook, which looks like an answer otherwise
 */
export function findQuotation(lines: readonly MailLine[], subject = ''): FoldPoints {
  if (lines.length > MOST_LINES) return nothing;
  const trailer = signatureStart(lines, lines.length);
  const quotation = quotationStart(lines, trailer);
  if (quotation === 'stays' || (quotation !== undefined && forwardedSubject.test(subject))) return nothing;
  const signature = signatureStart(lines, quotation ?? lines.length);
  return { signature: signature < (quotation ?? lines.length) ? signature : undefined, quotation };
}

const isBlank = ({ text }: MailLine): boolean => text.trim() === '' || /^\s*_{5,}\s*$/.test(text);
const isFiller = (line: MailLine | undefined): boolean =>
  line !== undefined && (isBlank(line) || originalMessage.test(line.text.slice(0, 200).trim()));
const shortened = (line: MailLine | undefined): string => (line?.text ?? '').slice(0, LOOKED_AT).trim();

/** @param trailer where a signature at the end begins, which may hold the quotation after all when both are short */
function quotationStart(lines: readonly MailLine[], trailer: number): number | 'stays' | undefined {
  for (let at = 0; at < lines.length; at += 1) {
    const end = at < trailer ? trailer : lines.length;
    const line = lines[at];
    if (line === undefined || isBlank(line)) continue;
    if (line.text.length <= LOOKED_AT && forwardedMessage.test(line.text)) return 'stays';
    if (line.quoted) {
      const after = endOfRun(lines, at, end, ({ quoted }) => quoted);
      if (after < end) at = after - 1;
      else return introduced(lines, at);
    } else {
      const below = originalMessage.test(line.text.slice(0, 200))
        ? at + 1
        : (fieldsEnd(lines, at) ?? attributionEnd(lines, at, end));
      if (below === 'stays') return below;
      if (below !== undefined) return allowed(lines, at);
    }
  }
  return undefined;
}

/** The place behind a run of such lines and blank ones. */
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

/** The line above a quotation that is marked belongs to it when it says who wrote what follows. */
function introduced(lines: readonly MailLine[], quoted: number): number | 'stays' {
  let above = quoted - 1;
  while (above >= 0 && shortened(lines[above]) === '') above -= 1;
  const text = (lines[above]?.text ?? '').length > LOOKED_AT ? '' : shortened(lines[above]);
  const named = isDay.test(text) && isAddress.test(text) && attributionStart.test(text);
  if (!/[:：]$/u.test(text) && !named) return allowed(lines, quoted);
  // "The log says:" is no such line, and what it announces is wanted.
  if (!wroteWord.test(text) && !(hasDate(text) && (isAddress.test(text) || attributionStart.test(text))))
    return 'stays';
  const upper = shortened(lines[above - 1]);
  const wrapped = !attributionStart.test(text) && attributionStart.test(upper) && !/[.!?:：]$/u.test(upper);
  return allowed(lines, wrapped ? above - 1 : above);
}

/** The place, moved up over what is empty, or that everything stays: nothing is above it, or what is there points at it. */
function allowed(lines: readonly MailLine[], quotation: number): number | 'stays' {
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

/** "On 5 March 2024 at 9:14, Ada wrote:": a full date with a time or an address, and the word or the form of such a line. */
function isAttribution(text: string): boolean {
  if (!/(?:[:：]|(?<!\p{L})wrote\s?-*)$/u.test(text) || !hasDate(text)) return false;
  return wroteWord.test(text) || (isAddress.test(text) && attributionStart.test(text));
}

/**
 * Where the line above a quotation ends, which clients wrap into up to three; undefined when there is none at that place,
 * or when something else than the quotation follows.
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
    // A whole one of its own: the line above it is an answer.
    if (attributionStart.test(text) && isAttribution(text)) return undefined;
    joined = `${joined} ${text}`;
    if (joined.length <= LOOKED_AT && isAttribution(joined)) return next + 1;
  }
  return undefined;
}

/**
 * Where the fields "From, Sent, To, Subject" end that begin at that line, as a client writes them above a quotation.
 * Undefined when they are none: of a message itself, or above nothing. In the order From and Subject they are those of a
 * forwarded message, which stays in sight.
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

/** Where the signature begins that ends at `end`; `end` when there is none, or nothing above it. */
function signatureStart(lines: readonly MailLine[], end: number): number {
  let start = end;
  // The telephone's line stands below the signature, or above it.
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

/** Where the lines begin that the client marks as its signature; behind `last` when what is there is none. */
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
  // Who writes a letter where the signature stands wants it to be read.
  return filled <= MARKED_LINES ? start : last + 1;
}

/** Whether the line is the one above a signature (RFC 3676 section 4.3), or above the footer of a mailing list. */
function isDelimiter(lines: readonly MailLine[], at: number, last: number): boolean {
  const text = lines[at]?.text ?? '';
  const below = lines.slice(at + 1, last + 1).map(shortened);
  if (below.length === 0) return false;
  // A postscript, or a question, is meant to be read.
  if (/^--/.test(text) && below.some((line) => /[?]$|^p\.?\s?s\b/iu.test(line))) return false;
  if (text === '-- ') return true;
  // Without its blank it is also a line between two paragraphs.
  if (/^(?:--|[—–]{1,12})\s*$/u.test(text))
    return !below.some((line) => /[?.!:]$/u.test(line) || line.length > 80);
  return /^_{30,}\s*$/.test(text) && below.length <= 6 && below.some((line) => /https?:\/\/|@/.test(line));
}

function isDevice(line: MailLine | undefined): boolean {
  const text = shortened(line);
  const found = deviceLine.exec(text);
  // More than the name of a device is a sentence about one.
  return found !== null && /^[^,;:!?]{0,50}$/u.test(text.slice(found[0].length).replace(/<[^<>]*>$/, ''));
}
