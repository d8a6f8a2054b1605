import { answerTasks } from '../platform/thread-tasks.ts';
import { foldQuotation } from './fold-html.ts';
import { bareContentId } from './inline-images.ts';
import { mailDocument } from './mail-document.ts';
import { loadSanitiser, type RemoteImages, sanitiseMailHtml } from './mail-html.ts';

/** The thread that makes HTML safe to show; `show-html.ts` has it ended when it takes too long. */
export interface SanitiseTask {
  html: string;
  /** Tells a forwarded message, of which nothing is folded. */
  subject: string;
  remoteImages: RemoteImages;
  /** `data:` addresses of the message's own images by Content-ID without angle brackets. */
  images: ReadonlyMap<string, string>;
}

/** The whole document of the frame in UTF-8, or `too-deep`: its tags are nested too deep to be shown. */
export type SanitiseReply = Uint8Array<ArrayBuffer> | 'too-deep';

// Before the first task, so that its time is not counted as the task's.
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
