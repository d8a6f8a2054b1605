import type { Attributes, IOptions, default as sanitise } from 'sanitize-html';
import { MARKED_TAGS, markPart, PART_MARK } from './mark-parts.ts';

// Two independent defenses: sanitized HTML has no scripts, forms, style sheets or remote URLs, and the
// document's CSP would block them. The original email is stored unchanged, so a better sanitizer also applies
// to old email.

export type RemoteImages = 'blocked' | 'shown';

export interface SafeHtml {
  html: string;
  /** Number of remote images that were removed. */
  blockedImages: number;
}

/** Finds the `data:` URL of an image in the same email, by its Content-ID without angle brackets. */
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

// Removed with their content. Browsers and the parser disagree about where raw-text elements end.
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

// Words, numbers and colors: a URL can't be written with these. Backslashes are excluded because an escape
// could spell `url`.
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

// SVG is excluded. As an image it runs no scripts, but hardly any email uses it.
const DATA_IMAGE = /^data:image\/(?:png|jpe?g|gif|webp);base64,[a-z0-9+/=\s]*$/i;

/** Messages with deeper nesting are not shown formatted, because parsing them takes quadratic time. */
const MAX_OPEN_TAGS = 500;
/**
 * Total characters of all `data:` URLs in one document. An image that is referenced a thousand times is
 * embedded a thousand times.
 */
const MAX_IMAGE_CHARACTERS = 8_000_000;

class TooDeep extends Error {}

/** Loaded on first use: the library is large and only needed to show a message. */
export async function loadSanitiser(): Promise<typeof sanitise> {
  return (await import('sanitize-html')).default;
}

/**
 * Sanitizes the HTML of an email with an allow-list of tags, attributes and style values. Links open in a new
 * tab without a referrer. Images come from the email itself, or over https if `remoteImages` is `shown`.
 * Takes up to two seconds per megabyte, so pages use the worker thread behind `show-html.ts`.
 * @returns `too-deep` for more than 500 nested open tags
 */
export async function sanitiseMailHtml(
  html: string,
  options: { remoteImages: RemoteImages; inlineImage: InlineImage },
): Promise<SafeHtml | 'too-deep'> {
  const sanitizeHtml = await loadSanitiser();
  let blockedImages = 0;
  let imageCharacters = 0;
  let openTags = 0;
  const image = (_tag: string, given: Attributes): { tagName: string; attribs: Attributes } => {
    const { src = '', ...attribs } = given;
    const shown = imageAddress(src.trim(), options);
    if (shown.kind === 'remote') blockedImages += 1;
    if (shown.kind === 'address') imageCharacters += shown.address.length;
    const fits = shown.kind === 'address' && imageCharacters <= MAX_IMAGE_CHARACTERS;
    return { tagName: 'img', attribs: fits ? { ...attribs, src: shown.address } : attribs };
  };
  const guarded: IOptions = {
    ...sanitiserRules,
    allowedAttributes: markedAttributes,
    transformTags: {
      ...Object.fromEntries(MARKED_TAGS.map((tag) => [tag, markPart])),
      a: outsideLink,
      img: image,
    },
    // Counts every open tag, also removed ones: the parser searches its whole stack at each closing tag.
    onOpenTag: () => {
      openTags += 1;
      if (openTags > MAX_OPEN_TAGS) throw new TooDeep();
    },
    onCloseTag: () => {
      openTags -= 1;
    },
  };
  try {
    return { html: sanitizeHtml(html, guarded), blockedImages };
  } catch (error) {
    if (error instanceof TooDeep) return 'too-deep';
    throw error;
  }
}

const allowedAttributes: Record<string, string[]> = {
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
};

/** Only the allow-list. `sanitiseMailHtml` restricts it further and adds the marker of `mark-parts.ts`. */
export const sanitiserRules: IOptions = {
  allowedTags: [...TEXT_TAGS, ...LIST_TAGS, ...TABLE_TAGS],
  allowedAttributes,
  allowedStyles: { '*': Object.fromEntries(STYLES.map((property) => [property, [PLAIN_VALUE]])) },
  allowedSchemes: ['http', 'https', 'mailto', 'tel'],
  allowedSchemesByTag: { img: ['https', 'data'] },
  allowProtocolRelative: false,
  disallowedTagsMode: 'discard',
  nonTextTags: DROPPED_WHOLE,
  nestingLimit: 200,
};

const markedAttributes: Record<string, string[]> = {
  ...allowedAttributes,
  ...Object.fromEntries(
    MARKED_TAGS.map((tag) => [
      tag,
      [...(Object.hasOwn(allowedAttributes, tag) ? (allowedAttributes[tag] ?? []) : []), PART_MARK],
    ]),
  ),
};

/** A link that opens in a new tab without a referrer. A URL that is not http(s), mailto or tel is removed. */
export function outsideLink(
  _tag: string,
  { href, ...attribs }: Attributes,
): { tagName: string; attribs: Attributes } {
  const address = href?.trim();
  // An anchor within the email, or a relative URL: neither has a target here.
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

/** cid: URLs percent-encode the special characters of a Content-ID (RFC 2392 section 2). */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
