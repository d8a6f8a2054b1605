import { answerTasks } from '../platform/thread-tasks.ts';
import { foldQuotation } from './fold-html.ts';
import { bareContentId } from './inline-images.ts';
import { mailDocument } from './mail-document.ts';
import { loadSanitiser, type RemoteImages, sanitiseMailHtml } from './mail-html.ts';

/** The worker thread that sanitizes HTML. `show-html.ts` terminates it after a timeout. */
export interface SanitiseTask {
  html: string;
  /** Identifies forwarded messages, which are not folded. */
  subject: string;
  remoteImages: RemoteImages;
  /** `data:` URLs of the message's own images, by Content-ID without angle brackets. */
  images: ReadonlyMap<string, string>;
}

/** The complete document of the frame in UTF-8, or `too-deep` if its tags are nested too deep to be shown. */
export type SanitiseReply = Uint8Array<ArrayBuffer> | 'too-deep';

// Loaded before the first task, so that the load time does not count against its timeout.
await loadSanitiser();

answerTasks<SanitiseTask, SanitiseReply>(
  async ({ html, subject, remoteImages, images }) => {
    const safe = await sanitiseMailHtml(html, {
      remoteImages,
      inlineImage: (contentId) => images.get(bareContentId(contentId)),
    });
    if (safe === 'too-deep') return safe;
    return new TextEncoder().encode(mailDocument(foldQuotation(safe.html, subject)));
  },
  (reply) => (reply === 'too-deep' ? [] : [reply.buffer]),
);
