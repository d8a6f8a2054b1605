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

// shown/<ticketId>/<K2>/<version>-<blocked|shown>: the finished document of a message whose HTML is long enough for a blob.

/** Over this many characters the HTML is not shown: its text is, and the original can be downloaded. */
export const SHOWN_HTML_CHARACTERS = 1_000_000;
/** How long making one message safe may take, in milliseconds. */
const DEADLINE_MS = 2_000;
const FALLBACK_CHARACTERS = 100_000;

export interface HtmlViewer {
  /**
   * The document of a message's frame, in UTF-8: its HTML made safe, or its text and why the HTML is not shown. Undefined when
   * the message has no HTML.
   * @throws PostroomError `blob-storage` when storage is away
   */
  show(
    ticketId: string,
    message: StoredMessage,
    remoteImages: RemoteImages,
  ): Promise<Uint8Array<ArrayBuffer> | undefined>;
  close(): Promise<void>;
}

/**
 * Shows HTML without ever holding the event loop: a thread makes it safe and is ended after two seconds. What took long
 * is kept, under the version of the sanitiser, so that a better one helps old messages.
 */
export function createHtmlViewer({ blobs }: { blobs: Blobs }): HtmlViewer {
  const file = workerFile();
  const threads = createThreadPool<SanitiseTask, SanitiseReply>({
    file,
    threads: 1,
    deadlineMs: DEADLINE_MS,
    // A page of frames asks for many at once; each of them takes milliseconds.
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

/** Beside this file: as a source when the sources run, else as a bundle of its own (dist/app/sanitise-worker.mjs). */
const workerFile = (): URL =>
  new URL(
    import.meta.url.endsWith('.ts') ? './sanitise-worker.ts' : './sanitise-worker.mjs',
    import.meta.url,
  );

/**
 * A fingerprint of the built thread: it names its chunks by their content, so that another sanitiser, of ours or of its
 * library, has another version without anybody raising a number.
 */
async function versionOf(file: URL): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex')
    .slice(0, 12);
}
