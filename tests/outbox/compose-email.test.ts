import { describe, expect, test } from 'vitest';
import { composeEmail, type EmailParts } from '../../shared/outbox/compose-email.ts';
import { loadMail } from '../../shared/outbox/load-mail.ts';
import { createMessageIds } from '../../shared/outbox/message-id.ts';
import { outboxKind } from '../../shared/outbox/outbox-records.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { INLINE_CHARACTERS } from '../../shared/tickets/ticket-columns.ts';
import { MemoryBlobs } from '../harness/memory/memory-blobs.ts';
import { MemoryVault } from '../harness/memory/memory-vault.ts';

const blobs = new MemoryBlobs(openSeam);
const messageIds = createMessageIds(new MemoryVault(openSeam), openSeam);
const compose = (wish: Partial<EmailParts> = {}) =>
  composeEmail(
    { blobs, messageIds },
    {
      ticketId: 'ticket',
      id: 'reply1',
      kind: 'reply',
      mailbox: { id: 'support', address: 'support@contoso.example', name: 'Contoso Support' },
      ownMailboxes: ['support@contoso.example', 'sales@contoso.example'],
      to: ['kim@customer.example'],
      subject: 'Re: Printer',
      text: 'Hello',
      references: ['<1@customer.example>'],
      createdAt: '2026-11-24T10:00:00.000Z',
      ...wish,
    },
  );
async function composed(wish: Partial<EmailParts> = {}) {
  const result = await compose(wish);
  if (result.kind === 'refused') throw new Error(result.problem);
  return result.message;
}

describe('an email of a ticket', () => {
  test('is a row that can be read back, and the email that leaves', async () => {
    const message = await composed({ by: 'Alex Admin', html: '<p>Hello</p>', delayMs: 10_000 });
    expect(outboxKind.fromRow(outboxKind.toRow(message))).toEqual(message);
    expect(message.delivery.status).toEqual({ state: 'queued', due: '2026-11-24T10:00:10.000Z' });
    expect(await messageIds.read(message.messageId)).toEqual({ ticketId: 'ticket', id: 'reply1' });
    expect(await loadMail(blobs, message)).toEqual({
      from: { address: 'support@contoso.example', name: 'Contoso Support' },
      to: ['kim@customer.example'],
      cc: [],
      bcc: [],
      subject: 'Re: Printer',
      text: 'Hello',
      html: '<p>Hello</p>',
      messageId: message.messageId,
      references: ['<1@customer.example>'],
      headers: {},
      attachments: [],
    });
  });

  test('tells machines not to answer if no person wrote it', async () => {
    const { headers } = await composed({ kind: 'acknowledgement' });
    expect(headers).toEqual({ 'Auto-Submitted': 'auto-replied', 'X-Auto-Response-Suppress': 'All' });
    expect((await composed({ kind: 'notification' })).headers).toMatchObject({
      'Auto-Submitted': 'auto-generated',
    });
  });

  test('may be longer than a row', async () => {
    const text = 'ä'.repeat(INLINE_CHARACTERS + 1);
    const message = await composed({ id: 'long', text });
    expect(message.text).toEqual({ kind: 'blob', blob: 'out/ticket/long/text' });
    expect((await loadMail(blobs, message))?.text).toBe(text);
  });

  test('is not sent without a part of it', async () => {
    const attachments = [{ filename: 'x', contentType: 'text/plain', size: 1, blob: 'att/gone' }];
    expect(await loadMail(blobs, await composed({ attachments }))).toBeUndefined();
    const text = { kind: 'blob', blob: 'gone' } as const;
    expect(await loadMail(blobs, { ...(await composed()), text })).toBeUndefined();
    expect(await loadMail(blobs, { ...(await composed()), html: text })).toBeUndefined();
  });

  test('names the first and the newest emails of a long conversation, and no nonsense', async () => {
    const references = Array.from({ length: 50 }, (_, index) => `<${index}@customer.example>`);
    const kept = (await composed({ references: ['nonsense', ...references] })).references;
    expect(kept).toHaveLength(20);
    expect(kept[0]).toBe('<0@customer.example>');
    expect(kept.at(-1)).toBe('<49@customer.example>');
    expect(kept[1]).toBe('<31@customer.example>');
  });

  test('has an ASCII Message-ID in a domain that is not', async () => {
    const mailbox = { id: 'support', address: 'support@köln.example' };
    expect((await composed({ mailbox })).messageId).toMatch(/@xn--kln-sna\.example>$/);
  });

  test.each<[string, Partial<EmailParts>, RegExp]>([
    ['a mailbox of ours', { cc: ['sales@contoso.example'] }, /sales@contoso\.example is a mailbox/],
    ['no recipient', { to: [] }, /no recipient/],
    ['a recipient that is none', { bcc: ['Kim <kim@customer.example>'] }, /not a mail address/],
    ['a subject of two lines', { subject: 'a\nb' }, /control character/],
    [
      'a file name of two lines',
      { attachments: [{ filename: 'a\r\nb', contentType: 'text/plain', size: 1, blob: 'x' }] },
      /control character/,
    ],
  ])('is refused with a sentence: %s', async (_what, wish, problem) => {
    expect(await compose(wish)).toEqual({ kind: 'refused', problem: expect.stringMatching(problem) });
  });

  test('has an ID that can be part of a key', async () => {
    await expect(compose({ id: 'a/b' })).rejects.toMatchObject({ code: 'bad-key' });
  });
});
