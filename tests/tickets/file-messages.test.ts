import { beforeEach, describe, expect, test } from 'vitest';
import { openSeam, type Seam } from '../../shared/platform/seam.ts';
import type { Change, Tables } from '../../shared/platform/tables.ts';
import { writeDerivedRows } from '../../shared/tickets/derived-rows.ts';
import { type Filing, fileMessages } from '../../shared/tickets/file-messages.ts';
import { reserveNumbers } from '../../shared/tickets/ticket-numbers.ts';
import { type Body, INLINE_CHARACTERS, type NewMessage } from '../../shared/tickets/ticket-rows.ts';
import { createTicketStore } from '../../shared/tickets/ticket-store.ts';
import { MemoryBlobs } from '../harness/memory-blobs.ts';
import { MemoryTables } from '../harness/memory-tables.ts';

const at = (minute: number): string => new Date(Date.UTC(2026, 10, 24, 10, minute)).toISOString();
const message = (minute: number, wish: Partial<NewMessage> = {}): NewMessage => ({
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
const filing = (messages: NewMessage[], wish: Partial<Filing> = {}): Filing => ({
  ticketId: 'ticket',
  number: 7,
  mailboxId: 'box',
  follows: undefined,
  opens: true,
  messages,
  ...wish,
});
const attachments = (count: number): NewMessage['attachments'] =>
  Array.from({ length: count }, (_, index) => ({
    index,
    filename: `file ${index}`,
    contentType: 'application/pdf',
    contentId: undefined,
    inline: false,
    size: 1,
    blob: `att/${index}`,
  }));

let tables: MemoryTables;
beforeEach(() => {
  tables = new MemoryTables(openSeam);
});
const read = () => createTicketStore({ tables, blobs: new MemoryBlobs(openSeam) }).read('ticket');

describe('messages', () => {
  test('open a ticket, oldest first, that says what the newest one says', async () => {
    await fileMessages(tables, filing([message(1), message(2)]));
    const conversation = await read();
    expect(conversation?.messages.map(({ text }) => text)).toEqual(['text 1', 'text 2']);
    expect(conversation?.ticket).toMatchObject({
      number: 7,
      status: 'open',
      subject: 'mail 1',
      preview: 'text 2',
      openedAt: at(1),
      lastAt: at(2),
      messageCount: 2,
      participants: ['kim@customer.example', 'support@contoso.example'],
    });
  });

  test('that were filed before are left alone, in every combination with new ones', async () => {
    await fileMessages(tables, filing([message(1)]));
    await fileMessages(tables, filing([message(1), message(2)]));
    const { changes } = tables;
    await fileMessages(tables, filing([message(1), message(2)]));
    await fileMessages(tables, filing([message(2)], { opens: false }));
    expect(tables.changes).toBe(changes);
    expect((await read())?.ticket.messageCount).toBe(2);
  });

  test('that are added later but are older move neither preview nor time', async () => {
    await fileMessages(tables, filing([message(5)]));
    await fileMessages(tables, filing([message(3)], { opens: false }));
    expect((await read())?.ticket).toMatchObject({ preview: 'text 5', lastAt: at(5), messageCount: 2 });
  });

  test('open a closed ticket again', async () => {
    await fileMessages(tables, filing([message(1)]));
    await createTicketStore({ tables, blobs: new MemoryBlobs(openSeam) }).setStatus('ticket', 'closed');
    await fileMessages(tables, filing([message(2)], { opens: false }));
    expect((await read())?.ticket.status).toBe('open');
  });

  test('for a ticket that is gone are refused', async () => {
    await expect(fileMessages(tables, filing([message(1)], { opens: false }))).rejects.toMatchObject({
      code: 'ticket-missing',
    });
  });

  test('go into as few transactions as their rows allow, each message with all its rows in one', async () => {
    const commits: number[] = [];
    const counting: Seam = {
      ...openSeam,
      call: async (point, effect) => {
        const before = tables.changes;
        const answer = await effect();
        if (point === 'table.Tickets.commit') commits.push(tables.changes - before);
        return answer;
      },
    };
    const messages = [1, 2, 3].map((minute) => message(minute, { attachments: attachments(60) }));
    await fileMessages(tables.behind(counting), filing([...messages, message(4)]));
    expect(commits).toEqual([62, 62, 63]);
    const conversation = await read();
    expect(conversation?.messages.map((each) => each.attachments.length)).toEqual([60, 60, 60, 0]);
    expect(conversation?.ticket.messageCount).toBe(4);
  });

  test('of two processes at once are each there once', async () => {
    const together = [
      fileMessages(tables, filing([message(1), message(2)])),
      fileMessages(tables, filing([message(1), message(3)])),
    ];
    await Promise.all(together);
    expect((await read())?.messages.map(({ text }) => text)).toEqual(['text 1', 'text 2', 'text 3']);
    expect((await read())?.ticket.messageCount).toBe(3);
  });
});

describe('the rows that follow from a ticket', () => {
  const listed = (): string[] =>
    tables
      .dump('TicketIndex')
      .map((row) => `${row.partitionKey} ${String(row['id'])} ${String(row['lastAt'])}`);

  test('list it once, at its newest message; it is found by the number that it has, not by one it has not', async () => {
    for (let number = 1; number <= 8; number += 1) await reserveNumbers(tables, ['ticket']);
    for (const [opens, minute] of [
      [true, 1],
      [false, 2],
    ] as const)
      await writeDerivedRows(tables, 'box', [
        await fileMessages(tables, filing([message(minute)], { opens })),
      ]);
    expect(listed()).toEqual([`open ticket ${at(2)}`]);
    const store = createTicketStore({ tables, blobs: new MemoryBlobs(openSeam) });
    expect(await store.byNumber(7)).toBe('ticket');
    expect(await store.byNumber(8)).toBeUndefined();
  });

  test('follow a ticket that an agent closed after the filing', async () => {
    await writeDerivedRows(tables, 'box', [await fileMessages(tables, filing([message(1)]))]);
    const filed = await fileMessages(tables, filing([message(2)], { opens: false }));
    await createTicketStore({ tables, blobs: new MemoryBlobs(openSeam) }).setStatus('ticket', 'closed');
    await writeDerivedRows(tables, 'box', [filed]);
    expect(listed()).toEqual([`closed ticket ${at(2)}`]);
  });

  test('cost a ticket that nobody else knows no reading', async () => {
    const points: string[] = [];
    const seam: Seam = {
      ...openSeam,
      call: (point, effect) => {
        points.push(point);
        return effect();
      },
    };
    const behind = tables.behind(seam);
    await writeDerivedRows(behind, 'box', [await fileMessages(behind, filing([message(1)]))]);
    expect(points.toSorted()).toEqual(
      ['MessageIds', 'TicketIndex', 'Tickets'].map((name) => `table.${name}.commit`),
    );
  });
});

/** The tables, with what each transaction sends. */
function recording(): { behind: Tables; sent: Change[][] } {
  const sent: Change[][] = [];
  const behind: Tables = {
    open(name) {
      const table = tables.open(name);
      return {
        ...table,
        commit(partitionKey, changes) {
          if (name === 'Tickets') sent.push([...changes]);
          return table.commit(partitionKey, changes);
        },
      };
    },
  };
  return { behind, sent };
}

const payload = (changes: readonly Change[]): number => Buffer.byteLength(JSON.stringify(changes));

describe('a transaction', () => {
  const many = (count: number, wish: Partial<NewMessage> = {}): NewMessage[] =>
    Array.from({ length: count }, (_, index) => message(index, wish));

  test('of 100 rows is one; with one row more it is two', async () => {
    const { behind, sent } = recording();
    await fileMessages(behind, filing(many(99)));
    await fileMessages(behind, filing(many(100), { ticketId: 'one more' }));
    expect(sent.map((changes) => changes.length)).toEqual([100, 100, 2]);
  });

  test('of 100 rows with those of attachments is one; with one attachment more it is two', async () => {
    const { behind, sent } = recording();
    const two = (first: number, second: number): NewMessage[] =>
      [first, second].map((count, minute) => message(minute, { attachments: attachments(count) }));
    await fileMessages(behind, filing(two(80, 17)));
    await fileMessages(behind, filing(two(80, 18), { ticketId: 'one more' }));
    expect(sent.map((changes) => changes.length)).toEqual([100, 82, 20]);
  });

  test.each([
    ['plain letters', 'a'],
    ['letters of three bytes each', '字'],
    ['characters that JSON escapes', '"'],
  ])('never sends more than 4 MiB, of %s', async (_what, letter) => {
    const { behind, sent } = recording();
    const text: Body = { kind: 'inline', text: letter.repeat(INLINE_CHARACTERS) };
    await fileMessages(behind, filing(many(98, { text, html: text })));
    const sizes = sent.map(payload);
    expect(Math.max(...sizes)).toBeLessThan(4 * 1024 * 1024);
    expect(Math.max(...sizes), 'and is filled all the same').toBeGreaterThan(1024 * 1024);
    expect((await read())?.messages).toHaveLength(98);
  });

  test('of 3 MiB is one; with one message more it is two', async () => {
    const text: Body = { kind: 'inline', text: '字'.repeat(INLINE_CHARACTERS) };
    const sentOf = async (count: number): Promise<Change[][]> => {
      const { behind, sent } = recording();
      await fileMessages(behind, filing(many(count, { text }), { ticketId: `of ${count}` }));
      return sent;
    };
    const counts = (sent: readonly Change[][]): number[] => sent.map((changes) => changes.length - 1);
    const [most = 0] = counts(await sentOf(90));
    expect(most).toBeGreaterThan(30);
    expect(counts(await sentOf(most))).toEqual([most]);
    expect(counts(await sentOf(most + 1))).toEqual([most, 1]);
  });
});
