/**
 * A folder name from modified UTF-7 (RFC 3501 section 5.1.3), in which IMAP sends it and a mail server keeps
 * it, to plain text.
 */
export function decodeFolderName(name: string): string {
  return name.replace(/&([A-Za-z0-9+,]*)-/g, (_all, base64: string) =>
    base64 === '' ? '&' : Buffer.from(base64.replaceAll(',', '/'), 'base64').swap16().toString('utf16le'),
  );
}

/** The reverse of `decodeFolderName`. */
export function encodeFolderName(name: string): string {
  return name.replaceAll('&', '&-').replace(/[^\x20-\x7e]+/g, (text) => {
    const base64 = Buffer.from(text, 'utf16le').swap16().toString('base64');
    return `&${base64.replace(/=+$/, '').replaceAll('/', ',')}-`;
  });
}
