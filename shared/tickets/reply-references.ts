import type { TicketMessage } from './ticket.ts';

/** As many as the parser reads of an email, and far below the line limit of any server. */
const MAX_REFERENCES = 20;

/**
 * The References of an email that replies to a message, oldest first; the last one is replied to (RFC 5322 section
 * 3.6.4). A long chain keeps its root and its newest part: some programs find a thread by its first message.
 * Empty if the message has no Message-ID. Pure.
 */
export function replyReferences({
  messageId,
  answers = [],
}: Pick<TicketMessage, 'messageId' | 'answers'>): string[] {
  if (messageId === undefined) return [];
  const parents = new Set(answers.toReversed());
  parents.delete(messageId);
  const ordered = [...parents, messageId].filter(isMessageId);
  return ordered.length <= MAX_REFERENCES
    ? ordered
    : [...ordered.slice(0, 1), ...ordered.slice(1 - MAX_REFERENCES)];
}

/** Safe in a header: one that the sender broke is left out. */
const isMessageId = (id: string): boolean => /^<[^\s<>\p{Cc}]{1,400}>$/u.test(id);
