import { textOfHtml } from '../tickets/html-text.ts';

/** Characters of HTML text that are kept. The page shows no longer HTML, and the original has all of it. */
const TEXT_LIMIT = 1_000_000;
/** Letters of either version that are compared. */
const COMPARED = 8 * 1024;
const PIECE = 5;
/** A short version of a page is a version; "use a program that shows HTML" holds next to nothing of it. */
const SAME = 0.15;

/** What an email says, in its two forms. */
export interface Body {
  text: string;
  html: string | undefined;
}

/**
 * The text says what the page shows, which is the HTML where there is one. The sender's own text is kept where it is a
 * version of the whole HTML; else the text is made from the HTML, and a longer text of the sender stands behind it. HTML
 * without any content is dropped for a text that has some. Pure, linear time.
 * @param complete whether each HTML part has a text part as its alternative
 */
export function storedBody({ text, html }: Body, complete: boolean): Body {
  if (html === undefined) return { text, html };
  const shown = textOfHtml(html, TEXT_LIMIT);
  const hasText = text.trim() !== '';
  if (shown === '')
    return hasText && !/<(?:img|svg|table|object|video)\b/i.test(html)
      ? { text, html: undefined }
      : { text, html };
  if (!hasText || !complete) return { text: shown, html };
  if (saysTheSame(text, shown)) return { text, html };
  return { text: text.length > shown.length ? `${shown}\n\n${text}` : shown, html };
}

/** Whether a good part of the letters of `shown` stands in the text, whatever their order and line breaks. */
export function saysTheSame(text: string, shown: string): boolean {
  const told = pieces(text);
  const wanted = [...pieces(shown)];
  return wanted.filter((piece) => told.has(piece)).length >= wanted.length * SAME;
}

function pieces(text: string): Set<string> {
  const letters = text
    .slice(0, COMPARED)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '');
  const found = new Set<string>();
  for (let at = 0; at + PIECE <= letters.length; at += 1) found.add(letters.slice(at, at + PIECE));
  return found;
}
