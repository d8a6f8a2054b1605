/** Text that a reader of an HTML mail sees first. For previews, and where the HTML cannot be shown: it knows no layout. */

/** How much of the HTML is looked at; what opens an email stands at its top. */
const htmlLimit = 256 * 1024;
const previewLimit = 8 * 1024;
const unseen = ['style', 'script', 'head', 'title'];

/**
 * Takes tags, comments, styles and scripts away in one pass, whatever the HTML looks like.
 * @param textLimit ends after so many characters of text
 */
export function onlyVisibleText(html: string, textLimit = previewLimit): string {
  const source = html.slice(0, htmlLimit);
  // ASCII alone: other letters may change their length, and the places in both strings must agree.
  const lower = source.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  let text = '';
  let position = 0;
  while (position < source.length && text.length < textLimit) {
    const open = source.indexOf('<', position);
    text += source.slice(position, open < 0 ? source.length : Math.min(open, position + textLimit));
    if (open < 0) break;
    position = tagEnd(lower, open);
    text += ' ';
  }
  return decodeEntities(text);
}

/** Where the text goes on behind the tag, comment or unseen element that begins at `open`. */
function tagEnd(lower: string, open: number): number {
  const after = (sign: string, from: number): number => {
    const found = lower.indexOf(sign, from);
    return found < 0 ? lower.length : found + sign.length;
  };
  if (lower.startsWith('<!--', open)) return after('-->', open + 4);
  const element = unseen.find((name) => lower.startsWith(name, open + 1));
  // `<header>` is no `<head>`.
  if (element !== undefined && !/[a-z0-9]/.test(lower[open + 1 + element.length] ?? '')) {
    return after('>', after(`</${element}`, open));
  }
  return after('>', open + 1);
}

const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

function decodeEntities(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,6}));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return named[String(name).toLowerCase()] ?? whole;
    const code = decimal === undefined ? Number.parseInt(String(hex), 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : '';
  });
}
