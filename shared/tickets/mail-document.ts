import { textOfHtml } from './html-text.ts';
import type { RemoteImages } from './mail-html.ts';

// The document of the message frame, and its headers: the second line of defense around the HTML.

const DOCUMENT_STYLE = `:root{color-scheme:light}
body{margin:0;padding:1rem clamp(1rem,.6rem + 1.6vw,1.75rem);background:#fff;color:#1b1e26;font:1rem/1.5 system-ui,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif;overflow-wrap:anywhere}
img{max-width:100%;height:auto}table{max-width:100%}pre{white-space:pre-wrap}
pre.text{font:inherit;overflow-wrap:anywhere}
blockquote{margin:.5rem 0;padding-left:1rem;border-left:3px solid #d8d8d2;color:#575d6c}
.none{color:#575d6c}
.fold{margin-block-start:.75rem}.fold>summary{color:#2a51a8;cursor:pointer;inline-size:fit-content}`;

/** The frame's document for HTML sanitized by `sanitiseMailHtml`. */
export function mailDocument(safeHtml: string): string {
  return `<!doctype html><html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer"><title>Message</title><style>${DOCUMENT_STYLE}</style></head><body dir="auto">${safeHtml}</body></html>`;
}

/** Why a message is shown as text although it has HTML. */
export type WhyText = 'too-long' | 'too-deep' | 'too-slow';

const REASONS: Readonly<Record<WhyText, string>> = {
  'too-long': 'This message is too long to be shown with its formatting.',
  'too-deep': 'The formatting of this message is nested too deeply to be shown.',
  'too-slow': 'Making the formatting of this message safe takes too long, so it is not shown.',
};
const MAX_TEXT_CHARACTERS = 100_000;

/** The frame's document when HTML can't be shown: the reason and the plain text. */
export function textDocument(why: WhyText, text: string): string {
  const shown = text.slice(0, MAX_TEXT_CHARACTERS).toWellFormed();
  const rest =
    shown.length < text.length
      ? '<p class="none">The rest is in the original, which can be downloaded.</p>'
      : '';
  return mailDocument(
    `<p class="none">${REASONS[why]} This is its text; the original can be downloaded.</p><pre class="text">${escaped(shown)}</pre>${rest}`,
  );
}

/** The frame's document when the message does not exist. */
export const noSuchMessage: string = mailDocument('<p class="none">There is no such message.</p>');

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

/**
 * Headers of the frame's document: the second line of defense. The frame's `sandbox` attribute repeats the CSP
 * sandbox.
 */
export function mailDocumentHeaders(remoteImages: RemoteImages): Readonly<Record<string, string>> {
  const images = remoteImages === 'shown' ? 'data: https:' : 'data:';
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': `default-src 'none'; img-src ${images}; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox ${FRAME_SANDBOX}`,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
  };
}

/**
 * Links may open a new tab without the sandbox, and our page may measure the document. Never add
 * `allow-scripts`: together with `allow-same-origin`, the document could remove its own sandbox.
 */
export const FRAME_SANDBOX = 'allow-same-origin allow-popups allow-popups-to-escape-sandbox';

/** Facts about HTML for a page that does not load it. */
export interface HtmlShape {
  /** Approximate number of lines, for the frame's height until a script measures it. */
  lines: number;
  /**
   * True if it references remote images, so the page offers to show them. A false negative only hides that
   * link; it is never unsafe.
   */
  remoteImages: boolean;
}

/** Characters examined. The rest does not change the height and rarely changes the offer. */
const MAX_EXAMINED = 128 * 1024;

/** Fast, in linear time, for a page or the intake. */
export function shapeOfHtml(html: string): HtmlShape {
  const start = html.slice(0, MAX_EXAMINED);
  const text = textOfHtml(start).length;
  const breaks = start.match(/<(?:p|br|tr|li|h[1-6]|hr|div|blockquote)\b/gi)?.length ?? 0;
  const images = start.match(/<img\s/gi)?.length ?? 0;
  return {
    lines: Math.ceil(text / 90) + Math.ceil(breaks * 1.4) + images * 5,
    remoteImages: /<img\s[^<>]{0,2000}?src\s{0,9}=\s{0,9}["']?\s{0,9}(?:https?:)?\/\//i.test(start),
  };
}
