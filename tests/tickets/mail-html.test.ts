import { describe, expect, test } from 'vitest';
import { bareContentId, imageType, readInlineImages } from '../../shared/tickets/inline-images.ts';
import { mailDocumentHeaders, shapeOfHtml } from '../../shared/tickets/mail-document.ts';
import {
  outsideLink,
  type RemoteImages,
  type SafeHtml,
  sanitiseMailHtml,
  sanitiserRules,
} from '../../shared/tickets/mail-html.ts';
import { splitQuotedText } from '../../shared/tickets/quoted-text.ts';
import { processorTime } from '../harness/measure-time.ts';
import { redPixel } from '../harness/memory/sample-mail.ts';

const safe = async (
  html: string,
  remoteImages: RemoteImages = 'blocked',
  images: Record<string, string> = {},
): Promise<string> =>
  shown(await sanitiseMailHtml(html, { remoteImages, inlineImage: (id) => images[id] })).html;

function shown(safe: SafeHtml | 'too-deep'): SafeHtml {
  if (safe === 'too-deep') throw new Error('nested too deep');
  return safe;
}

describe('ordinary content is kept', () => {
  test.each([
    ['<p>Dear <b>Ada</b>,<br />see <i>below</i>.</p>'],
    [
      '<table border="1" cellpadding="4"><tbody><tr><td colspan="2" bgcolor="#eeeeee">x</td></tr></tbody></table>',
    ],
    ['<p style="color:#c00;font-size:12px;margin:0 0 8px">x</p>'],
    ['<td style="background-color:rgb(1, 2, 3);width:50%;font-family:\'Segoe UI\', Arial">x</td>'],
    ['<blockquote>quoted</blockquote><ul><li>one</li></ul><pre>a  b</pre>'],
  ])('%s', async (html) => {
    expect(await safe(html)).toBe(html);
  });

  test('text that resembles markup stays text', async () => {
    expect(await safe('1 &lt; 2 &amp;&amp; &lt;b&gt;')).toBe('1 &lt; 2 &amp;&amp; &lt;b&gt;');
  });
});

describe('links', () => {
  test('open in a new tab and send no referrer', async () => {
    expect(await safe('<a href="https://a.example/?x=1&amp;y=2" target="_top" rel="opener">a</a>')).toBe(
      '<a target="_blank" rel="noopener noreferrer nofollow" href="https://a.example/?x=1&amp;y=2">a</a>',
    );
  });

  test.each([
    'javascript:alert(1)',
    '#top',
    '/tickets',
    'x.html',
    '//a.example',
    'file:///c:/x',
    'cid:x',
    'about:blank',
  ])('to %s are removed', async (href) => {
    expect(await safe(`<a href="${href}">a</a>`)).toBe('<a>a</a>');
  });
});

describe('images', () => {
  test('on other servers are left out and counted', async () => {
    const html =
      '<img src="https://t.example/a.gif" alt="A"><img src="//t.example/b.gif"><img src="http://t.example/c">';
    expect(await sanitiseMailHtml(html, { remoteImages: 'blocked', inlineImage: () => undefined })).toEqual({
      html: '<img alt="A" /><img /><img />',
      blockedImages: 3,
    });
  });

  test('on other servers are loaded only on request, and only over https', async () => {
    expect(await safe('<img src="http://t.example/a.gif"><img src="//t.example/b">', 'shown')).toBe(
      '<img src="https://t.example/a.gif" /><img src="https://t.example/b" />',
    );
  });

  test('of the email itself are embedded, whatever characters their name has', async () => {
    const images = { 'a b@c': 'data:image/png;base64,AA==' };
    expect(await safe('<img src="CID:a%20b@c"><img src="cid:other">', 'blocked', images)).toBe(
      '<img src="data:image/png;base64,AA==" /><img />',
    );
  });

  test('embedded in the email are shown unless their format can contain more than an image', async () => {
    expect(await safe('<img src="data:image/gif;base64,R0lGODdh">')).toContain('data:image/gif');
    expect(await safe('<img src="data:image/svg+xml;base64,PHN2Zz4=">')).toBe('<img />');
    expect(await safe('<img src="data:text/html,x">')).toBe('<img />');
  });

  test.each([
    ['<img src="https://t.example/a">', true],
    ['<IMG width=1\n src = //t.example/a>', true],
    ['<img src="cid:a"> <a href="https://a.example">', false],
    ['<p>img src=http://x</p>', false],
  ])('on other servers are detected in %j: %s', (html, remote) => {
    expect(shapeOfHtml(html).remoteImages).toBe(remote);
  });
});

describe('style', () => {
  test.each([
    'background:url(https://t.example/x)',
    'background:u\\72l(x)',
    'background:image-set("x" 1x)',
    'position:fixed',
    'width:expression(alert(1))',
    '--x:url(y)',
    'color:var(--x)',
    'behavior:url(x)',
    'color:red;}body{color:blue',
  ])('%s is left out', async (style) => {
    expect(await safe(`<p style='${style}'>x</p>`)).not.toMatch(/url|set|fixed|expression|var|body|behavior/);
  });

  test('a hostile value of 200,000 characters is checked at once', async () => {
    const ms = await processorTime(async () => {
      for (const piece of ['rgb(', 'rgb(1)', 'a ', '"', 'url(', '/*'])
        await safe(`<p style="color:${piece.repeat(200_000 / piece.length)}\\">x</p>`);
    });
    expect(ms).toBeLessThan(5_000);
  });
});

describe('nesting', () => {
  const nested = (depth: number): string => `${'<div>'.repeat(depth)}x${'</div>'.repeat(depth)}`;

  test('beyond 200 tags is cut', async () => {
    const html = await safe(nested(500));
    expect(html.match(/<div>/g)?.length).toBe(200);
    expect(html).toContain('x');
  });

  test.each([
    ['501 tags', nested(501)],
    ['ten thousand tags', nested(10_000)],
    ['tags that are left out', '<x>'.repeat(501)],
    ['tags of which one is always closed', '<div><q></q>'.repeat(501)],
    ['alternating rows and items, which close one another on their own', '<td><li>'.repeat(300)],
  ])('of %s is not shown', async (_name, html) => {
    expect(await sanitiseMailHtml(html, { remoteImages: 'blocked', inlineImage: () => undefined })).toBe(
      'too-deep',
    );
  });

  test.each(['<p>x', '<li>x', '<br>', '<img alt="">', '<b>x</b>', '</q>'])(
    'does not grow with %s, however often they occur',
    async (piece) => {
      await safe(piece.repeat(2_000));
    },
  );
});

test('an image that is referenced a thousand times is embedded within a size limit', async () => {
  const image = `data:image/png;base64,${'A'.repeat(4_000_000)}`;
  const html = await safe('<img src="cid:a">'.repeat(1_000), 'blocked', { a: image });
  expect(html.length).toBeLessThan(8_100_000);
  expect(html.match(/<img/g)?.length).toBe(1_000);
});

describe('each layer of the sanitizer alone', () => {
  const schemes = [
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'vbscript:x',
    'data:text/html,x',
    'file:///x',
  ];

  test.each(schemes)('the creation of links leaves %s without a URL', (href) => {
    expect(outsideLink('a', { href }).attribs).not.toHaveProperty('href');
    expect(outsideLink('a', { href: ` ${href}` }).attribs).not.toHaveProperty('href');
  });

  test.each(schemes)('the allow-list leaves %s without a URL', async (href) => {
    const { default: sanitizeHtml } = await import('sanitize-html');
    expect(sanitizeHtml(`<a href="${href}">a</a>`, sanitiserRules)).toBe('<a>a</a>');
    expect(sanitizeHtml(`<img src="${href.replace('data:text', 'file:text')}">`, sanitiserRules)).toBe(
      '<img />',
    );
  });

  // A browser reads the content of these as text and the parser as tags, or vice versa.
  test.each([
    ...[
      'script',
      'style',
      'textarea',
      'option',
      'select',
      'xmp',
      'noscript',
      'noembed',
      'noframes',
      'plaintext',
    ],
    ...['iframe', 'object', 'applet', 'svg', 'math', 'template', 'title', 'head', 'audio', 'video'],
  ])('the content of <%s> is removed with it', async (tag) => {
    const html = await safe(`before<${tag}>inside<b>inside</b></${tag}>`);
    expect(html).toBe('before');
  });
});

test('the document may load nothing, send nothing and be framed only by us', () => {
  const policy = mailDocumentHeaders('blocked')['content-security-policy'];
  expect(policy).toBe(
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox",
  );
  expect(mailDocumentHeaders('shown')['content-security-policy']).toContain('img-src data: https:;');
});

describe('inline images', () => {
  const attachment = { index: 0, filename: 'x', contentType: 'image/png', inline: true, size: 70, blob: 'b' };

  test('are recognized by their bytes, not by their type', async () => {
    const blobs: Record<string, Uint8Array> = { png: redPixel, html: Buffer.from('<script>') };
    const images = await readInlineImages(
      '<img src="cid:a"><img src="cid:b">',
      [
        { ...attachment, contentId: '<a>', contentType: 'image/svg+xml', blob: 'png' },
        { ...attachment, contentId: '<b>', blob: 'html' },
      ],
      async (blob) => blobs[blob],
    );
    expect([...images.keys()]).toEqual([bareContentId(' <a> ')]);
    expect(images.get('a')).toMatch(/^data:image\/png;base64,/);
  });

  test('take at most 5 MB of a page, and larger ones are not read', async () => {
    const read: string[] = [];
    const five = Buffer.concat([redPixel, Buffer.alloc(5 * 1024 * 1024 - redPixel.byteLength)]);
    const large = { ...attachment, size: five.byteLength };
    const images = await readInlineImages(
      'cid:',
      [
        { ...large, contentId: 'a', blob: 'first' },
        { ...attachment, contentId: 'b', blob: 'second' },
      ],
      async (blob) => {
        read.push(blob);
        return five;
      },
    );
    expect([...images.keys()]).toEqual(['a']);
    expect(read).toEqual(['first']);
  });

  test.each([
    [[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], 'image/png'],
    [[0xff, 0xd8, 0xff, 0xe0], 'image/jpeg'],
    [[...Buffer.from('GIF89a')], 'image/gif'],
    [[...Buffer.from('RIFF1234WEBP')], 'image/webp'],
    [[...Buffer.from('<svg xmlns=')], undefined],
    [[], undefined],
  ])('%j is %s', (bytes, type) => {
    expect(imageType(Uint8Array.from(bytes))).toBe(type);
  });
});

describe('quoted text', () => {
  test('at the end is cut off with the line that introduces it', () => {
    expect(splitQuotedText('Yes.\n\nOn Monday, Ada\n<ada@a.example> wrote:\n> really?\n>\n> Ada\n')).toEqual({
      written: 'Yes.',
      quoted: 'On Monday, Ada\n<ada@a.example> wrote:\n> really?\n>\n> Ada',
    });
  });

  test.each(['No quotation\nat all', '> one\nanswer below it', '> nothing but\n> quotation', '', 'a: \n\nb'])(
    '%j stays complete',
    (text) => {
      expect(splitQuotedText(text)).toEqual({ written: text, quoted: '' });
    },
  );

  test('begins at a line of Outlook', () => {
    expect(splitQuotedText('Thanks\n\n-----Original Message-----\nFrom: x\n\ntext').quoted).toMatch(
      /^-----Original/,
    );
  });
});
