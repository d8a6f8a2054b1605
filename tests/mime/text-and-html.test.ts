import { describe, expect, it } from 'vitest';
import { previewOf } from '../../shared/mime/normalise-message.ts';
import { parseMessage } from '../../shared/mime/parse-message.ts';
import { defaultParseLimits as limits } from '../../shared/mime/parsed-message.ts';
import { storedBody } from '../../shared/mime/stored-text.ts';
import { textOfHtml } from '../../shared/tickets/html-text.ts';
import { processorTime } from '../harness/measure-time.ts';
import { mailOf, ownMail } from '../harness/memory/mail-files.ts';

describe.each(['mailparser', 'postal-mime'] as const)('text and HTML of an email, read with %s', (parser) => {
  const readOwn = async (name: string) => mailOf(await parseMessage(ownMail(name), { parser, limits }));
  /** The second parser ends lines in LF, and keeps the one that belongs to the delimiter. */
  const lines = (text: string): string =>
    parser === 'mailparser' ? text : text.replaceAll('\r\n', '\n').replace(/\n$/, '');
  const words = (text: string): string => text.replace(/\s+/g, ' ').trim();

  it('a text footer of a mailing list does not hide the question in HTML', async () => {
    const mail = await readOwn('html-question-text-footer.eml');
    expect(words(mail.text)).toBe(
      'The badge reader at door 4 beeps and stays shut. Whom do I call? _______________________________________________ facility mailing list https://lists.fabrikam.example/facility',
    );
    expect(mail.html).toContain('facility mailing list');
    expect(previewOf(mail)).toMatch(/^The badge reader/);
  });

  it('the text contains every HTML part, also one after alternatives', async () => {
    const mail = await readOwn('html-parts-in-a-row.eml');
    expect(mail.text).toContain('The first page asks for a new badge.');
    expect(mail.text).toContain('the second page says who pays.');
    expect(mail.text.indexOf('first')).toBeLessThan(mail.text.indexOf('second'));
  });

  it('text without an HTML alternative is shown beside the HTML of another part', async () => {
    const mail = await readOwn('text-alternative-beside-html.eml');
    expect(mail.html).toContain('Please unlock room 4');
    expect(mail.html).toContain('This email is confidential');
    expect(words(mail.text)).toBe('Please unlock room 4 for the auditors. This email is confidential.');
  });

  it('"use a program that can show HTML" is not the text of the email', async () => {
    const mail = await readOwn('text-says-use-html.eml');
    expect(mail.text).toBe(
      'The order 4711 has not arrived.\n\nIt was due on 28 May, and the carrier says that it left your warehouse.',
    );
    expect(previewOf(mail)).toMatch(/^The order 4711/);
  });

  it('HTML alone becomes text with lines, lists, cells and quotations', async () => {
    const mail = await readOwn('html-only-with-layout.eml');
    expect(mail.text).toBe(
      'Grüße aus Köln,\n\ndrei Fragen:\n\n- Wer hat den Schlüssel?\n- 3 < 4?\n\nArtikel\tMenge\nToner\t2\n\n> Am Montag schrieb Anna:\n> Danke!',
    );
  });

  it('HTML without a word does not hide the text', async () => {
    const mail = await readOwn('html-without-words.eml');
    expect(mail.html).toBeUndefined();
    expect(mail.text.trim()).toBe('Yes, please replace it.');
  });

  it('the explanation of a bounce comes before its report', async () => {
    const mail = await readOwn('bounce-html-explanation.eml');
    expect(mail.text).toMatch(/^Your message was not delivered\n\nThe mailbox of Ada Byron is full\./);
    expect(mail.text).toContain('Status: 5.2.2');
    expect(mail.html).toContain('The mailbox of Ada Byron is full');
  });

  it('inline text with a file name is shown, and is an attachment with the exact bytes', async () => {
    const mail = await readOwn('inline-named-text.eml');
    expect(mail.text).toContain('The printer stopped again.');
    expect(mail.text).toContain('E-303 Tür offen');
    expect(mail.text).toContain('41 pages');
    expect(
      mail.attachments.map(({ filename, contentType, content }) => [
        filename,
        contentType,
        lines(Buffer.from(content ?? []).toString('latin1')),
      ]),
    ).toEqual([
      ['printer log.txt', 'text/plain', lines('E-303 T\xfcr offen\r\nE-304')],
      ['Bericht für Mai.html', 'text/html', '<p>41 pages</p>'],
    ]);
  });
});

describe('inline text with a file name', () => {
  const read = async (lines: readonly string[]) => {
    const raw = Buffer.from(['From: a@b.example', ...lines, ''].join('\r\n'));
    return mailOf(await parseMessage(raw, { parser: 'mailparser', limits }));
  };

  it('is only the body if it is one of several versions, or the only part', async () => {
    const named = ['Content-Type: text/html; name=body.html', 'Content-Disposition: inline', '', '<p>Hi</p>'];
    const versions = ['Content-Type: multipart/alternative; boundary=b', '', '--b', ...named, '--b--'];
    const page = ['Content-Type: multipart/related; boundary=b', '', '--b', ...named, '--b--'];
    for (const lines of [named, versions, page]) {
      const mail = await read(lines);
      expect(mail.attachments).toEqual([]);
      expect(mail.text).toBe('Hi');
    }
  });

  it('keeps an email within its original limits', async () => {
    const part = ['--b', 'Content-Type: text/plain; name=a.txt', '', 'x'];
    const lines = Array.from({ length: 1_000 }, () => part).flat();
    const mail = await read(['Content-Type: multipart/mixed; boundary=b', '', ...lines, '--b--']);
    expect(mail.attachments).toEqual([]);
    expect(mail.text).toContain('x');
  });
});

describe('the stored text', () => {
  it('is the sender’s own if it has the same content as the HTML', () => {
    const html = '<p>Please send the <b>contract</b> of May to both of us.</p>';
    const text = 'Please send the\n*contract* of May to both of us.';
    expect(storedBody({ text, html }, true)).toEqual({ text, html });
    expect(storedBody({ text, html }, false).text).toBe('Please send the contract of May to both of us.');
  });

  it('is both if they differ and the text has more', () => {
    const text = 'A long text that has nothing in common with the page beside it, whatever the reason.';
    expect(storedBody({ text, html: '<p>Other words</p>' }, true).text).toBe(`Other words\n\n${text}`);
  });

  it('is created from HTML that has pictures only when there is no text', () => {
    const html = '<img src="cid:a">';
    expect(storedBody({ text: 'Look', html }, true)).toEqual({ text: 'Look', html });
    expect(storedBody({ text: '', html: '<p></p>' }, true)).toEqual({ text: '', html: '<p></p>' });
  });
});

describe('text of HTML', () => {
  it.each([
    ['<p>a</p><p>b<br>c</p><div>d</div>', 'a\n\nb\nc\n\nd'],
    ['a<br><br>b', 'a\n\nb'],
    ['<pre>  a\n b</pre>', 'a\n b'],
    ['<head><title>t</title><style>x</style><body>a', 'a'],
    ['<a title="1 > 2" href=x>a</a>', 'a'],
    ['<a title="1>a', 'a'],
    ['1 < 2 &amp; 3 &gt; 2&nbsp;&euro;', '1 < 2 & 3 > 2 €'],
    ['<!-- a --><header>b</header><script>c()</script>', 'b'],
    ['<blockquote>a<blockquote>b</blockquote></blockquote>c', '> a\n>\n> > b\n>\nc'],
    ['<ol><li>a<li><p>b</p></ol>', '- a\n-\n\nb'],
    ['<td>a</td><td>b</td>', 'a\tb'],
    ['<textarea>a</textarea>b', 'b'],
    ['</p></blockquote></pre>a', 'a'],
  ])('of %s is %j', (html, text) => {
    expect(textOfHtml(html)).toBe(text);
  });

  it('takes linear time on HTML designed to be slow, and never exceeds its limit', async () => {
    const pieces = [
      '<',
      '<div>a',
      '<blockquote>a<br>',
      '<a b="',
      "<a b='c' ",
      '<pre>\n',
      '<style>',
      '&#1',
      '<li><p>a',
    ];
    for (const piece of pieces) {
      const html = piece.repeat(1_000_000 / piece.length);
      const ms = await processorTime(() =>
        expect(textOfHtml(html, 1_000_000).length).toBeLessThan(1_100_000),
      );
      expect(ms, piece).toBeLessThan(5_000);
    }
  });
});
