import type { ParsedMessage } from '../mime/parsed-message.ts';

/** Message-IDs of one email that threads are found by. Each costs a request to look up and a row to keep. */
const MOST = 6;

/**
 * The Message-IDs that an email answers, the nearest first: what a bounce reports on, In-Reply-To, then References backwards (RFC 5322 section
 * 3.6.4). Of a long chain the newest five and the root: what stands between may never have reached this mailbox, the root
 * usually did. At most six, never its own. Pure.
 */
export function answersOf({
  messageId,
  inReplyTo,
  references,
  automatic,
}: Pick<ParsedMessage, 'messageId' | 'inReplyTo' | 'references' | 'automatic'>): string[] {
  // What a bounce reports on says more than what its server copied into the bounce's own header.
  const nearestFirst = [...(automatic.report?.messageIds ?? []), ...inReplyTo, ...references.toReversed()];
  const unique = [...new Set(nearestFirst)].filter((id) => id !== messageId);
  return unique.length <= MOST ? unique : [...unique.slice(0, MOST - 1), ...unique.slice(-1)];
}
