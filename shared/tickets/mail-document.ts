import { textOfHtml } from './html-text.ts';
import type { RemoteImages } from './mail-html.ts';

// The document of the frame, and the second wall around it.

const DOCUMENT_STYLE = `:root{color-scheme:light}
body{margin:0;padding:1rem clamp(1rem,.6rem + 1.6vw,1.75rem);background:#fff;color:#1b1e26;font:1rem/1.5 system-ui,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif;overflow-wrap:anywhere}
img{max-width:100%;height:auto}table{max-width:100%}pre{white-space:pre-wrap}
pre.text{font:inherit;overflow-wrap:anywhere}
blockquote{margin:.5rem 0;padding-left:1rem;border-left:3px solid #d8d8d2;color:#575d6c}
.none{color:#575d6c}
.fold{margin-block-start:.75rem}.fold>summary{color:#2a51a8;cursor:pointer;inline-size:fit-content}`;

/** The document of the frame, around HTML that `sanitiseMailHtml` made. */
export function mailDocument(safeHtml: string): string {
  return `<!doctype html><html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer"><title>Message</title><style>${DOCUMENT_STYLE}</style></head><body dir="auto">${safeHtml}</body></html>`;
}

/** Why a message is shown as text although it has HTML. */
export type WhyText = 'too-long' | 'too-deep' | 'too-slow';

const REASONS: Readonly<Record<WhyText, string>> = {
  'too-long': 'This message is too long to be shown with its formatting.',
  'too-deep': 'The formatting of this message is nested too deep to be shown.',
  'too-slow': 'The formatting of this message takes too long to be made safe, so it is not shown.',
};
const MAX_TEXT_CHARACTERS = 100_000;

/** The document in place of HTML that cannot be shown: the reason, and the message as text. */
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

/** The document for an address that leads to no message. */
export const noSuchMessage: string = mailDocument('<p class="none">There is no such message.</p>');

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

/** Headers of that document: the second wall. The frame's own `sandbox` attribute repeats what stands here. */
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
 * Links may open outside, in a page with its full rights, and our page may measure the document. Never `allow-scripts`:
 * together with `allow-same-origin` the document could take its own sandbox away.
 */
export const FRAME_SANDBOX = 'allow-same-origin allow-popups allow-popups-to-escape-sandbox';

/** What a page needs to know of HTML without having it at hand. */
export interface HtmlShape {
  /** About how many lines of text it is, for the height of its frame before anything measures it. */
  lines: number;
  /** It names images on other servers, so that the page offers to show them. A miss costs a link, never safety. */
  remoteImages: boolean;
}

/** Characters that are looked at: what follows changes neither the height nor, as a rule, the offer. */
const LOOKED_AT = 128 * 1024;

/** A quick look in linear time, for a page or at intake. */
export function shapeOfHtml(html: string): HtmlShape {
  const start = html.slice(0, LOOKED_AT);
  const text = textOfHtml(start).length;
  const breaks = start.match(/<(?:p|br|tr|li|h[1-6]|hr|div|blockquote)\b/gi)?.length ?? 0;
  const images = start.match(/<img\s/gi)?.length ?? 0;
  return {
    lines: Math.ceil(text / 90) + Math.ceil(breaks * 1.4) + images * 5,
    remoteImages: /<img\s[^<>]{0,2000}?src\s{0,9}=\s{0,9}["']?\s{0,9}(?:https?:)?\/\//i.test(start),
  };
}
