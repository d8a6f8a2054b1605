import { queuedDelivery } from '../../shared/outbox/delivery.ts';
import type { OutboxMessage } from '../../shared/outbox/outbox-message.ts';
import { dueKind, dueRowKey, outboxKind } from '../../shared/outbox/outbox-records.ts';
import type { Row } from '../../shared/platform/tables.ts';

/** An email that is measured. */
export interface BenchEmail {
  from: string;
  to: string;
  subject: string;
  text: string;
  messageId: string;
}

/**
 * The rows of replies that are due, as the app writes them: each is the only email of its ticket.
 * @param name unique for this run
 */
export function rowsOfReplies(
  name: string,
  mailboxId: string,
  emails: readonly BenchEmail[],
  at: string,
): { tickets: Row[]; due: Row[]; dueKeys: string[] } {
  const messages = emails.map(
    (email, index): OutboxMessage => ({
      ticketId: `${name}-${index}`,
      id: 'reply',
      kind: 'reply',
      mailboxId,
      createdAt: at,
      from: { address: email.from },
      to: [email.to],
      cc: [],
      bcc: [],
      subject: email.subject,
      text: { kind: 'inline', text: email.text },
      attachments: [],
      messageId: email.messageId,
      references: [],
      headers: {},
      delivery: queuedDelivery(at),
    }),
  );
  const entries = messages.map(({ ticketId, id }) => ({ due: at, ticketId, id, mailboxId, announcedAt: at }));
  return {
    tickets: messages.map((message) => outboxKind.toRow(message)),
    due: entries.map((entry) => dueKind.toRow(entry)),
    dueKeys: entries.map(dueRowKey),
  };
}
