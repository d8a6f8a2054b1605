// Types that browsers never execute, whatever the content. All other types are sent as
// `application/octet-stream`.
const KNOWN_TYPES: ReadonlySet<string> = new Set([
  'application/gzip',
  'application/json',
  'application/msword',
  'application/pdf',
  'application/rtf',
  'application/vnd.ms-excel',
  'application/vnd.ms-outlook',
  'application/vnd.ms-powerpoint',
  'application/vnd.oasis.opendocument.spreadsheet',
  'application/vnd.oasis.opendocument.text',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  'application/zip',
  'audio/mpeg',
  'image/bmp',
  'image/gif',
  'image/heic',
  'image/jpeg',
  'image/png',
  'image/tiff',
  'image/webp',
  'message/rfc822',
  'text/calendar',
  'text/csv',
  'text/plain',
  'video/mp4',
]);
const MAX_CHARACTERS = 150;

/**
 * Headers that make a browser save a file instead of showing it in our origin: `attachment`, a safe type, no
 * sniffing, and a CSP that blocks everything if a browser shows it anyway.
 */
export function downloadHeaders(file: {
  filename: string | undefined;
  contentType: string;
}): Readonly<Record<string, string>> {
  const type = mediaTypeOf(file.contentType);
  return {
    'content-type': KNOWN_TYPES.has(type) ? type : 'application/octet-stream',
    'content-disposition': contentDisposition(safeFilename(file.filename)),
    'content-security-policy': "default-src 'none'; sandbox",
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  };
}

/** `text/plain` of `Text/Plain; charset=utf-8`. */
export function mediaTypeOf(contentType: string): string {
  const [type = ''] = contentType.split(';');
  return type.trim().toLowerCase();
}

/**
 * A safe filename from the one in an email. Invisible characters are removed first: if they were removed after
 * the checks, the result could be a name that was never checked (CVE-2026-28289).
 */
export function safeFilename(filename: string | undefined): string {
  const visible = (filename ?? '')
    .toWellFormed()
    .normalize('NFC')
    // Control and format characters (zero width, direction), separators, private and unassigned code points.
    .replace(/[\p{C}\p{Zl}\p{Zp}\u{fffd}\u{3164}\u{115f}\u{1160}\u{ffa0}]/gu, '');
  const last = withoutMiddle(visible.split(/[/\\]/).at(-1) ?? '');
  const plain = last
    .replace(/[<>:"|?*;%]/g, '_')
    .replace(/\s+/g, ' ')
    .replace(/^[.\s]+|[.\s]+$/g, '');
  const name = shortened(plain);
  if (name === '') return 'attachment';
  // Reserved device names, which Windows opens instead of a file.
  return /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i.test(name) ? `_${name}` : name;
}

/** Limits the length, so that the patterns anchored at both ends stay fast. */
const withoutMiddle = (name: string): string =>
  name.length > 1_000 ? `${name.slice(0, 900)}${name.slice(-100)}` : name;

function shortened(name: string): string {
  const characters = [...name];
  if (characters.length <= MAX_CHARACTERS) return name;
  const extension = /\.[A-Za-z0-9]{1,10}$/.exec(name)?.[0] ?? '';
  return (
    characters
      .slice(0, MAX_CHARACTERS - extension.length)
      .join('')
      .trimEnd() + extension
  );
}

/** RFC 6266 section 4.3: an ASCII fallback for old clients, and the real name encoded as in RFC 8187. */
function contentDisposition(name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]/gu, '_');
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
