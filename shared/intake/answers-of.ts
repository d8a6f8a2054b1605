import type { ParsedMessage } from '../mime/parsed-message.ts';

/**
 * Maximum number of Message-IDs to find threads by. Each costs one request to look up and one row to store.
 */
const MAX_MESSAGE_IDS = 6;

/**
 * The Message-IDs that an email answers, nearest first: the message a bounce reports on, In-Reply-To, then
 * References backwards (RFC 5322 section 3.6.4). A long chain is reduced to the newest five and the root:
 * messages in between may never have reached this mailbox; the root usually did. At most six, never the
 * email's own ID. Pure.
 */
export function answersOf({
  messageId,
  inReplyTo,
  references,
  automatic,
}: Pick<ParsedMessage, 'messageId' | 'inReplyTo' | 'references' | 'automatic'>): string[] {
  // A bounce's report is more reliable than the headers that its server copied into the bounce itself.
  const nearestFirst = [...(automatic.report?.messageIds ?? []), ...inReplyTo, ...references.toReversed()];
  const unique = [...new Set(nearestFirst)].filter((id) => id !== messageId);
  return unique.length <= MAX_MESSAGE_IDS
    ? unique
    : [...unique.slice(0, MAX_MESSAGE_IDS - 1), ...unique.slice(-1)];
}
