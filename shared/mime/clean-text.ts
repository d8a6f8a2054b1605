/** Makes email text safe to store and to show on one line: it cannot break a header, a row or a page. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed
const controls = /[\0-\x1f\x7f-\x9f\u2028\u2029]+/g;
/** Bidirectional control characters: they make `exe.gpj` look like `jpg.exe`. */
const directions = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const invisible = /\p{Default_Ignorable_Code_Point}|\p{Cf}/gu;

/**
 * One line: control characters become one space, bidirectional marks are removed, surrogate pairs stay whole;
 * at most `limit` UTF-16 units.
 */
export function cleanLine(text: string, limit: number): string {
  const line = text.replace(controls, ' ').replace(directions, '').trim();
  return cutText(line, limit).toWellFormed();
}

/** Text of several lines: `\n` ends a line; the tab is the only other control character. */
export function cleanBody(text: string): string {
  const lines = text.replace(/\r\n?/g, '\n');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed
  return lines.replace(/[\0-\x08\x0b-\x1f\x7f]/g, '').toWellFormed();
}

/** At most `limit` UTF-16 units; never splits a surrogate pair. */
export function cutText(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const last = text.charCodeAt(limit - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? limit - 1 : limit);
}

/** Maximum length of a file name that is shown or offered. */
const nameLimit = 150;
/** Device names on Windows, whatever the extension. */
const reserved = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\.|$)/i;

/**
 * A file name that is safe to show and to offer for download; undefined when nothing is left of it. Invisible
 * characters are removed first, because removing them later could turn a harmless name into a dangerous one
 * (CVE-2026-28289). Then only the last path element remains, without leading dots.
 */
export function cleanFileName(name: string): string | undefined {
  const visible = cutText(name, 64 * 1024)
    .toWellFormed()
    .normalize('NFC')
    // Control characters are removed here: a space in their place could hide an extension.
    .replace(controls, '')
    .replace(directions, '')
    .replace(invisible, '');
  const last = visible.slice(Math.max(visible.lastIndexOf('/'), visible.lastIndexOf('\\')) + 1);
  const bare = trimEnds(last);
  if (bare === '') return undefined;
  const safe = reserved.test(bare) ? `_${bare}` : bare;
  return shorten(safe);
}

/**
 * Leading dots hide a file. Windows drops trailing dots and blanks, which could uncover another extension.
 */
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
