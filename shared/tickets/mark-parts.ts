/**
 * An attribute that carries the meaning of classes and IDs through the sanitizer. `fold-html.ts` removes it.
 */
export const PART_MARK = 'data-part';

type Attributes = Record<string, string>;

/** What a mail client marked an element as. */
export type MarkedPart = 'quotation' | 'attribution' | 'signature';

/** Elements that mail clients mark. */
export const MARKED_TAGS = ['blockquote', 'div', 'pre', 'span', 'table'] as const;

const ATTRIBUTION = /(?:^|\s)(?:gmail_attr|moz-cite-prefix)(?:\s|$)/;
const SIGNATURE =
  /(?:^|\s)(?:gmail_signature(?:_prefix)?|moz-signature|protonmail_signature_block|ms-outlook-mobile-signature|Signature|AppleMailSignature|signature_block)(?:\s|$)/;

/**
 * Adds the marker for the classes and IDs of Gmail, Apple Mail, Thunderbird and others. Removes a marker that
 * the sender wrote.
 */
export function markPart(tagName: string, attribs: Attributes): { tagName: string; attribs: Attributes } {
  const { [PART_MARK]: _, ...own } = attribs;
  const part = partOf(tagName, own);
  return { tagName, attribs: part === undefined ? own : { ...own, [PART_MARK]: part } };
}

function partOf(tag: string, { class: names = '', id = '', type, cite }: Attributes): MarkedPart | undefined {
  if (tag === 'blockquote') {
    const isQuoted =
      type === 'cite' || cite !== undefined || /(?:^|\s)(?:gmail|protonmail)_quote(?:\s|$)/.test(names);
    return isQuoted ? 'quotation' : undefined;
  }
  if (ATTRIBUTION.test(names)) return 'attribution';
  return SIGNATURE.test(names) || SIGNATURE.test(id) ? 'signature' : undefined;
}
