/** A reply's text in two: what was written, and the quoted mail it hangs on at its end. */
export interface SplitText {
  written: string;
  /** Empty when nothing is quoted at the end. */
  quoted: string;
}

const ATTRIBUTION = /:\s*$/;
const ORIGINAL_MESSAGE =
  /^-{2,}\s*(?:Original Message|Ursprüngliche Nachricht|Message d'origine|Forwarded message)\s*-{2,}\s*$/i;

/**
 * Cuts off the quotation at the end, so that a page can fold it. Only what is surely one: lines that begin with `>` and
 * the line before them that ends with a colon, or all after a line such as `-----Original Message-----`. An email that
 * would be nothing but quotation stays whole, and text after a quotation keeps it in place.
 */
export function splitQuotedText(text: string): SplitText {
  const lines = text.split(/\r?\n/);
  const start = startOfQuotation(lines);
  const written = lines.slice(0, start).join('\n').trimEnd();
  if (start >= lines.length || written === '') return { written: text.trimEnd(), quoted: '' };
  return { written, quoted: lines.slice(start).join('\n').trim() };
}

function startOfQuotation(lines: readonly string[]): number {
  const marker = lines.findIndex((line) => ORIGINAL_MESSAGE.test(line.slice(0, 200)));
  if (marker >= 0) return marker;
  let start = lines.length;
  while (start > 0 && /^\s*(?:>|$)/.test(lines[start - 1] ?? '')) start -= 1;
  if (!lines.slice(start).some((line) => line.trimStart().startsWith('>'))) return lines.length;
  // The line above ("On Monday, Ada wrote:") is folded by many clients into two.
  const above = (lines[start - 1] ?? '').slice(0, 400);
  if (!ATTRIBUTION.test(above)) return start;
  const aboveThat = lines[start - 2] ?? '';
  return aboveThat.trim() !== '' && (lines[start - 3] ?? '').trim() === '' ? start - 2 : start - 1;
}
