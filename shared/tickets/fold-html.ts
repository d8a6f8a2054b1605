import { findQuotation, type MailLine } from './find-quotation.ts';
import { type MarkedPart, PART_MARK } from './mark-parts.ts';

/** HTML with more tags and text nodes is not folded, so that it can be shown within two seconds. */
const MAX_PIECES = 50_000;
/** Maximum characters of text recorded per line. */
const LINE_CHARACTERS = 1_000;
/** Elements that start and end a line. */
const BLOCKS = new Set(
  'address article aside blockquote caption center dd div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 header hr li main ol p pre section table tbody tfoot thead tr ul'.split(
    ' ',
  ),
);

interface Tag {
  name: string;
  /** A self-closing tag such as `<br />`. */
  empty: boolean;
  closing: boolean;
  mark: MarkedPart | undefined;
}

interface HtmlLine extends MailLine {
  /** Index of the piece of HTML at which the line starts. */
  start: number;
}

/**
 * Folds the signature and the quotation at the end of a message into `<details>`, by the rules of
 * `find-quotation.ts`. Nothing is removed from the document. Takes linear time.
 * @param safeHtml output of `sanitiseMailHtml`: its tags are balanced, and text and attributes contain no `<`
 * or `>`
 */
export function foldQuotation(safeHtml: string, subject: string): string {
  const pieces = piecesOf(safeHtml);
  if (pieces === undefined)
    return safeHtml.replace(new RegExp(`(<[^<>]*?)\\s${PART_MARK}="[a-z]*"`, 'g'), '$1');
  const lines = linesOf(pieces);
  const { signature, quotation } = findQuotation(lines, subject);
  const folds = [
    ...(signature === undefined ? [] : [{ at: lines[signature]?.start ?? 0, summary: 'Show signature' }]),
    ...(quotation === undefined ? [] : [{ at: lines[quotation]?.start ?? 0, summary: 'Show quoted text' }]),
  ];
  return withFolds(pieces, folds);
}

/**
 * Tags and the text between them; inside `pre`, each line of text separately. Undefined if there are too many.
 */
function piecesOf(html: string): string[] | undefined {
  const pieces: string[] = [];
  let preformatted = 0;
  for (const [piece] of html.matchAll(/<[^>]*>|[^<]+|</g)) {
    if (/^<pre\b/.test(piece)) preformatted += 1;
    if (piece === '</pre>') preformatted -= 1;
    const parts = preformatted > 0 && !piece.startsWith('<') ? piece.split(/(?<=\n)/) : [piece];
    for (const part of parts) pieces.push(part);
    if (pieces.length > MAX_PIECES) return undefined;
  }
  return pieces;
}

function tagOf(piece: string): Tag | undefined {
  const found = /^<(\/?)([a-z][a-z0-9]*)/.exec(piece);
  if (found === null) return undefined;
  const mark = piece.includes(PART_MARK)
    ? new RegExp(`\\s${PART_MARK}="([a-z]+)"`).exec(piece)?.[1]
    : undefined;
  return {
    name: found[2] ?? '',
    empty: piece.endsWith('/>'),
    closing: found[1] === '/',
    mark: mark as MarkedPart | undefined,
  };
}

function linesOf(pieces: readonly string[]): HtmlLine[] {
  const lines: HtmlLine[] = [];
  const open: Tag[] = [];
  const within: Record<MarkedPart | 'blockquote' | 'pre', number> = {
    quotation: 0,
    attribution: 0,
    signature: 0,
    blockquote: 0,
    pre: 0,
  };
  const count = (tag: Tag, by: 1 | -1): void => {
    if (tag.mark !== undefined) within[tag.mark] += by;
    if (tag.name === 'blockquote' || tag.name === 'pre') within[tag.name] += by;
  };
  let start = 0;
  let text = '';
  let state: Omit<HtmlLine, 'text' | 'start'> = { quoted: false };
  const end = (next: number): void => {
    const line = text.replace(/\s+/g, ' ').trim();
    lines.push({ ...state, quoted: state.quoted || /^>/.test(line), text: line, start });
    start = next;
    text = '';
    state = { quoted: false };
  };
  const add = (words: string): void => {
    // A line belongs to the element that contains its words, not its white space or tags.
    if (text.trim() === '' && words.trim() !== '') {
      const part = within.attribution > 0 ? 'attribution' : within.signature > 0 ? 'signature' : undefined;
      state = {
        quoted: within.quotation > 0,
        indented: within.blockquote > 0,
        ...(part === undefined ? {} : { part }),
      };
    }
    if (text.length < LINE_CHARACTERS) text += words;
  };
  for (const [at, piece] of pieces.entries()) {
    const tag = tagOf(piece);
    if (tag === undefined) {
      add(decoded(piece.slice(0, LINE_CHARACTERS)));
      if (within.pre > 0 && piece.endsWith('\n')) end(at + 1);
      continue;
    }
    const filled = text.trim() !== '';
    if (tag.name === 'br') end(at + 1);
    else if (tag.name === 'img') add(isPicture(piece) ? '\ufffc' : '');
    else if (tag.name === 'td' || tag.name === 'th') text += ' ';
    else if (BLOCKS.has(tag.name) && filled) end(tag.closing ? at + 1 : at);
    else if (tag.closing && BLOCKS.has(tag.name)) end(at + 1);
    if (tag.closing) {
      const opened = open.pop();
      if (opened !== undefined) count(opened, -1);
    } else if (!tag.empty) {
      open.push(tag);
      count(tag, 1);
    }
  }
  end(pieces.length);
  return lines;
}

/** A visible image; tracking pixels are excluded. */
function isPicture(piece: string): boolean {
  return /\ssrc="/.test(piece) && !/\s(?:width|height)="[01]"/.test(piece);
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&amp;': '&',
  '&quot;': '"',
  '&nbsp;': ' ',
};

/** The sanitizer produces no other entities. */
const decoded = (text: string): string =>
  text.replace(/&(?:lt|gt|amp|quot|nbsp);/g, (entity) => ENTITIES[entity] ?? entity);

/**
 * Each fold ends where the next one starts, the last one at the end. Elements that are open at a fold are
 * closed before it and reopened inside it.
 */
function withFolds(pieces: readonly string[], folds: readonly { at: number; summary: string }[]): string {
  let html = '';
  const open: { name: string; piece: string }[] = [];
  let inFold = false;
  const closers = (): string =>
    open
      .map(({ name }) => `</${name}>`)
      .reverse()
      .join('');
  for (const [at, marked] of pieces.entries()) {
    const isMarked = marked.startsWith('<') && marked.includes(PART_MARK);
    const piece = isMarked ? marked.replace(new RegExp(`\\s${PART_MARK}="[a-z]*"`), '') : marked;
    for (const { summary } of folds.filter((fold) => fold.at === at)) {
      html += `${closers()}${inFold ? '</details>' : ''}<details class="fold"><summary>${summary}</summary>`;
      html += open.map((element) => element.piece).join('');
      inFold = true;
    }
    html += piece;
    const tag = tagOf(piece);
    if (tag?.closing === true) open.pop();
    else if (tag?.empty === false) open.push({ name: tag.name, piece });
  }
  return `${html}${inFold ? '</details>' : ''}`;
}
