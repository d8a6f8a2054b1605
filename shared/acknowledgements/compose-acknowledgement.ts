import type { AnswerSettings } from '../mailboxes/answer-settings.ts';
import { defaultTemplates, type MailTemplate } from '../templates/default-templates.ts';
import { renderTemplate } from '../templates/render-markdown.ts';
import { fillTemplate, parseTemplate, type TemplatePiece } from '../templates/template.ts';
import { type TemplateFacts, templateValues } from '../templates/template-values.ts';
import { replyReferences } from '../tickets/reply-references.ts';
import type { TicketMessage } from '../tickets/ticket.ts';

/** What an acknowledgement says and how it is addressed; the outbox adds the sender and the Message-ID. */
export interface Acknowledgement {
  subject: string;
  text: string;
  html: string;
  /** Oldest first; the last one is replied to. Empty if the email has no Message-ID. */
  references: readonly string[];
  headers: Readonly<Record<string, string>>;
}

/**
 * RFC 3834 section 5, and for Exchange, which reads no other mark. `X-Postroom` is a hint only: Graph removes it.
 * https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxcmail/ced68690-498a-4567-9d14-5c01f974d8b1
 */
export const acknowledgementHeaders = {
  'Auto-Submitted': 'auto-replied',
  'X-Auto-Response-Suppress': 'All',
  'X-Postroom': 'acknowledgement',
} as const;

/** Longest subject; a longer one is cut. */
const MAX_SUBJECT = 250;

/**
 * The acknowledgement of an email that opened a ticket; also the preview in the settings, with any ticket. A
 * template that is no longer valid is replaced by the default one of its language.
 */
export async function composeAcknowledgement(
  acknowledgement: NonNullable<AnswerSettings['acknowledgement']>,
  facts: TemplateFacts,
  mail: Pick<TicketMessage, 'messageId' | 'answers'>,
): Promise<Acknowledgement> {
  const pieces = piecesOf(acknowledgement) ?? piecesOf(defaultTemplates[acknowledgement.language]);
  if (pieces === undefined) throw new TypeError('a default template is not valid');
  const values = templateValues(facts);
  const subject = fillTemplate(pieces.subject, values)
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim();
  return {
    subject: subject.slice(0, MAX_SUBJECT).toWellFormed(),
    ...(await renderTemplate(pieces.text, values)),
    references: replyReferences(mail),
    headers: acknowledgementHeaders,
  };
}

function piecesOf(
  template: MailTemplate,
): { subject: readonly TemplatePiece[]; text: readonly TemplatePiece[] } | undefined {
  const [subject, text] = [parseTemplate(template.subject), parseTemplate(template.text)];
  return subject.kind === 'valid' && text.kind === 'valid'
    ? { subject: subject.pieces, text: text.pieces }
    : undefined;
}

/** A ticket for the preview before there is a real one. */
export const sampleTicket: TemplateFacts['ticket'] = {
  number: 1042,
  subject: 'Printer on the second floor',
  requester: { name: 'Kim Jones', address: 'kim@example.org' },
};
