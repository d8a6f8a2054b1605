import type { Attributes, IOptions } from 'sanitize-html';

// Two walls, either of which alone holds: what leaves here has no script, form, style sheet or remote address, and the
// policy of the document lets none of them act. The mail itself is kept as it came, so a better wall helps old mail.

/** Over this many characters the HTML is not shown: the text is, and the original can be downloaded. */
export const SHOWN_HTML_CHARACTERS = 1_000_000;

export type RemoteImages = 'blocked' | 'shown';

export interface SafeHtml {
  html: string;
  /** How many images stood on other people's servers and were left out. */
  blockedImages: number;
}

/** Finds the `data:` address of an image of the mail itself, by its Content-ID without angle brackets. */
export type InlineImage = (contentId: string) => string | undefined;

const TEXT_TAGS = [
  ...[
    'a',
    'abbr',
    'address',
    'b',
    'bdi',
    'bdo',
    'big',
    'blockquote',
    'br',
    'center',
    'cite',
    'code',
    'del',
    'dfn',
  ],
  ...[
    'div',
    'em',
    'font',
    'h1',
    'h2',
    'h3',
    'h4',
    'h5',
    'h6',
    'hr',
    'i',
    'img',
    'ins',
    'kbd',
    'mark',
    'p',
    'pre',
    'q',
  ],
  ...['s', 'samp', 'section', 'small', 'span', 'strike', 'strong', 'sub', 'sup', 'tt', 'u', 'var', 'wbr'],
  ...['article', 'aside', 'figcaption', 'figure', 'footer', 'header', 'main'],
];
const LIST_TAGS = ['dd', 'dl', 'dt', 'li', 'ol', 'ul'];
const TABLE_TAGS = ['caption', 'col', 'colgroup', 'table', 'tbody', 'td', 'tfoot', 'th', 'thead', 'tr'];

// Dropped with what they hold. Browsers and the parser disagree about where the raw-text ones end.
const DROPPED_WHOLE = [
  ...[
    'script',
    'style',
    'textarea',
    'option',
    'select',
    'xmp',
    'noscript',
    'noembed',
    'noframes',
    'plaintext',
  ],
  ...['iframe', 'object', 'embed', 'applet', 'svg', 'math', 'template', 'title', 'head', 'audio', 'video'],
];

// Words, numbers, colours: no address can be written with these. A backslash could spell `url` in another way.
const PLAIN_VALUE = /^(?:rgba?\([\d\s.,%/]+\)|hsla?\([\d\s.,%/]+\)|[\w\s.,%#!+'"-])+$/i;
const STYLES = [
  ...[
    'color',
    'background-color',
    'background',
    'font',
    'font-family',
    'font-size',
    'font-style',
    'font-weight',
  ],
  ...[
    'font-variant',
    'line-height',
    'letter-spacing',
    'word-spacing',
    'text-align',
    'text-decoration',
    'text-indent',
  ],
  ...[
    'text-transform',
    'vertical-align',
    'white-space',
    'direction',
    'width',
    'height',
    'max-width',
    'max-height',
  ],
  ...[
    'min-width',
    'min-height',
    'border',
    'border-collapse',
    'border-spacing',
    'border-radius',
    'border-color',
  ],
  ...[
    'border-style',
    'border-width',
    'border-top',
    'border-right',
    'border-bottom',
    'border-left',
    'list-style-type',
  ],
  ...['display', 'float', 'clear', 'table-layout', 'word-break', 'overflow-wrap', 'word-wrap'],
  ...['padding', 'padding-top', 'padding-right', 'padding-bottom', 'padding-left'],
  ...['margin', 'margin-top', 'margin-right', 'margin-bottom', 'margin-left'],
];

// SVG is left out: as an image it runs nothing, but it is no picture anybody sends in a mail either.
const DATA_IMAGE = /^data:image\/(?:png|jpe?g|gif|webp);base64,[a-z0-9+/=\s]*$/i;

/**
 * Makes the HTML of a mail harmless: an allow-list of tags, attributes and style values; links open outside and say
 * nothing about us; images come from the mail itself, or over https where `remoteImages` is `shown`.
 */
export async function sanitiseMailHtml(
  html: string,
  options: { remoteImages: RemoteImages; inlineImage: InlineImage },
): Promise<SafeHtml> {
  // Heavy, and needed only where a mail is shown: no part of a start waits for it.
  const { default: sanitizeHtml } = await import('sanitize-html');
  let blockedImages = 0;
  const image = (_tag: string, given: Attributes): { tagName: string; attribs: Attributes } => {
    const { src = '', ...attribs } = given;
    const shown = imageAddress(src.trim(), options);
    if (shown.kind === 'remote') blockedImages += 1;
    return {
      tagName: 'img',
      attribs: shown.kind === 'address' ? { ...attribs, src: shown.address } : attribs,
    };
  };
  const clean = sanitizeHtml(html, { ...strict, transformTags: { a: link, img: image } });
  return { html: clean, blockedImages };
}

const strict: IOptions = {
  allowedTags: [...TEXT_TAGS, ...LIST_TAGS, ...TABLE_TAGS],
  allowedAttributes: {
    '*': ['align', 'bgcolor', 'dir', 'lang', 'style', 'title', 'valign'],
    a: ['href', 'rel', 'target'],
    col: ['span', 'width'],
    font: ['color', 'face', 'size'],
    hr: ['size', 'width', 'noshade'],
    img: ['alt', 'border', 'height', 'hspace', 'src', 'vspace', 'width'],
    ol: ['start', 'type'],
    ul: ['type'],
    table: ['border', 'cellpadding', 'cellspacing', 'height', 'width'],
    td: ['colspan', 'height', 'nowrap', 'rowspan', 'width'],
    th: ['colspan', 'height', 'nowrap', 'rowspan', 'scope', 'width'],
  },
  allowedStyles: { '*': Object.fromEntries(STYLES.map((property) => [property, [PLAIN_VALUE]])) },
  allowedSchemes: ['http', 'https', 'mailto', 'tel'],
  allowedSchemesByTag: { img: ['https', 'data'] },
  allowProtocolRelative: false,
  disallowedTagsMode: 'discard',
  nonTextTags: DROPPED_WHOLE,
  nestingLimit: 200,
};

function link(_tag: string, { href, ...attribs }: Attributes): { tagName: string; attribs: Attributes } {
  const address = href?.trim();
  // A place inside the mail, or one relative to nothing: neither leads anywhere.
  if (address === undefined || !/^(?:https?:\/\/|mailto:|tel:)/i.test(address))
    return { tagName: 'a', attribs };
  return {
    tagName: 'a',
    attribs: { ...attribs, href: address, rel: 'noopener noreferrer nofollow', target: '_blank' },
  };
}

function imageAddress(
  src: string,
  { remoteImages, inlineImage }: { remoteImages: RemoteImages; inlineImage: InlineImage },
): { kind: 'address'; address: string } | { kind: 'remote' } | { kind: 'none' } {
  if (/^cid:/i.test(src)) {
    const address = inlineImage(decoded(src.slice(4)));
    return address === undefined ? { kind: 'none' } : { kind: 'address', address };
  }
  if (DATA_IMAGE.test(src)) return { kind: 'address', address: src };
  if (!/^(?:https?:)?\/\//i.test(src)) return { kind: 'none' };
  if (remoteImages === 'blocked') return { kind: 'remote' };
  return { kind: 'address', address: src.replace(/^(?:https?:)?\/\//i, 'https://') };
}

/** A cid: address is written with percent signs where the Content-ID has other characters (RFC 2392 section 2). */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const DOCUMENT_STYLE = `:root{color-scheme:light}
body{margin:0;padding:1rem clamp(1rem,.6rem + 1.6vw,1.75rem);background:#fff;color:#1b1e26;font:1rem/1.5 system-ui,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif;overflow-wrap:anywhere}
img{max-width:100%;height:auto}table{max-width:100%}pre{white-space:pre-wrap}
blockquote{margin:.5rem 0;padding-left:1rem;border-left:3px solid #d8d8d2;color:#575d6c}
.none{color:#575d6c}`;

/** The document of the frame, around HTML that `sanitiseMailHtml` made. */
export function mailDocument(safeHtml: string): string {
  return `<!doctype html><html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer"><title>Message</title><style>${DOCUMENT_STYLE}</style></head><body>${safeHtml}</body></html>`;
}

/** What the frame says when the HTML is over the limit. */
export const tooLongDocument: string = mailDocument(
  '<p class="none">This message is too long to be shown with its formatting. Read it as text, or download the original.</p>',
);

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

/** Links may open outside, in a page with its full rights; nothing else is allowed. */
export const FRAME_SANDBOX = 'allow-popups allow-popups-to-escape-sandbox';

/** A quick look for images on other servers, to offer to show them. A miss costs a link, never safety. */
export function mentionsRemoteImages(html: string): boolean {
  return /<img\s[^<>]{0,2000}?src\s{0,9}=\s{0,9}["']?\s{0,9}(?:https?:)?\/\//i.test(html);
}
