/** Which Message-IDs of a long chain are looked up, and in which order. */
import { beforeEach, describe, expect, test } from 'vitest';
import { ticketIdOf } from '../../shared/intake/content-key.ts';
import { decideBatch } from '../../shared/intake/decide-batch.ts';
import { createLedgerStore } from '../../shared/intake/ledger-store.ts';
import type { ReadOutcome } from '../../shared/intake/read-message.ts';
import { uidRef } from '../../shared/mailboxes/imap-position.ts';
import { openSeam, type Seam } from '../../shared/platform/seam.ts';
import { appendMessages } from '../../shared/tickets/append-messages.ts';
import type { NewMessage } from '../../shared/tickets/message-records.ts';
import type { SenderAuthentication } from '../../shared/tickets/ticket.ts';
import { writeIndexes } from '../../shared/tickets/ticket-indexes.ts';
import { readMail } from '../harness/memory/mail-files.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

const BOX = 'box';
const AT = '2026-11-24T10:00:00.000Z';
const KIM = { name: undefined, address: 'kim@customer.example' };

const messageOf = (key: string, messageId: string | undefined): NewMessage => ({
  key,
  at: AT,
  sentAt: undefined,
  from: KIM,
  to: [],
  cc: [],
  subject: '',
  messageId,
  notes: [],
  rawBlob: '',
  attachments: [],
  text: { kind: 'inline', text: '' },
  html: undefined,
  preview: '',
  manifestBlob: undefined,
});

let tables: MemoryTables;
let looked: number;
beforeEach(async () => {
  tables = new MemoryTables(openSeam);
  looked = 0;
  for (const [number, ticketId] of ['of the root', 'of the parent'].entries()) {
    const filing = { ticketId, number: number + 1, mailboxId: BOX, follows: undefined, opens: true };
    const messages = [messageOf(`key of ${ticketId}`, `<${ticketId.slice(7)}@customer.example>`)];
    await writeIndexes(tables, BOX, [await appendMessages(tables, { ...filing, messages })]);
  }
});

/** The ticket that an email with these headers joins; undefined: it opens one. */
async function joined(
  headers: readonly string[],
  authentication?: SenderAuthentication,
): Promise<string | undefined> {
  const seam: Seam = {
    ...openSeam,
    call: (point, effect) => {
      if (point === 'table.MessageIds.list') looked += 1;
      return effect();
    },
  };
  const behind = tables.behind(seam);
  const ledger = createLedgerStore(behind);
  const found = { ref: uidRef(1), place: 'at|1', key: 'k', rawBlob: 'raw/k', receivedAt: AT, size: 1 };
  const { mine } = await ledger.claim(BOX, [found], { alone: false, present: new Set() });
  const raw = ['From: Kim <kim@customer.example>', 'Subject: Lamp', ...headers, '', 'Hello', ''];
  const mail = await readMail(Buffer.from(raw.join('\r\n')));
  const message = { ...messageOf('k', mail.messageId), authentication };
  const outcome: ReadOutcome = { kind: 'message', mail, message };
  const work = mine.map((each) => ({
    mail: each,
    stored: { ...found, raw: undefined, oversized: false, notes: [] },
  }));
  const [decided] = await decideBatch(
    { tables: behind, ledger, ticketIdOf },
    { id: BOX, address: 'box@contoso.example' },
    work,
    [outcome],
  );
  return decided?.decision?.opens === true ? undefined : decided?.decision?.ticketId;
}

const unknown = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `<unknown-${index}@customer.example>`);
const references = (...ids: readonly string[]): string => `References: ${ids.join('\r\n ')}`;

describe('a reply in a long thread', () => {
  test('whose later emails never arrived here joins the ticket of its root', async () => {
    expect(await joined([references('<root@customer.example>', ...unknown(30))])).toBe('of the root');
    expect(looked, 'at most six look-ups an email').toBe(6);
  });

  test('joins the ticket of the nearest email, not that of the root', async () => {
    expect(
      await joined([references('<root@customer.example>', ...unknown(2), '<parent@customer.example>')]),
    ).toBe('of the parent');
    expect(looked).toBe(1);
  });

  test('uses In-Reply-To before References', async () => {
    expect(
      await joined([references('<root@customer.example>'), 'In-Reply-To: <parent@customer.example>']),
    ).toBe('of the parent');
  });

  test('whose chain fits is looked up to its end', async () => {
    expect(await joined([references('<root@customer.example>', ...unknown(5))])).toBe('of the root');
  });
});

test('a reply that fails DMARC does not join the ticket of its claimed sender', async () => {
  const reply = ['In-Reply-To: <parent@customer.example>'];
  const results = { spf: 'pass', dkim: 'none', dmarc: 'fail' };
  expect(await joined(reply, { ...results, fails: true })).toBeUndefined();
});

test('a reply without a failed check joins', async () => {
  const reply = ['In-Reply-To: <parent@customer.example>'];
  const results = { spf: 'pass', dkim: 'none', dmarc: 'none' };
  expect(await joined(reply, { ...results, fails: false })).toBe('of the parent');
});
