import { describe, expect, test } from 'vitest';
import { readMail } from '../../shared/intake/read-message.ts';
import { uidRef } from '../../shared/mailboxes/imap-position.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { appendMessages } from '../../shared/tickets/append-messages.ts';
import { createTicketStore } from '../../shared/tickets/ticket-store.ts';
import { parserHere } from '../harness/memory/intake-world.ts';
import { MemoryBlobs } from '../harness/memory/memory-blobs.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

describe('the attachments of a message', () => {
  const withFiles = (count: number): Buffer => {
    const part = (index: number): string =>
      `--b\r\nContent-Type: text/plain; name="f${index}.txt"\r\nContent-Disposition: attachment; filename="f${index}.txt"\r\n\r\nfile ${index}\r\n`;
    const parts = Array.from({ length: count }, (_, index) => part(index)).join('');
    return Buffer.from(
      `From: kim@customer.example\r\nSubject: files\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n${parts}--b--\r\n`,
    );
  };

  test.each([
    [80, 80, undefined],
    [81, 0, 'body/box/key/attachments'],
    [250, 0, 'body/box/key/attachments'],
  ])('number %i and need %i rows', async (count, rows, manifestBlob) => {
    const tables = new MemoryTables(openSeam);
    const blobs = new MemoryBlobs(openSeam);
    const raw = withFiles(count);
    const outcome = await readMail(
      { blobs, parser: parserHere },
      { id: 'box', host: 'localhost', address: 'support@contoso.example' },
      {
        ref: uidRef(1),
        place: 'at|1',
        key: 'key',
        rawBlob: 'raw/1',
        receivedAt: '2026-11-24T10:01:00.000Z',
        size: raw.length,
        raw,
        oversized: false,
        notes: [],
      },
    );
    if (outcome.kind !== 'message') throw new Error(`read as ${outcome.kind}`);
    expect(outcome.message.manifestBlob).toBe(manifestBlob);
    await appendMessages(tables, {
      ticketId: 'ticket',
      number: 7,
      mailboxId: 'box',
      follows: undefined,
      opens: true,
      messages: [outcome.message],
    });
    const stored = tables.dump('Tickets').filter(({ rowKey }) => rowKey.startsWith('a|'));
    expect(stored).toHaveLength(rows);
    const conversation = await createTicketStore({ tables, blobs }).read('ticket');
    expect(conversation?.messages[0]?.attachments.map(({ filename }) => filename)).toEqual(
      Array.from({ length: count }, (_, index) => `f${index}.txt`),
    );
  });
});
