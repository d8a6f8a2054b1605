import type { Filing } from '../../../shared/tickets/append-messages.ts';
import type { NewMessage } from '../../../shared/tickets/message-records.ts';

/** ISO time of a minute of the tests' hour. */
export const at = (minute: number): string => new Date(Date.UTC(2026, 10, 24, 10, minute)).toISOString();

/** The email of a minute: its key, subject, text and Message-ID contain that minute. */
export const message = (minute: number, wish: Partial<NewMessage> = {}): NewMessage => ({
  key: `key${String(minute).padStart(3, '0')}`,
  at: at(minute),
  sentAt: undefined,
  from: { name: 'Kim', address: 'Kim@customer.example' },
  to: [{ name: undefined, address: 'support@contoso.example' }],
  cc: [],
  subject: `mail ${minute}`,
  messageId: `<${minute}@customer.example>`,
  notes: [],
  rawBlob: `raw/box/1-${minute}.eml`,
  attachments: [],
  text: { kind: 'inline', text: `text ${minute}` },
  html: undefined,
  preview: `text ${minute}`,
  manifestBlob: undefined,
  ...wish,
});

/** Emails that open the ticket `ticket`, number 7. */
export const filing = (messages: readonly NewMessage[], wish: Partial<Filing> = {}): Filing => ({
  ticketId: 'ticket',
  number: 7,
  mailboxId: 'box',
  follows: undefined,
  opens: true,
  messages,
  ...wish,
});

export const attachments = (count: number): NewMessage['attachments'] =>
  Array.from({ length: count }, (_, index) => ({
    index,
    filename: `file ${index}`,
    contentType: 'application/pdf',
    contentId: undefined,
    inline: false,
    size: 1,
    blob: `att/${index}`,
  }));
