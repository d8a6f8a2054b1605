/** Which attachments a message shows as images, with the type detected from their bytes. */
import { describe, expect, test } from 'vitest';
import { bareContentId, imageType, readInlineImages } from '../../shared/tickets/inline-images.ts';
import type { TicketAttachment } from '../../shared/tickets/ticket.ts';

const MB = 1024 * 1024;
const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const gif = bytes('GIF89a');
const attachment = (wish: Partial<TicketAttachment> = {}): TicketAttachment => ({
  index: 0,
  filename: 'a.gif',
  contentType: 'image/gif',
  contentId: '<a>',
  inline: true,
  size: 6,
  blob: 'a',
  ...wish,
});
const shown = async (
  attachments: TicketAttachment[],
  read: (blob: string) => Uint8Array | undefined = () => gif,
  html = '<img src="cid:a">',
): Promise<string[]> => {
  const images = await readInlineImages(html, attachments, (blob) => Promise.resolve(read(blob)));
  return [...images.keys()];
};

describe('an image', () => {
  test.each([
    ['\x89PNG\r\n\x1a\n', 'image/png'],
    ['\x89PNG\r\n\x1a\nmore', 'image/png'],
    ['\xff\xd8\xff', 'image/jpeg'],
    ['\xff\xd8\xff and more', 'image/jpeg'],
    ['GIF87a', 'image/gif'],
    ['GIF87a and more', 'image/gif'],
    ['GIF89a and more', 'image/gif'],
    ['RIFF1234WEBP', 'image/webp'],
    ['RIFF1234WEBPVP8 ', 'image/webp'],
    ['RIFF1234WAVE', undefined],
    ['JUNK1234WEBP', undefined],
    [' GIF89a', undefined],
    ['<svg', undefined],
    ['', undefined],
  ])('that begins with %j is %s', (head, type) => {
    expect(imageType(bytes(head))).toBe(type);
  });

  test('is referenced with and without angle brackets', () => {
    expect(['<a@b>', ' <a@b> ', 'a@b'].map(bareContentId)).toEqual(['a@b', 'a@b', 'a@b']);
    expect(['<a', 'a>', 'x<a>', '<a>x'].map(bareContentId)).toEqual(['<a', 'a>', 'x<a>', '<a>x']);
  });

  test('is shown with the type of its bytes', async () => {
    const images = await readInlineImages(
      '<IMG SRC="CID:a">',
      [attachment({ contentType: 'IMAGE/png' })],
      () => Promise.resolve(gif),
    );
    expect([...images]).toEqual([['a', `data:image/gif;base64,${Buffer.from(gif).toString('base64')}`]]);
  });

  test('is not read if the text does not reference it', async () => {
    const read = (): Uint8Array => {
      throw new Error('read');
    };
    expect(await shown([attachment()], read, '<p>hello</p>')).toEqual([]);
    expect(await shown([attachment({ contentId: undefined })], read)).toEqual([]);
    expect(await shown([attachment({ contentType: 'text/html' })], read)).toEqual([]);
    expect(await shown([attachment({ contentType: 'x-image/gif' })], read)).toEqual([]);
    expect(await shown([attachment({ size: 5 * MB + 1 })], read)).toEqual([]);
  });

  test('is left out if it is missing, invalid, or larger than declared', async () => {
    expect(await shown([attachment()], () => undefined)).toEqual([]);
    expect(await shown([attachment()], () => bytes('<svg'))).toEqual([]);
    const large = new Uint8Array(5 * MB + 1);
    large.set(gif);
    expect(await shown([attachment()], () => large)).toEqual([]);
    expect(await shown([attachment()], () => large.subarray(0, 5 * MB))).toEqual(['a']);
  });

  test('is left out if previous ones have used up the limit, and a smaller one is not', async () => {
    const half = new Uint8Array(3 * MB);
    half.set(gif);
    const of = (blob: string): Uint8Array => (blob === 'small' ? gif : half);
    const three = ['one', 'two', 'small'].map((blob) =>
      attachment({ blob, contentId: blob, size: blob === 'small' ? 6 : 3 * MB }),
    );
    expect(await shown(three, of)).toEqual(['one', 'small']);
    expect(await shown([attachment({ size: 5 * MB })])).toEqual(['a']);
  });
});
