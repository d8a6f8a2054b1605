/** The HTML after folding: valid, complete, and without our markers. */
import { describe, expect, test } from 'vitest';
import { foldQuotation } from '../../shared/tickets/fold-html.ts';
import { sanitiseMailHtml } from '../../shared/tickets/mail-html.ts';

async function folded(html: string, subject = ''): Promise<string> {
  const safe = await sanitiseMailHtml(html, { remoteImages: 'blocked', inlineImage: () => undefined });
  return safe === 'too-deep' ? safe : foldQuotation(safe.html, subject);
}

const line = '<div>On 5 Mar 2024, at 09:14, Ada wrote:</div>';
const cited = `${line}<blockquote type="cite">b</blockquote>`;

describe('a quotation in HTML', () => {
  test('is in a details element at the end', async () => {
    expect(await folded(`<p>Yes.</p>${cited}`)).toBe(
      `<p>Yes.</p><details class="fold"><summary>Show quoted text</summary>${line}<blockquote>b</blockquote></details>`,
    );
  });

  test('includes the rule above it', async () => {
    const fields = '<b>From:</b> Ada<br><b>Sent:</b> Monday<br><b>To:</b> Bob<br><b>Subject:</b> x<br><br>b';
    expect(await folded(`Yes.<hr>${fields}`)).toMatch(
      /^Yes\.<details class="fold"><summary>Show quoted text<\/summary><hr \/>/,
    );
  });

  test('is closed and reopened if it begins inside other elements', async () => {
    expect(await folded(`<table><tbody><tr><td dir="rtl">Yes.${cited}</td></tr></tbody></table>`)).toBe(
      `<table><tbody><tr><td dir="rtl">Yes.</td></tr></tbody></table><details class="fold"><summary>Show quoted text</summary><table><tbody><tr><td dir="rtl">${line}<blockquote>b</blockquote></td></tr></tbody></table></details>`,
    );
  });

  test('has a separate fold below the signature', async () => {
    const html = await folded(`<p>Yes.</p><div class="gmail_signature">Bob</div>${cited}`);
    expect(html.match(/<summary>[^<]*/g)).toEqual(['<summary>Show signature', '<summary>Show quoted text']);
    expect(html.match(/<details/g)?.length).toBe(html.match(/<\/details>/g)?.length);
    expect(html).not.toContain('data-part');
  });

  test('is not found in HTML without one', async () => {
    const html = '<p>One</p><hr /><ul><li>Two</li></ul><pre>a\n&lt; b\n</pre><img alt="x" />';
    expect(await folded(html)).toBe(html);
  });

  test('is found in preformatted text line by line', async () => {
    expect(await folded('<pre>Yes.\n\nAda wrote:\n&gt; b\n</pre>')).toBe(
      '<pre>Yes.\n</pre><details class="fold"><summary>Show quoted text</summary><pre>\nAda wrote:\n&gt; b\n</pre></details>',
    );
  });

  test('is not created by our own attribute in a sender’s HTML', async () => {
    expect(await folded('<p>Yes.</p><blockquote data-part="quotation">No.</blockquote>')).not.toContain(
      '<details',
    );
    expect(await folded('<p>Yes.</p><div data-part="signature">No.</div>')).toBe('<p>Yes.</p><div>No.</div>');
  });

  test('removes nothing from a text that mentions our attribute', async () => {
    const html = '<p>Write &lt;div data-part="quotation"&gt; there.</p>';
    expect(await folded(html)).toBe(html);
  });

  test('stays visible with everything else if the HTML has more than 50,000 tags and texts', async () => {
    const many = (count: number): string => `${'<br>'.repeat(count)}<p>Yes.</p>${cited}`;
    expect(await folded(many(4_000))).toContain('<details');
    const html = await folded(many(50_000));
    expect(html).not.toContain('<details');
    expect(html).not.toContain('data-part');
    expect(html).toContain('<blockquote>b</blockquote>');
  });

  test('does not hide the pictures below it', async () => {
    expect(await folded(`<p>Hi</p>${cited}<img src="data:image/png;base64,aaaa">`)).not.toContain('<details');
    expect(
      await folded(`<p>Hi</p>${cited}<img src="data:image/png;base64,aaaa" width="1" height="1">`),
    ).toContain('<details');
    expect(await folded(`<p>Hi</p>${cited}<img src="https://t.example/p.gif">`)).toContain('<details');
  });
});
