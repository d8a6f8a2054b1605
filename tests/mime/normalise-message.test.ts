import { describe, expect, it } from 'vitest';
import { cleanFileName, cleanLine } from '../../shared/mime/clean-text.ts';
import { readDate } from '../../shared/mime/message-date.ts';
import { cleanAddress, previewOf } from '../../shared/mime/normalise-message.ts';
import { processorTime } from '../harness/measure-time.ts';
import { ownMail, readMail } from '../harness/memory/mail-files.ts';

async function readLines(...lines: string[]): Promise<Awaited<ReturnType<typeof readMail>>> {
  return readMail(Buffer.from(`${lines.join('\r\n')}\r\n\r\nx\r\n`));
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const unsafe = /[\0-\x1f\x7f\u2028\u2029]/;

describe('header fields', () => {
  it('contain no line end or control character, whatever an encoded word contains', async () => {
    const mail = await readMail(ownMail('header-injection.eml'));
    expect(mail.subject).toBe('hi Bcc: victim@x.example');
    expect(mail.from).toEqual({ name: 'A Bcc: v@x.example', address: 'a@example.com' });
    expect(mail.replyTo).toEqual([{ name: 'x y', address: 'r@example.com' }]);
    expect(mail.messageId).toBe('<ab@x>');
    const { attachments: _none, text: _text, ...fields } = mail;
    expect(JSON.stringify(fields)).not.toMatch(unsafe);
  });

  it('give the first valid address of From, Reply-To, Sender and Return-Path', async () => {
    const fields: [string, string][] = [
      ['from', 'From: f@example.com'],
      ['reply-to', 'Reply-To: r@example.com'],
      ['sender', 'Sender: s@example.com'],
      ['return-path', 'Return-Path: <p@example.com>'],
    ];
    for (const [index, [source, line]] of fields.entries()) {
      const broken = fields.slice(0, index).map(([, valid]) => `${valid.split(':')[0]}: nobody <>`);
      const later = fields.slice(index + 1).map(([, valid]) => valid);
      const mail = await readLines('Subject: s', ...later, line, ...broken);
      expect([mail.fromSource, mail.from?.address]).toEqual([
        source,
        `${source[0] === 'r' && source !== 'reply-to' ? 'p' : source[0]}@example.com`,
      ]);
    }
    const none = await readLines('Subject: s');
    expect([none.from, none.fromSource, none.fromName]).toEqual([undefined, undefined, undefined]);
  });

  it('keep the name of a sender with an unusable address', async () => {
    const mail = await readMail(ownMail('no-from-but-reply-to.eml'));
    expect(mail).toMatchObject({
      from: { name: 'Caller', address: 'caller@example.com' },
      fromSource: 'reply-to',
    });
    expect((await readLines('From: Mail Delivery Subsystem <MAILER-DAEMON>')).fromName).toBe(
      'Mail Delivery Subsystem',
    );
  });

  it('give Message-IDs with brackets, at most 50 of the newest, none of more than 995 characters', async () => {
    const ids = Array.from({ length: 60 }, (_, index) => `<${index}@x>`);
    const mail = await readLines(
      `Message-ID: 1@x`,
      'In-Reply-To: Your message of Monday <2@x> and\r\n <3@x>',
      `References: <${'r'.repeat(1_000)}@x>\r\n ${ids.join('\r\n ')}`,
    );
    expect(mail.messageId).toBe('<1@x>');
    expect(mail.inReplyTo).toEqual(['<2@x>', '<3@x>']);
    expect(mail.references).toEqual(ids.slice(10));
    expect((await readLines(`Message-ID: <${'m'.repeat(10_000)}@x>`)).messageId).toBeUndefined();
  });

  it('identify automatic email', async () => {
    const mail = await readMail(ownMail('list-mail.eml'));
    expect(mail.automatic).toEqual({
      autoSubmitted: 'auto-generated',
      isListId: true,
      precedence: 'bulk',
      listId: 'News <news.example.com>',
      returnPathEmpty: false,
      isReport: false,
      suppress: 'OOF, AutoReply',
    });
    expect((await readLines('From: a@b.example')).automatic).toEqual({
      returnPathEmpty: false,
      isReport: false,
    });
    expect((await readLines('From: a@b.example', 'X-Autoreply: yes')).automatic.suppress).toBe(
      'x-autoreply: yes',
    );
  });

  it('cut endless recipient lists with a note', async () => {
    const many = Array.from({ length: 300 }, (_, index) => `u${index}@example.com`).join(',\r\n ');
    const mail = await readLines('From: a@b.example', `To: ${many}`);
    expect(mail.to).toHaveLength(200);
    expect(mail.notes).toEqual(['to list cut at 200 addresses']);
  });
});

describe('an address', () => {
  it.each([
    ['a@example.com', 'a@example.com'],
    ['First.Last+tag@EXAMPLE.Com', 'First.Last+tag@example.com'],
    ['jörg@exämple.com', 'jörg@xn--exmple-cua.com'],
    ['a@xn--mnchen-3ya.example', 'a@xn--mnchen-3ya.example'],
    ["'a@example.com'", 'a@example.com'],
    ["o'neil@example.com", "o'neil@example.com"],
    ['root@mta_1', 'root@mta_1'],
    ['a@example.com.', 'a@example.com'],
  ])('%j is accepted as %j', (given, expected) => {
    expect(cleanAddress({ name: '', address: given })?.address).toBe(expected);
  });

  it.each([
    '',
    'a',
    '@example.com',
    'a@',
    'a b@example.com',
    'a@b@example.com',
    'a@example.com\r\nBcc: v@x',
    'a\0@example.com',
    'a,b@example.com',
    '"a b"@example.com',
    'a@[127.0.0.1]',
    'a@ex ample.com',
    'a@-\u200bexample.com',
    'a@example..com',
    'a@example.com>',
    'a\u202e@example.com',
    `${'a'.repeat(400)}@example.com`,
  ])('%j is rejected', (given) => {
    expect(cleanAddress({ name: 'x', address: given })).toBeUndefined();
  });
});

describe('a file name', () => {
  it.each([
    ['report--final (2).pdf', 'report--final (2).pdf'],
    ['../../etc/passwd', 'passwd'],
    ['..\\..\\windows\\x.exe', 'x.exe'],
    ['C:\\a/b\\c.txt', 'c.txt'],
    ['\u200b.htaccess', 'htaccess'],
    ['.\u200b./x', 'x'],
    ['..\u200b/..\ufeff/secret', 'secret'],
    ['invoice\u202efdp.exe', 'invoicefdp.exe'],
    ['a\r\nX-Evil: 1.txt', 'aX-Evil: 1.txt'],
    ['a\0.html', 'a.html'],
    ['CON.txt', '_CON.txt'],
    ['lpt1', '_lpt1'],
    ['console.txt', 'console.txt'],
    ['x.txt. . ', 'x.txt'],
    ['e\u0301.txt', '\u00e9.txt'],
    ['\u{1f4ce} plan.doc', '\u{1f4ce} plan.doc'],
    ['', undefined],
    ['..', undefined],
    ['/', undefined],
    ['\u200b\u202e', undefined],
  ])('%j becomes %j', (given, expected) => {
    expect(cleanFileName(given)).toBe(expected);
  });

  it('keeps its extension when it is shortened, and no half character', () => {
    const long = cleanFileName(`${'n'.repeat(300)}.tar.gz`);
    expect(long).toHaveLength(150);
    expect(long).toMatch(/^n+\.gz$/);
    const emoji = cleanFileName(`${'\u{1f4ce}'.repeat(200)}.a`);
    expect(emoji?.isWellFormed()).toBe(true);
    expect(emoji?.length).toBeLessThanOrEqual(150);
  });

  it('of a hostile email is one safe word', async () => {
    const mail = await readMail(ownMail('hostile-file-names.eml'));
    const names = mail.attachments.map((attachment) => attachment.filename);
    expect(names.slice(0, 8)).toEqual([
      'passwd',
      'evil.exe',
      'htaccess',
      'invoicefdp.exe',
      'aX-Evil: 1.txt',
      'a.html',
      '_CON.txt',
      undefined,
    ]);
    expect(names[8]).toHaveLength(150);
  });
});

describe('a date', () => {
  it.each([
    ['Mon, 1 Jun 2026 10:00:00 +0200', '2026-06-01T08:00:00.000Z'],
    ['1 Jun 2026 10:00 GMT', '2026-06-01T10:00:00.000Z'],
    ['Mon, 01 Jun 26 08:00 EST', '2026-06-01T13:00:00.000Z'],
    ['Mon, 1 Jun 2026 10:00:00 (CEST) +0200', '2026-06-01T08:00:00.000Z'],
    ['Mon, 21 Aug 95 13:30:57 -600', '1995-08-21T19:30:57.000Z'],
    ['Mon Jun  1 10:00:00 2026', '2026-06-01T10:00:00.000Z'],
    ['2026-06-01T10:00:00+02:00', '2026-06-01T08:00:00.000Z'],
    ['31 Dec 1969 23:00:00 +0000', '1969-12-31T23:00:00.000Z'],
  ])('%j is %s', (given, expected) => {
    expect(readDate(given)).toBe(expected);
  });

  it.each([
    '',
    'yesterday',
    'Mon, 99 Jun 2026 10:00:00 +0000',
    'hello 1',
    '1 Foo 2026 10:00:00 +0000',
    '1 Jun 2026 10:99:00',
  ])('%j is invalid, and never the current time', (given) => {
    expect(readDate(given)).toBeUndefined();
  });
});

describe('the preview', () => {
  it('is the beginning of the text on one line', () => {
    const preview = previewOf({
      text: `\n\n Hello,\n\n\tthis is ${'long '.repeat(100)}`,
      html: '<p>other</p>',
    });
    expect(preview).toMatch(/^Hello, this is long long/);
    expect(preview.length).toBeLessThanOrEqual(200);
  });

  it('uses the visible text of HTML if there is no text', () => {
    const html =
      '<html><HEAD><title>t</title><style>p{color:red}</style></HEAD><body><!-- <p>hidden</p> --><header>A &amp; B</header><p>f&#252;r&nbsp;dich</p><script>x()</script></body>';
    expect(previewOf({ text: '  \n', html })).toBe('A & B für dich');
    expect(previewOf({ text: '', html: undefined })).toBe('');
    expect(previewOf({ text: '', html: '<p></p>', encryption: 'smime' })).toBe('Encrypted email');
  });

  it('takes linear time on HTML designed to be slow', async () => {
    for (const piece of ['<', '<!--', '<style', '&', '<p ', '<script>', ' ', '&#1']) {
      const html = piece.repeat(5_000_000 / piece.length);
      const ms = await processorTime(() => {
        previewOf({ text: '', html });
        previewOf({ text: html, html: undefined });
      });
      expect(ms, piece).toBeLessThan(500);
    }
  });
});

describe('a line', () => {
  it('contains no half of a character, even if it is cut', () => {
    expect(cleanLine('a\ud800b', 10).isWellFormed()).toBe(true);
    expect(cleanLine('ab\u{1f600}', 3)).toBe('ab');
  });
});
