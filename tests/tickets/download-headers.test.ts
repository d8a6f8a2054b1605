import { describe, expect, test } from 'vitest';
import { downloadHeaders, safeFilename } from '../../shared/tickets/download-headers.ts';
import { processorTime } from '../harness/measure-time.ts';

const hostileNames: readonly (string | undefined)[] = [
  undefined,
  '',
  '   ',
  '.',
  '..',
  '../../etc/passwd',
  '..\\..\\windows\\system32\\x.dll',
  'C:\\autoexec.bat',
  '.htaccess',
  '\u200b.htaccess',
  '\u2060\ufeff..\u200d/x',
  'a\0b.pdf',
  'a\r\nSet-Cookie: x=1.pdf',
  'a\r\n\r\n<script>.html',
  'x"; filename="y.exe',
  "x'; filename*=UTF-8''y.exe",
  "x\";filename*=UTF-8''%2e%2e%2f",
  '\u202efdp.exe',
  'invoice\u202etxt.exe',
  'a\u2028b\u2029c.txt',
  'a;b,c=d.txt',
  '%2e%2e%2fx',
  '%00.png',
  'naïve résumé.docx',
  'e\u0301.txt',
  '請求書.pdf',
  '😀.png',
  '\ud800.png',
  'a\udfff',
  'con',
  'NUL.txt',
  'com1',
  'aux.c',
  'x'.repeat(5_000),
  `${'x'.repeat(300)}.pdf`,
  '.'.repeat(100_000),
  `${' '.repeat(100_000)}x`,
  `${'. '.repeat(50_000)}x`,
  'trailing dot.',
  'trailing space ',
  'tab\tname.txt',
  'back`tick$(id).sh',
  '<img src=x onerror=alert(1)>.png',
  'a|b?c*d:e.txt',
  '\\\\server\\share\\x',
  '/',
  '\\',
  '\u00ad\u034f.txt',
  '\ue000private.txt',
  'ü'.repeat(200),
];

/** RFC 6266 section 4.1, as a client reads it: both names. */
function parse(header: string): { ascii: string; name: string } {
  const [, ascii = '', encoded = ''] =
    /^attachment; filename="([^"\\]*)"; filename\*=UTF-8''([A-Za-z0-9!#$&+.^_`|~%-]+)$/.exec(header) ?? [];
  return { ascii, name: decodeURIComponent(encoded) };
}

describe('a file name from an email', () => {
  test.each(hostileNames.map((name) => [name]))('%j is served as one safe name', async (filename) => {
    let header = '';
    const ms = await processorTime(() => {
      header = downloadHeaders({ filename, contentType: 'application/pdf' })['content-disposition'] ?? '';
    });
    expect(ms).toBeLessThan(200);
    const { ascii, name } = parse(header);
    expect(name).toBe(safeFilename(filename));
    expect(name).not.toBe('');
    expect([...name].length).toBeLessThanOrEqual(151);
    expect(name).not.toMatch(/[/\\<>:"|?*;\p{C}\p{Zl}\p{Zp}]|^\.|^\s|[.\s]$/u);
    expect(ascii).toMatch(/^[\x20-\x7e]+$/);
    expect(ascii).not.toMatch(/[/\\"%;]/);
    expect(header.length).toBeLessThan(2_500);
  });

  test.each([
    ['../../etc/passwd', 'passwd'],
    ['\u200b.htaccess', 'htaccess'],
    ['invoice\u202etxt.exe', 'invoicetxt.exe'],
    ['e\u0301.txt', 'é.txt'],
    ['NUL.txt', '_NUL.txt'],
    [`${'x'.repeat(300)}.pdf`, `${'x'.repeat(146)}.pdf`],
    [undefined, 'attachment'],
  ])('%j becomes %j', (filename, name) => {
    expect(safeFilename(filename)).toBe(name);
  });

  test('does not change when cleaned again', () => {
    for (const filename of hostileNames)
      expect(safeFilename(safeFilename(filename))).toBe(safeFilename(filename));
  });
});

describe('an attachment of an email', () => {
  test.each([
    ['application/pdf', 'application/pdf'],
    ['IMAGE/PNG; name="x"', 'image/png'],
    ['text/html', 'application/octet-stream'],
    ['image/svg+xml', 'application/octet-stream'],
    ['text/xml', 'application/octet-stream'],
    ['application/xhtml+xml', 'application/octet-stream'],
    ['text/javascript', 'application/octet-stream'],
    ['multipart/x-mixed-replace', 'application/octet-stream'],
    ['image/png\r\nX: y', 'application/octet-stream'],
    ['', 'application/octet-stream'],
    ['__proto__', 'application/octet-stream'],
  ])('declared as %j is served as %s', (contentType, served) => {
    const headers = downloadHeaders({ filename: 'x', contentType });
    expect(headers).toMatchObject({
      'content-type': served,
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
    });
    expect(() => new Headers(headers)).not.toThrow();
  });
});
