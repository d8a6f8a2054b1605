/** Fewer non-ASCII bytes are inconclusive. */
const ENOUGH = 8;

/** Charset names that programs write as a default for "Latin". */
export function isWesternName(charset: string): boolean {
  return /^(?:iso[-_]?8859[-_]?15?|latin-?[19]|(?:windows|cp|win)-?1252)$/.test(charset);
}

/** Whether a charset is one of the Latin alphabet. */
export function isLatinName(charset: string): boolean {
  return /^(?:iso-?8859-?(?:[1-49]|1[03-6])|windows-125[02478])$/i.test(charset);
}

/**
 * Whether bytes declared as Western text are text in another alphabet. In Western words most letters are
 * ASCII; in words of another alphabet, read as Western, almost none is. Ornaments made of symbols are not
 * words.
 */
export function isNonWesternText(bytes: Uint8Array): boolean {
  let others = 0;
  let ascii = 0;
  let letters = 0;
  const kinds = new Set<number>();
  for (let at = 0; at < bytes.length; ) {
    let end = at;
    let othersHere = 0;
    for (let byte = bytes[end] ?? 0; isWordByte(byte); byte = bytes[end] ?? 0) {
      if (byte >= 0x80) othersHere += 1;
      if (byte >= 0xc0) {
        letters += 1;
        kinds.add(byte);
      }
      end += 1;
    }
    if (othersHere > 0) {
      others += othersHere;
      ascii += end - at - othersHere;
    }
    at = end + 1;
  }
  return others >= ENOUGH && kinds.size >= 5 && letters * 3 >= others && others >= ascii * 4;
}

function isWordByte(byte: number): boolean {
  const lower = byte | 0x20;
  return byte >= 0x80 || (lower >= 0x61 && lower <= 0x7a);
}
