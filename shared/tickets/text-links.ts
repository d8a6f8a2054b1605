/** A piece of plain text, or a link with its text as written. */
export type TextPiece = string | { href: string; text: string };

const ADDRESS = /\bhttps?:\/\/[^\s<>"]{1,2000}/gi;
/** More than anyone reads; any further URLs stay text. */
const MAX_LINKS = 200;

/** Finds the URLs in a text, in linear time. The joined pieces equal the text. Pure. */
export function linkPieces(text: string): TextPiece[] {
  const pieces: TextPiece[] = [];
  let written = 0;
  let links = 0;
  for (const { 0: found, index } of text.matchAll(ADDRESS)) {
    if (links >= MAX_LINKS) break;
    const address = withoutPunctuation(found);
    if (!URL.canParse(address)) continue;
    if (index > written) pieces.push(text.slice(written, index));
    pieces.push({ href: address, text: address });
    written = index + address.length;
    links += 1;
  }
  if (written < text.length) pieces.push(text.slice(written));
  return pieces;
}

/** A trailing full stop, or a bracket opened before the URL, belongs to the sentence. */
function withoutPunctuation(address: string): string {
  let end = address.length;
  const opened = { ')': address.indexOf('('), ']': address.indexOf('['), '}': address.indexOf('{') };
  for (; end > 0; end -= 1) {
    const last = address[end - 1] ?? '';
    if (/[.,;:!?'’”»*_]/.test(last)) continue;
    if (!(last === ')' || last === ']' || last === '}')) break;
    if (opened[last] >= 0) break;
  }
  return address.slice(0, end);
}
