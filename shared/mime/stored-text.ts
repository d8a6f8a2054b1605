import { textOfHtml } from '../tickets/html-text.ts';

/** Characters of HTML text that are stored. The page shows no longer HTML, and the original has all of it. */
const TEXT_LIMIT = 1_000_000;
/** Characters of each version that are compared. */
const COMPARED = 8 * 1024;
const PIECE = 5;
/**
 * An abridged version of a page counts as a version; "use a program that
 * shows HTML" shares almost nothing with it.
 */
const SAME = 0.15;

/** An email's content in its two forms. */
export interface Body {
  text: string;
  html: string | undefined;
}

/**
 * Makes the text match the displayed page, which is the HTML if there is one. The sender's text is used if it
 * is a version of the whole HTML. Otherwise the text is made from the HTML, and a longer text of the sender
 * is appended. HTML without any content is dropped in favor of a non-empty text. Pure, linear time.
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
  if (hasSameContent(text, shown)) return { text, html };
  return { text: text.length > shown.length ? `${shown}\n\n${text}` : shown, html };
}

/**
 * Whether a sufficient share of `shown` occurs in the text, regardless of order and line breaks. Every fifth
 * piece of `shown` is looked for, until enough of them are found.
 */
export function hasSameContent(text: string, shown: string): boolean {
  const wanted = new Set(pieces(shown, PIECE));
  let missing = Math.ceil(wanted.size * SAME);
  for (const piece of pieces(text, 1)) {
    if (missing <= 0) break;
    if (wanted.delete(piece)) missing -= 1;
  }
  return missing <= 0;
}

/** The pieces of a text without blanks and punctuation that start at every `step`th letter. */
function* pieces(text: string, step: number): Generator<string> {
  const letters = text
    .slice(0, COMPARED)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '');
  for (let at = 0; at + PIECE <= letters.length; at += step) yield letters.slice(at, at + PIECE);
}
