import { decodeHTML } from 'entities';

/** The visible text of an HTML email, in one pass and linear time for any input. */

/** Characters of HTML read for a short text; the start of an email is at its top. */
const HTML_LIMIT = 256 * 1024;
const PREVIEW_LIMIT = 8 * 1024;
/**
 * Maximum quote markers per line, so that deeply nested HTML can't produce thousands of characters per line.
 */
const QUOTE_SIGNS = 5;
/** Elements that the page removes with their content (`mail-html.ts`). */
const UNSEEN = new Set(
  'math noembed noframes noscript script select style svg template textarea title'.split(' '),
);
/** Elements that start and end a line. */
const BLOCKS = new Set(
  `address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 h4
   h5 h6 header hr li main nav ol p pre section table tbody tfoot thead tr ul`.split(/\s+/),
);
/** Elements with a blank line before and after them. */
const PARAGRAPHS = new Set('blockquote dl h1 h2 h3 h4 h5 h6 ol p pre table ul'.split(' '));

/**
 * Removes tags, comments, styles and scripts. Blocks become lines, list items start with `- `, quotations with
 * `> `, and cells are separated by tabs. Links, images and hidden elements are ignored.
 * @param textLimit stops after about this many characters of text. As many characters of HTML are read, but at
 * least 256 KiB.
 */
export function textOfHtml(html: string, textLimit = PREVIEW_LIMIT): string {
  const source = html.slice(0, Math.max(HTML_LIMIT, textLimit));
  // ASCII only: lowercasing other letters may change their length, but indexes must match in both strings.
  const lower = source.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  const endOfTag = tagEnds(source);
  const lines = createLines();
  let position = 0;
  // Any other `<` is literal text.
  const beginsTag = /<[a-z/!?]/g;
  while (position < source.length && lines.length() < textLimit) {
    beginsTag.lastIndex = position;
    const open = beginsTag.exec(lower)?.index ?? source.length;
    if (open > position)
      lines.write(decodeHTML(source.slice(position, Math.min(open, position + textLimit))));
    if (open === source.length) break;
    const tag = /^<(\/?)([a-z][a-z0-9]{0,15})(?![a-z0-9])/.exec(lower.slice(open, open + 20));
    const [, slash, name = ''] = tag ?? [];
    if (tag !== null) lines.tag(name, slash === '/');
    position = tag === null ? endOfOther(lower, open) : endOfTag(open + 1);
    if (slash === '' && UNSEEN.has(name)) position = endOfElement(lower, name, position);
  }
  return lines.end();
}

/** Index after a comment, a declaration, or a tag without a name. */
function endOfOther(lower: string, open: number): number {
  const [sign, from] = lower.startsWith('<!--', open) ? ['-->', open + 4] : ['>', open + 1];
  const found = lower.indexOf(sign, from);
  return found < 0 ? lower.length : found + sign.length;
}

/** Index after the end tag of an element with invisible content; the end of the HTML if it is not closed. */
function endOfElement(lower: string, name: string, from: number): number {
  const found = lower.indexOf(`</${name}`, from);
  const end = found < 0 ? -1 : lower.indexOf('>', found);
  return end < 0 ? lower.length : end + 1;
}

/** Finds the `>` of a tag outside quoted values. A quote that is never closed is ignored. */
function tagEnds(source: string): (from: number) => number {
  const unended = new Set<string>();
  const endOrValue = />|=\s{0,9}(["'])/g;
  return (from) => {
    endOrValue.lastIndex = from;
    for (let found = endOrValue.exec(source); found !== null; found = endOrValue.exec(source)) {
      const [, quote] = found;
      if (quote === undefined) return endOrValue.lastIndex;
      if (unended.has(quote)) continue;
      const close = source.indexOf(quote, endOrValue.lastIndex);
      if (close < 0) unended.add(quote);
      else endOrValue.lastIndex = close + 1;
    }
    return source.length;
  };
}

interface Lines {
  write(text: string): void;
  tag(name: string, closes: boolean): void;
  length(): number;
  end(): string;
}

/**
 * Collects text as a browser lays it out: white space collapses to one space, and blocks are separate lines.
 */
function createLines(): Lines {
  const done: string[] = [];
  /** Pieces of the current line. */
  let line: string[] = [];
  let endsInBlank = true;
  let length = 0;
  let quotes = 0;
  let preformatted = 0;

  const signs = (): string => '> '.repeat(Math.min(quotes, QUOTE_SIGNS));
  const add = (text: string): void => {
    const whole = `${signs()}${text}`.trimEnd();
    done.push(whole);
    length += whole.length + 1;
  };
  const append = (text: string, blank = /[ \t]$/.test(text)): void => {
    line.push(text);
    length += text.length;
    endsInBlank = blank;
  };
  const endLine = (): void => {
    const text = line.join('');
    length -= text.length;
    line = [];
    endsInBlank = true;
    if (text.trim() !== '') add(text);
  };
  const emptyLine = (): void => {
    const last = done.at(-1);
    if (last !== undefined && !/^[> ]*$/.test(last)) add('');
  };

  return {
    write(text) {
      if (preformatted > 0) {
        const [first = '', ...rest] = text.split(/\r\n?|\n/);
        append(first);
        for (const next of rest) {
          if (line.join('').trim() === '') add('');
          endLine();
          append(next);
        }
        return;
      }
      // HTML treats a no-break space as text, but a reader sees a space.
      const words = text.replace(/[ \t\r\n\f\u00a0\u200c]+/g, ' ');
      const next = endsInBlank && words.startsWith(' ') ? words.slice(1) : words;
      if (next !== '') append(next, next.endsWith(' '));
    },
    tag(name, closes) {
      if (name === 'br') {
        if (endsInBlank && line.length === 0) emptyLine();
        else endLine();
        return;
      }
      if ((name === 'td' || name === 'th') && !closes && line.length > 0) append('\t');
      if (!BLOCKS.has(name)) return;
      endLine();
      if (name === 'blockquote' && closes) quotes = Math.max(0, quotes - 1);
      if (PARAGRAPHS.has(name)) emptyLine();
      if (name === 'blockquote' && !closes) quotes += 1;
      if (name === 'pre') preformatted = Math.max(0, preformatted + (closes ? -1 : 1));
      if (name === 'li' && !closes) append('- ');
    },
    length: () => length,
    end() {
      endLine();
      return done.join('\n').trim();
    },
  };
}
