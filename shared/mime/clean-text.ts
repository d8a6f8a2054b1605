/** Text of an email made safe to store and to show on one line: nothing in it can break a header, a row or a page. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
const controls = /[\0-\x1f\x7f-\x9f\u2028\u2029]+/g;
/** Marks that turn the direction of writing: they make `exe.gpj` look like `jpg.exe`. */
const directions = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const invisible = /\p{Default_Ignorable_Code_Point}|\p{Cf}/gu;

/** One line: controls become one blank, direction marks go, no half characters; at most `limit` UTF-16 units. */
export function cleanLine(text: string, limit: number): string {
  const line = text.replace(controls, ' ').replace(directions, '').trim();
  return cutText(line, limit).toWellFormed();
}

/** Text of several lines: `\n` ends a line, no other control than the tab. */
export function cleanBody(text: string): string {
  const lines = text.replace(/\r\n?/g, '\n');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
  return lines.replace(/[\0-\x08\x0b-\x1f\x7f]/g, '').toWellFormed();
}

/** At most `limit` UTF-16 units, never half a character. */
export function cutText(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const last = text.charCodeAt(limit - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? limit - 1 : limit);
}

/** Longest name of a file that is shown or offered. */
const nameLimit = 150;
/** Names that open a device on Windows, whatever extension follows. */
const reserved = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\.|$)/i;

/**
 * A file name that is safe to show and to offer for download; undefined when nothing of it is left. Characters that
 * cannot be seen go first, because taking them out later would make a dangerous name of a harmless one
 * (CVE-2026-28289). Then only the last element of a path stays, without leading dots.
 */
export function cleanFileName(name: string): string | undefined {
  const visible = cutText(name, 64 * 1024)
    .toWellFormed()
    .normalize('NFC')
    // Controls vanish here: a blank in their place could hide an extension.
    .replace(controls, '')
    .replace(directions, '')
    .replace(invisible, '');
  const last = visible.slice(Math.max(visible.lastIndexOf('/'), visible.lastIndexOf('\\')) + 1);
  const bare = trimEnds(last);
  if (bare === '') return undefined;
  const safe = reserved.test(bare) ? `_${bare}` : bare;
  return shorten(safe);
}

/** Leading dots hide a file, trailing dots and blanks are dropped by Windows and could uncover another extension. */
function trimEnds(name: string): string {
  let start = 0;
  let end = name.length;
  while (start < end && isDotOrBlank(name[start])) start += 1;
  while (end > start && isDotOrBlank(name[end - 1])) end -= 1;
  return name.slice(start, end);
}

function isDotOrBlank(character: string | undefined): boolean {
  return character === '.' || (character !== undefined && character.trim() === '');
}

function shorten(name: string): string {
  if (name.length <= nameLimit) return name;
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 && name.length - dot <= 20 ? name.slice(dot) : '';
  return trimEnds(cutText(name, nameLimit - extension.length)) + extension;
}
