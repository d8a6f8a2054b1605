import { subjectTag } from '../tickets/subject-tag.ts';

/** How mail programs begin the subject of a reply, in the most common languages. */
const replyPrefix =
  /^(?:re|aw|antw|antwort|sv|vs|rif|ris|r|res|odp|ynt|vá|回复|答复|返信)(?:\s?\[\d{1,3}\])?\s?[:：]/i;
const MAX_SUBJECT = 900;

/**
 * The subject of a reply: unchanged after `Re:`, so that Outlook and Gmail keep the conversation together. A subject
 * that is a reply's already stays as it is. Pure.
 * @param tagged adds `[#123]`, once
 */
export function replySubject(subject: string, number: number, tagged: boolean): string {
  const line = subject
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, MAX_SUBJECT)
    .toWellFormed();
  const reply = replyPrefix.test(line) ? line : `Re: ${line}`.trim();
  const tag = subjectTag(number);
  return tagged && !reply.includes(tag) ? `${reply} ${tag}` : reply;
}
