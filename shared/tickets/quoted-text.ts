import { findQuotation } from './find-quotation.ts';

/** A text in its parts, in their order. */
export interface SplitText {
  written: string;
  /** Absent when there is none. */
  signature?: string;
  /** Empty when nothing is quoted at the end. */
  quoted: string;
}

/**
 * Takes the signature and the quotation at the end apart from what was written, so that a page can fold them
 * (`find-quotation.ts`). An email that would be nothing but quotation stays whole, and text after a quotation keeps it in
 * place.
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
