import type { TicketAttachment } from './ticket.ts';

const MAX_BYTES = 5 * 1024 * 1024;

/**
 * The attachments that a message's HTML shows as images, as `data:` URLs by Content-ID, at most 5 MB in total.
 * Their type is detected from their bytes, not from the declared type. The frame itself has no permission to
 * load them.
 */
export async function readInlineImages(
  html: string,
  attachments: readonly TicketAttachment[],
  read: (blob: string) => Promise<Uint8Array | undefined>,
): Promise<ReadonlyMap<string, string>> {
  const images = new Map<string, string>();
  if (!/cid:/i.test(html)) return images;
  let left = MAX_BYTES;
  for (const { contentId, contentType, size, blob } of attachments) {
    if (contentId === undefined || !/^image\//i.test(contentType) || size > left) continue;
    const bytes = await read(blob);
    const type = bytes === undefined ? undefined : imageType(bytes);
    if (bytes === undefined || type === undefined || bytes.byteLength > left) continue;
    left -= bytes.byteLength;
    images.set(bareContentId(contentId), `data:${type};base64,${Buffer.from(bytes).toString('base64')}`);
  }
  return images;
}

/** `<logo@example>` and `logo@example` refer to the same part. */
export const bareContentId = (contentId: string): string => contentId.trim().replace(/^<(.*)>$/s, '$1');

/**
 * Detects the type from the first bytes:
 * https://mimesniff.spec.whatwg.org/#image-type-pattern-matching-algorithm
 */
export function imageType(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, 12)).toString('latin1');
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (head.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (head.startsWith('GIF87a') || head.startsWith('GIF89a')) return 'image/gif';
  if (head.startsWith('RIFF') && head.slice(8) === 'WEBP') return 'image/webp';
  return undefined;
}
