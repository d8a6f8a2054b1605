import type { AnswerSettings } from '../mailboxes/answer-settings.ts';
import { type RenderedText, renderMarkdown } from '../templates/render-markdown.ts';
import { replyReferences } from '../tickets/reply-references.ts';
import type { TicketMessage } from '../tickets/ticket.ts';
import { type QuotedMessage, quoteMessage } from './quote-message.ts';
import { replySubject } from './reply-subject.ts';

export interface ReplyText {
  /** Markdown. */
  text: string;
  /** Quoted below the signature; absent: nothing is quoted. */
  quotes?: QuotedMessage | undefined;
}

/** What a reply says and how it is threaded; the outbox adds sender, recipients, attachments and Message-ID. */
export interface ComposedReply extends RenderedText {
  subject: string;
  /** Oldest first; the last one is replied to. */
  references: readonly string[];
}

/**
 * A reply as it leaves; also its preview.
 * @param newest the newest message of the ticket that has a Message-ID, ours or the customer's
 */
export async function composeReply(
  draft: ReplyText,
  ticket: { number: number; subject: string },
  answers: Pick<AnswerSettings, 'signature' | 'tagsSubject'> | undefined,
  newest: Pick<TicketMessage, 'messageId' | 'answers' | 'subject'> | undefined,
): Promise<ComposedReply> {
  const signature = answers?.signature ?? '';
  const [body, signed] = await Promise.all([renderMarkdown(draft.text), renderMarkdown(signature)]);
  const quote = draft.quotes === undefined ? undefined : quoteMessage(draft.quotes);
  // `-- ` begins a signature (RFC 3676 section 4.3): mail programs leave it out when they quote.
  const parts = [
    body,
    signature === '' ? undefined : { text: `-- \n${signed.text}`, html: `<div>-- <br>${signed.html}</div>` },
    quote,
  ].filter((part) => part !== undefined);
  return {
    subject: replySubject(newest?.subject ?? ticket.subject, ticket.number, answers?.tagsSubject === true),
    text: `${parts.map(({ text }) => text).join('\n\n')}\n`,
    html: parts.map(({ html }) => html).join('\n'),
    references: newest === undefined ? [] : replyReferences(newest),
  };
}
