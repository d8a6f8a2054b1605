import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Blobs } from '../platform/blobs.ts';
import { log } from '../platform/log.ts';
import { createThreadPool } from '../platform/thread-pool.ts';
import { textOfHtml } from './html-text.ts';
import { readInlineImages } from './inline-images.ts';
import { textDocument, type WhyText } from './mail-document.ts';
import type { RemoteImages } from './mail-html.ts';
import type { StoredMessage } from './message-records.ts';
import type { SanitiseReply, SanitiseTask } from './sanitise-worker.ts';

// shown/<ticketId>/<K2>/<version>-<blocked|shown>: cached document of a message whose HTML is long enough for a
// blob.

/** Longer HTML is not shown. The page shows its text and offers the original as a download. */
const SHOWN_HTML_CHARACTERS = 1_000_000;
/** Timeout for sanitizing one message, in milliseconds. */
const DEADLINE_MS = 2_000;
const FALLBACK_CHARACTERS = 100_000;

export interface HtmlViewer {
  /**
   * The document of a message's frame, in UTF-8: its sanitized HTML, or its text and the reason why the HTML is
   * not shown. Undefined if the message has no HTML.
   * @throws PostroomError `blob-storage` when storage is unavailable
   */
  show(
    ticketId: string,
    message: StoredMessage,
    remoteImages: RemoteImages,
  ): Promise<Uint8Array<ArrayBuffer> | undefined>;
  close(): Promise<void>;
}

/**
 * Sanitizes HTML in a worker thread, which is terminated after two seconds, so that the event loop is never
 * blocked. Documents of long HTML are cached under the sanitizer's version, so that a better sanitizer also
 * applies to old messages.
 */
export function createHtmlViewer({ blobs }: { blobs: Blobs }): HtmlViewer {
  const file = workerFile();
  const threads = createThreadPool<SanitiseTask, SanitiseReply>({
    file,
    threads: 1,
    deadlineMs: DEADLINE_MS,
    // A page requests many frames at once; each takes milliseconds.
    waitMs: 20_000,
    heapMb: 256,
    idleMs: 60_000,
  });
  let version: Promise<string> | undefined;

  const textInstead = async (
    why: WhyText,
    message: StoredMessage,
    html: string,
  ): Promise<Uint8Array<ArrayBuffer>> => {
    const bytes = message.text.kind === 'blob' ? await blobs.read(message.text.blob) : undefined;
    const text =
      message.text.kind === 'inline' ? message.text.text : Buffer.from(bytes ?? []).toString('utf8');
    const shown = text.trim() === '' ? textOfHtml(html, FALLBACK_CHARACTERS) : text;
    return new TextEncoder().encode(textDocument(why, shown));
  };

  return {
    async show(ticketId, message, remoteImages) {
      const { html: body, key } = message;
      if (body === undefined) return undefined;
      version ??= versionOf(file);
      const kept = `shown/${ticketId}/${key}/${await version}-${remoteImages}`;
      if (body.kind === 'blob') {
        const before = await blobs.read(kept);
        if (before !== undefined) return Uint8Array.from(before);
      }
      const bytes = body.kind === 'blob' ? await blobs.read(body.blob) : undefined;
      if (body.kind === 'blob' && bytes === undefined) return undefined;
      const html = body.kind === 'inline' ? body.text : Buffer.from(bytes ?? []).toString('utf8');
      if (html.length > SHOWN_HTML_CHARACTERS) return textInstead('too-long', message, html);
      const images = await readInlineImages(html, message.attachments, (blob) => blobs.read(blob));
      const outcome = await threads.run({ html, subject: message.subject, remoteImages, images });
      if (outcome.kind !== 'done') {
        log.warn('HTML not shown', {
          ticket: ticketId,
          message: key,
          reason: outcome.kind === 'late' ? 'it takes too long' : outcome.reason,
        });
        return textInstead('too-slow', message, html);
      }
      if (outcome.value === 'too-deep') return textInstead('too-deep', message, html);
      if (body.kind === 'blob') await blobs.putOnce(kept, outcome.value);
      return outcome.value;
    },
    close: () => threads.close(),
  };
}

/** The worker's source file next to this one, or its own bundle in a build (dist/app/sanitise-worker.mjs). */
const workerFile = (): URL =>
  new URL(
    import.meta.url.endsWith('.ts') ? './sanitise-worker.ts' : './sanitise-worker.mjs',
    import.meta.url,
  );

/**
 * A hash of the built worker. It names its chunks by their content, so any change of our sanitizer or its
 * library changes the version automatically.
 */
async function versionOf(file: URL): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex')
    .slice(0, 12);
}
