import {
  bounce,
  inlinePicture,
  invitation,
  newsletter,
  oddFileName,
  pdfInvoice,
} from './demo-attachments.ts';
import { japanese, outlookReply, plainQuestion, replyChain, umlauts } from './demo-conversations.ts';
import type { DemoMail, World } from './demo-letter.ts';

/**
 * A dozen typical emails to a help desk, dated before `now`, oldest first, so that a reply follows the
 * email that it replies to. Equal `now` and `to` give equal bytes.
 */
export function demoMails(now: Date, to: string): DemoMail[] {
  const world: World = { to, before: (milliseconds) => new Date(now.getTime() - milliseconds) };
  const [question, addition, thanks] = replyChain(world);
  return [
    newsletter(world),
    question,
    addition,
    japanese(world),
    umlauts(world),
    thanks,
    outlookReply(world),
    invitation(world),
    bounce(world),
    inlinePicture(world),
    pdfInvoice(world),
    oddFileName(world),
    plainQuestion(world),
  ];
}
