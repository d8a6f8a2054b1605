import { expect, test } from 'vitest';
import { openSeam } from '../../shared/platform/seam.ts';
import { appendMessages } from '../../shared/tickets/append-messages.ts';
import type { NewMessage } from '../../shared/tickets/message-records.ts';
import { createTicketStore } from '../../shared/tickets/ticket-store.ts';
import { MemoryBlobs } from '../harness/memory/memory-blobs.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

const RECEIVED = '2026-11-24T10:00:00.000Z';

function message(key: string, at: string, sentAt: string | undefined): NewMessage {
  return {
    key,
    at,
    sentAt,
    from: { name: undefined, address: 'anna@customer.example' },
    to: [],
    cc: [],
    subject: 'Order',
    messageId: undefined,
    notes: [],
    rawBlob: `raw/${key}`,
    attachments: [],
    text: { kind: 'inline', text: key },
    html: undefined,
    preview: key,
    manifestBlob: undefined,
  };
}

test('emails of one second are in the order they were written, others in the order they arrived', async () => {
  const tables = new MemoryTables(openSeam);
  await appendMessages(tables, {
    ticketId: 't1',
    number: 1,
    mailboxId: 'support',
    follows: undefined,
    opens: true,
    messages: [
      message('aa-first', RECEIVED, '2026-11-22T08:00:00.000Z'),
      message('zz-second', RECEIVED, '2026-11-23T08:00:00.000Z'),
      message('mm-third', RECEIVED, undefined),
      message('bb-later', '2026-11-24T10:00:01.000Z', '1999-01-01T00:00:00.000Z'),
    ],
  });
  const conversation = await createTicketStore({ tables, blobs: new MemoryBlobs(openSeam) }).read('t1');
  expect(conversation?.messages.map(({ key }) => key)).toEqual([
    'aa-first',
    'zz-second',
    'mm-third',
    'bb-later',
  ]);
});
