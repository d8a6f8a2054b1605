import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import { type DeliveryKind, queuedDelivery } from '../../../shared/outbox/delivery.ts';
import type { OutboxMessage } from '../../../shared/outbox/outbox-message.ts';
import { support } from '../stack/mail-lab.ts';

export const MAILBOX = 'support';

/** An email of a ticket that is to leave. @param id also its subject and the local part of its Message-ID */
export const email = (
  id: string,
  { ticketId = 'ticket', ...wish }: Partial<OutboxMessage> & { kind?: DeliveryKind } = {},
): OutboxMessage => ({
  ticketId,
  id,
  kind: 'reply',
  mailboxId: MAILBOX,
  createdAt: '2026-11-24T10:00:00.000Z',
  from: { address: support, name: 'Contoso Support' },
  to: ['kim@customer.example'],
  cc: [],
  bcc: [],
  subject: id,
  text: { kind: 'inline', text: `text of ${id}\n` },
  attachments: [],
  messageId: `<${ticketId}.${id}@contoso.example>`,
  references: [],
  headers: {},
  delivery: queuedDelivery('2026-11-24T10:00:00.000Z'),
  ...wish,
});

export const sendingMailbox = (smtp: { host: string; port: number }, imap = smtp): Mailbox => {
  const account = { providerId: 'p', accountId: 'a' };
  return {
    id: MAILBOX,
    address: support,
    protocol: 'imap',
    ...imap,
    ...account,
    folder: 'INBOX',
    enabled: true,
    intervalMinutes: 1,
    afterFetch: { kind: 'mark-seen' },
    createdAt: '2026-11-01T00:00:00.000Z',
    sending: { ...smtp, ...account },
  };
};
