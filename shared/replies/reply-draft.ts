import { MAX_MARKDOWN } from '../templates/render-markdown.ts';
import type { ReplyAttachment } from './reply-attachments.ts';

/** A reply that a person has not sent yet. Fields are as typed: what is wrong is said when it is sent. */
export interface ReplyDraft {
  ticketId: string;
  /** Object ID of the person. */
  personId: string;
  /** For others who open the ticket. */
  personName: string;
  to: string;
  cc: string;
  bcc: string;
  /** Markdown. */
  text: string;
  quotes: boolean;
  attachments: readonly ReplyAttachment[];
  /** `seenToken` of the page on which it was begun. */
  seen: string;
  /** ISO time. */
  savedAt: string;
}

/** Longest texts, in characters. A longer text would not be rendered to its end. */
export const draftLimits = { recipients: 10_000, text: MAX_MARKDOWN } as const;
/** A draft that nobody touched for so long is deleted. */
export const DRAFT_DAYS = 30;

/** Why a draft can't be kept as it is, in a sentence; undefined if it can. Pure. */
export function draftProblem({
  to,
  cc,
  bcc,
  text,
}: Pick<ReplyDraft, 'to' | 'cc' | 'bcc' | 'text'>): string | undefined {
  if ([to, cc, bcc].some((field) => field.length > draftLimits.recipients))
    return 'These are too many recipients.';
  return text.length > draftLimits.text
    ? `The text has more than ${draftLimits.text} characters. Attach it as a file instead.`
    : undefined;
}
