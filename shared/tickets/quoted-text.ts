import { findQuotation } from './find-quotation.ts';

/** The parts of a text, in order. */
export interface SplitText {
  written: string;
  signature?: string;
  /** Empty if the text does not end with a quotation. */
  quoted: string;
}

/**
 * Splits off the signature and the quotation at the end of a text, so that a page can collapse them
 * (`find-quotation.ts`). A message that consists of a quotation only stays whole, and so does a quotation with
 * text after it.
 */
export function splitQuotedText(text: string, subject?: string): SplitText {
  const lines = text.split(/\r?\n/);
  const found = findQuotation(
    lines.map((line) => ({ text: line, quoted: /^\s*>/.test(line) })),
    subject,
  );
  if (found.quotation === undefined && found.signature === undefined)
    return { written: text.trimEnd(), quoted: '' };
  const quotation = found.quotation ?? lines.length;
  const signature = found.signature ?? quotation;
  const part = (from: number, to: number): string => lines.slice(from, to).join('\n').trimEnd();
  return {
    written: part(0, signature),
    ...(signature < quotation ? { signature: part(signature, quotation).trim() } : {}),
    quoted: part(quotation, lines.length).trim(),
  };
}
