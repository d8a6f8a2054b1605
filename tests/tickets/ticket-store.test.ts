import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Blobs } from '../../shared/platform/blobs.ts';
import { openSeam, type Seam, type SeamPoint } from '../../shared/platform/seam.ts';
import type { Row, TableName } from '../../shared/platform/tables.ts';
import { unreadableRows } from '../../shared/platform/unreadable-rows.ts';
import { appendMessages, type Filing } from '../../shared/tickets/append-messages.ts';
import {
  messageKind,
  messageRecord,
  messageRef,
  messageRowKey,
  type NewMessage,
} from '../../shared/tickets/message-records.ts';
import type { TicketSummary } from '../../shared/tickets/ticket.ts';
import { ticketsOfMessageId, writeIndexes } from '../../shared/tickets/ticket-indexes.ts';
import { reserveNumbers } from '../../shared/tickets/ticket-numbers.ts';
import { indexKind, indexRowKey } from '../../shared/tickets/ticket-records.ts';
import { createTicketStore, type TicketStore } from '../../shared/tickets/ticket-store.ts';
import { at, attachments, filing, message } from '../harness/memory/filings.ts';
import { MemoryBlobs } from '../harness/memory/memory-blobs.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

let tables: MemoryTables;
let blobs: MemoryBlobs;
let store: TicketStore;
beforeEach(() => {
  tables = new MemoryTables(openSeam);
  blobs = new MemoryBlobs(openSeam);
  store = createTicketStore({ tables, blobs });
});

/** Email arrives, with all rows derived from it. */
async function file(messages: readonly NewMessage[], wish: Partial<Filing> = {}): Promise<void> {
  await writeIndexes(tables, 'box', [await appendMessages(tables, filing(messages, wish))]);
}
const put = (table: TableName, row: Row) =>
  tables.open(table).commit(row.partitionKey, [{ kind: 'put', row }]);
const keep = (name: string, text: string) => blobs.putOnce(name, Buffer.from(text));
/** A message as it is read back. */
const stored = (one: NewMessage) => ({ ...one, rowKey: messageRowKey(one.at, one.key) });

/** The same store, with recorded calls. */
function watched(): { store: TicketStore; points: SeamPoint[] } {
  const points: SeamPoint[] = [];
  const seam: Seam = {
    ...openSeam,
    call: (point, effect) => {
      points.push(point);
      return effect();
    },
  };
  return { store: createTicketStore({ tables: tables.behind(seam), blobs: blobs.behind(seam) }), points };
}

const summary = (minute: number, wish: Partial<TicketSummary> = {}): TicketSummary => ({
  id: `t${minute}`,
  number: minute,
  status: 'open',
  subject: `mail ${minute}`,
  requester: { name: 'Kim', address: 'kim@customer.example' },
  mailboxId: 'box',
  lastAt: at(minute),
  messageCount: 1,
  preview: `text ${minute}`,
  ...wish,
});

/** Does something else just before the first write to the ticket. */
function interrupted(meanwhile: () => Promise<unknown>): TicketStore {
  let isFirst = true;
  const seam: Seam = {
    ...openSeam,
    call: async (point, effect) => {
      if (point === 'table.Tickets.commit' && isFirst) {
        isFirst = false;
        await meanwhile();
      }
      return effect();
    },
  };
  return createTicketStore({ tables: tables.behind(seam), blobs });
}

describe('a page of tickets', () => {
  test('has those of its status, newest first, and the start of the next one', async () => {
    for (const minute of [1, 3, 2]) await put('TicketIndex', indexKind.toRow(summary(minute)));
    await put('TicketIndex', indexKind.toRow(summary(9, { status: 'closed' })));
    const first = await store.page('open', { limit: 2 });
    expect(first).toEqual({ tickets: [summary(3), summary(2)], next: indexRowKey(summary(2)) });
    expect(await store.page('open', { after: first.next, limit: 2 })).toEqual({
      tickets: [summary(1)],
      next: undefined,
    });
    expect(await store.page('closed', { limit: 2 })).toEqual({
      tickets: [summary(9, { status: 'closed' })],
      next: undefined,
    });
  });

  test('with the last ticket is the last page', async () => {
    for (const minute of [1, 2]) await put('TicketIndex', indexKind.toRow(summary(minute)));
    expect((await store.page('open', { limit: 2 })).next).toBeUndefined();
    expect((await store.page('open', { limit: 1 })).next).toBe(indexRowKey(summary(2)));
  });

  test('shows a ticket that moved up once, at its newest place', async () => {
    for (const one of [summary(1), summary(2), summary(3, { id: 't1', number: 1 })])
      await put('TicketIndex', indexKind.toRow(one));
    const { tickets } = await store.page('open', { limit: 9 });
    expect(tickets).toEqual([summary(3, { id: 't1', number: 1 }), summary(2)]);
  });
});

describe('a conversation', () => {
  const five = [1, 2, 3, 4, 5].map((minute) => message(minute));

  test('is shown page by page, each oldest first, from its end to its beginning', async () => {
    await file(five);
    const newest = await store.conversation('ticket', { limit: 2 });
    expect(newest?.messages).toEqual([message(4), message(5)].map(stored));
    expect(newest?.earlier).toBe(messageRef(message(4)));
    expect(newest?.ticket).toMatchObject({ id: 'ticket', number: 7, messageCount: 5 });
    const middle = await store.conversation('ticket', { before: newest?.earlier, limit: 2 });
    expect(middle?.messages).toEqual([message(2), message(3)].map(stored));
    const oldest = await store.conversation('ticket', { before: middle?.earlier, limit: 2 });
    expect(oldest).toEqual({ ticket: newest?.ticket, messages: [stored(message(1))], earlier: undefined });
  });

  test('that fits on a page has nothing earlier', async () => {
    await file(five);
    expect((await store.conversation('ticket', { limit: 5 }))?.earlier).toBeUndefined();
  });

  test('of no ticket, or before no message, is none', async () => {
    await file(five);
    expect(await store.conversation('other', { limit: 2 })).toBeUndefined();
    const { store: asked, points } = watched();
    expect(await asked.conversation('ticket', { before: 'yesterday', limit: 2 })).toBeUndefined();
    expect(points).toEqual([]);
  });

  test('of a ticket that lost its messages is empty', async () => {
    await file([message(1)]);
    await tables.open('Tickets').commit('ticket', [{ kind: 'remove', rowKey: stored(message(1)).rowKey }]);
    expect(await store.conversation('ticket', { limit: 2 })).toMatchObject({
      messages: [],
      earlier: undefined,
    });
  });

  test('has two emails with the same time in the same order, on one page and on two', async () => {
    await file([message(1, { key: 'a' }), message(1, { key: 'b' })]);
    const keysOf = async (range: { before?: string | undefined; limit: number }) => {
      const page = await store.conversation('ticket', range);
      return { keys: page?.messages.map(({ key }) => key) ?? [], before: page?.earlier };
    };
    const both = await keysOf({ limit: 2 });
    const last = await keysOf({ limit: 1 });
    const first = await keysOf({ before: last.before, limit: 1 });
    expect(both.keys).toEqual([...first.keys, ...last.keys]);
    expect(both.keys.toSorted()).toEqual(['a', 'b']);
  });

  test('has the attachments of each message', async () => {
    const messages = [2, 0, 1].map((count, index) => message(index, { attachments: attachments(count) }));
    await file(messages);
    expect((await store.conversation('ticket', { limit: 9 }))?.messages).toEqual(messages.map(stored));
  });

  test('reads attachments only if a message has some', async () => {
    await file([message(1, { attachments: attachments(1) }), message(2), message(3)]);
    const { store: asked, points } = watched();
    const newest = await asked.conversation('ticket', { limit: 2 });
    expect(points.splice(0)).toEqual(['table.Tickets.get', 'table.Tickets.list']);
    await asked.conversation('ticket', { before: newest?.earlier, limit: 2 });
    expect(points).toEqual(['table.Tickets.get', 'table.Tickets.list', 'table.Tickets.list']);
  });

  test('reads the attachments of a message with very many from their list', async () => {
    const many = message(1, { attachments: attachments(90), manifestBlob: 'list' });
    const lost = message(2, { attachments: attachments(90), manifestBlob: 'lost' });
    await keep('list', JSON.stringify(many.attachments));
    await file([many, lost]);
    expect((await store.conversation('ticket', { limit: 9 }))?.messages).toEqual([
      stored(many),
      stored({ ...lost, attachments: [] }),
    ]);
  });
});

describe('one message', () => {
  const one = message(2, { attachments: attachments(2) });

  test('is found by its address, with its ticket and its own attachments', async () => {
    await file([message(1, { attachments: attachments(1) }), one, message(3)]);
    const { store: asked, points } = watched();
    const found = await asked.message('ticket', messageRef(one));
    expect(found?.message).toEqual(stored(one));
    expect(found?.ticket).toMatchObject({ id: 'ticket', number: 7, messageCount: 3 });
    expect(points).toEqual(['table.Tickets.get', 'table.Tickets.get', 'table.Tickets.list']);
  });

  test('is not found in another ticket, at another time, by another text, or without a ticket', async () => {
    await file([one]);
    expect(await store.message('other', messageRef(one))).toBeUndefined();
    expect(await store.message('ticket', messageRef(message(3)))).toBeUndefined();
    await put('Tickets', messageKind.toRow(messageRecord('headless', one)));
    expect(await store.message('headless', messageRef(one))).toBeUndefined();
    const { store: asked, points } = watched();
    expect(await asked.message('ticket', 'head')).toBeUndefined();
    expect(points).toEqual([]);
  });
});

describe('a whole ticket', () => {
  test('has every text, wherever it is stored', async () => {
    await keep('text', 'A long text.');
    const messages = [
      message(1, { html: { kind: 'inline', text: '<p>text 1</p>' } }),
      message(2, { text: { kind: 'blob', blob: 'text' } }),
      message(3, { text: { kind: 'blob', blob: 'lost' } }),
    ];
    await file(messages);
    const whole = await store.read('ticket');
    expect(unreadableRows(tables, 'Tickets')).toEqual([]);
    const common = { authentication: undefined, folded: undefined };
    const shown = (one: NewMessage, text: string, hasHtml: boolean) => {
      const { html: _, preview: __, manifestBlob: ___, ...rest } = one;
      return { ...rest, ...common, text, hasHtml };
    };
    expect(whole?.messages).toEqual([
      shown(message(1), 'text 1', true),
      shown(message(2), 'A long text.', false),
      shown(message(3), '', false),
    ]);
    expect(whole?.ticket).toMatchObject({ id: 'ticket', messageCount: 3 });
  });

  test('that does not exist is none', async () => {
    expect(await store.read('ticket')).toBeUndefined();
  });
});

describe('the beginning of a text', () => {
  const cases: [string, string, number, { text: string; whole: boolean }][] = [
    ['shorter than the limit', 'abc', 4, { text: 'abc', whole: true }],
    ['as long as the limit', 'abcd', 4, { text: 'abcd', whole: true }],
    ['longer than the limit', 'abcde', 4, { text: 'abcd', whole: false }],
    ['of three bytes a letter', '字'.repeat(11), 10, { text: '字'.repeat(10), whole: false }],
    ['whose limit falls into a character', 'abc😀', 4, { text: 'abc\ufffd', whole: false }],
    ['that is empty', '', 4, { text: '', whole: true }],
  ];

  test.each(cases)('%s is the same from the row and from a blob', async (_what, text, limit, expected) => {
    await keep('b', text);
    expect(await store.readText({ kind: 'inline', text }, limit)).toEqual(expected);
    expect(await store.readText({ kind: 'blob', blob: 'b' }, limit)).toEqual(expected);
  });

  test('is none if the blob is gone', async () => {
    expect(await store.readText({ kind: 'blob', blob: 'gone' }, 4)).toBeUndefined();
  });

  /** Blobs that arrive in chunks of ten bytes. */
  function inPieces(text: string): { blobs: Blobs; taken: () => number } {
    const bytes = Buffer.from(text);
    let taken = 0;
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (let offset = 0; offset < bytes.length; offset += 10) {
        taken += 1;
        yield bytes.subarray(offset, offset + 10);
      }
    }
    return {
      blobs: Object.assign(new MemoryBlobs(openSeam), { stream: async () => pieces() }),
      taken: () => taken,
    };
  }

  test.each([
    ['one byte a letter', 'a'],
    ['three bytes a letter', '字'],
  ])('reads no more of a long blob than its longest characters require: %s', async (_what, letter) => {
    const { blobs: slow, taken } = inPieces(letter.repeat(1000));
    const read = await createTicketStore({ tables, blobs: slow }).readText({ kind: 'blob', blob: 'b' }, 10);
    expect(read).toEqual({ text: letter.repeat(10), whole: false });
    expect(taken()).toBe(4);
  });
});

describe('the status of a ticket', () => {
  const listed = (): string[] => tables.dump('TicketIndex').map((row) => `${row.partitionKey}|${row.rowKey}`);
  const headOf = (): Row | undefined =>
    tables.dump('Tickets').find(({ partitionKey, rowKey }) => partitionKey === 'ticket' && rowKey === 'head');
  const keyAt = (minute: number): string => indexRowKey({ lastAt: at(minute), id: 'ticket' });

  test('changes in the ticket and in the lists, and the previous one is returned', async () => {
    await file([message(1)]);
    await file([message(2)], { ticketId: 'other', number: 8 });
    expect(await store.setStatus('ticket', 'closed')).toEqual({ number: 7, before: 'open' });
    const other = `open|${indexRowKey({ lastAt: at(2), id: 'other' })}`;
    expect(listed()).toEqual([`closed|${keyAt(1)}`, other]);
    expect(headOf()?.['status']).toBe('closed');
    expect((await store.page('closed', { limit: 9 })).tickets).toMatchObject([
      { id: 'ticket', number: 7, status: 'closed', subject: 'mail 1' },
    ]);
    expect(await store.setStatus('ticket', 'open')).toEqual({ number: 7, before: 'closed' });
    expect(listed()).toEqual([other, `open|${keyAt(1)}`]);
  });

  test('is not written if it is already the same', async () => {
    await file([message(1)]);
    const before = headOf();
    expect(await store.setStatus('ticket', 'open')).toEqual({ number: 7, before: 'open' });
    expect(headOf()).toEqual(before);
    expect(listed()).toEqual([`open|${keyAt(1)}`]);
  });

  test('of a missing ticket is missing, and no list has it', async () => {
    expect(await store.setStatus('ticket', 'closed')).toBe('missing');
    expect(listed()).toEqual([]);
  });

  test('records the two list rows that may be outdated', async () => {
    await file([message(1)]);
    await store.setStatus('ticket', 'closed');
    expect(headOf()?.['stale']).toBe(`open|${keyAt(1)}`);
    await store.setStatus('ticket', 'open');
    expect(headOf()?.['stale']).toBe(`closed|${keyAt(1)},open|${keyAt(1)}`);
    await store.setStatus('ticket', 'closed');
    expect(headOf()?.['stale']).toBe(`open|${keyAt(1)},closed|${keyAt(1)}`);
  });

  test.each<[string, () => Promise<unknown>, string, string]>([
    ['another agent closes it', () => store.setStatus('ticket', 'closed'), 'closed', `closed|${keyAt(1)}`],
    ['mail comes in', () => file([message(2)], { opens: false }), 'open', `closed|${keyAt(2)}`],
    [
      'mail comes in and another agent closes it',
      async () => {
        await file([message(2)], { opens: false });
        await store.setStatus('ticket', 'closed');
      },
      'closed',
      `closed|${keyAt(2)}`,
    ],
  ])('is set once, and listed once, if %s meanwhile', async (_what, meanwhile, before, row) => {
    await file([message(1)]);
    const slower = interrupted(meanwhile);
    expect(await slower.setStatus('ticket', 'closed')).toEqual({ number: 7, before });
    expect(headOf()?.['status']).toBe('closed');
    expect(listed()).toEqual([row]);
  });
});

describe('the assignee of a ticket', () => {
  const sam = { name: 'Sam Lee', address: 'Sam@contoso.example' };
  const alex = { name: 'Alex', address: undefined };
  const assigneeOf = async () => (await store.conversation('ticket', { limit: 1 }))?.ticket.assignee;
  const listedAs = async () => (await store.page('open', { limit: 9 })).tickets.map((one) => one.assignee);
  test('changes in the ticket and in the list, and stays when the status changes and email arrives', async () => {
    await file([message(1)]);
    expect([await assigneeOf(), await listedAs()]).toEqual([undefined, [undefined]]);
    expect(await store.assign('ticket', { from: '', to: sam })).toBe('done');
    expect([await assigneeOf(), await listedAs()]).toEqual([sam, [sam]]);
    await store.setStatus('ticket', 'waiting');
    await file([message(2)], { opens: false });
    expect([await assigneeOf(), await listedAs()]).toEqual([sam, [sam]]);
    expect(await store.assign('ticket', { from: 'sam@contoso.example', to: alex })).toBe('done');
    expect(await store.assign('ticket', { from: 'Alex', to: undefined })).toBe('done');
    expect([await assigneeOf(), await listedAs()]).toEqual([undefined, [undefined]]);
  });

  test('is not overwritten by somebody who has seen another one; the same one again changes nothing', async () => {
    await file([message(1)]);
    await store.assign('ticket', { from: '', to: sam });
    expect(await store.assign('ticket', { from: '', to: alex })).toBe('changed');
    expect(await store.assign('ticket', { from: '', to: sam })).toBe('done');
    expect(await assigneeOf()).toEqual(sam);
    expect(await store.assign('other', { from: '', to: sam })).toBe('missing');
  });

  test('of two people who assign it at the same time, the first one stays', async () => {
    await file([message(1)]);
    const slower = interrupted(() => store.assign('ticket', { from: '', to: alex }));
    expect(await slower.assign('ticket', { from: '', to: sam })).toBe('changed');
    expect([await assigneeOf(), await listedAs()]).toEqual([alex, [alex]]);
  });

  test('is set, and the ticket is listed once, if email arrives and somebody closes it meanwhile', async () => {
    await file([message(1)]);
    const slower = interrupted(async () => {
      await file([message(2)], { opens: false });
      await store.setStatus('ticket', 'closed');
    });
    expect(await slower.assign('ticket', { from: '', to: sam })).toBe('done');
    expect(await listedAs()).toEqual([]);
    expect((await store.page('closed', { limit: 9 })).tickets).toMatchObject([
      { assignee: sam, messageCount: 2 },
    ]);
  });

  test('is set in a transaction only if there is none', async () => {
    await file([message(1)]);
    const [first, second] = [
      await store.firstAssignee('ticket', sam),
      await store.firstAssignee('ticket', alex),
    ];
    if (first === undefined || second === undefined) throw new Error('there is no assignee yet');
    expect(await tables.open('Tickets').commit('ticket', [first])).toMatchObject({ ok: true });
    expect(await tables.open('Tickets').commit('ticket', [second])).toMatchObject({ refusal: 'changed' });
    await store.rewriteIndexRow('ticket');
    expect([await assigneeOf(), await listedAs()]).toEqual([sam, [sam]]);
    expect(await store.firstAssignee('ticket', alex)).toBeUndefined();
    expect(await store.firstAssignee('other', alex)).toBeUndefined();
  });

  test('limits the list to the tickets of one person, or to those of nobody', async () => {
    for (const [minute, assignee] of [sam, undefined, alex, { ...sam, name: undefined }].entries())
      await put('TicketIndex', indexKind.toRow(summary(minute, { assignee })));
    const ids = async (assignee: string) =>
      (await store.page('open', { limit: 9, assignee })).tickets.map(({ id }) => id);
    expect(await ids('sam@contoso.example')).toEqual(['t3', 't0']);
    expect(await ids('Alex')).toEqual(['t2']);
    expect(await ids('')).toEqual(['t1']);
  });
});

describe('a ticket by its number', () => {
  test('is found by its own number, and by no other', async () => {
    expect(await reserveNumbers(tables, ['unfiled', 'ticket', 'ticket'])).toBe(1);
    await file([message(1)], { number: 2 });
    expect(await store.byNumber(2)).toBe('ticket');
    for (const other of [1, 3, 4]) expect(await store.byNumber(other)).toBeUndefined();
  });

  test('is not found by a number whose row names no ticket', async () => {
    await put('Numbers', { partitionKey: 'n', rowKey: '0000000007' });
    const { store: asked, points } = watched();
    expect(await asked.byNumber(7)).toBeUndefined();
    expect(points).toEqual(['table.Numbers.get']);
  });
});

describe('a row that cannot be read', () => {
  beforeEach(() => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
  });
  const spoil = async (
    table: TableName,
    which: (row: Row) => boolean,
    change: Partial<Row>,
  ): Promise<Row> => {
    const row = tables.dump(table).find(which);
    if (row === undefined) throw new Error(`no such row in ${table}`);
    const spoiled: Row = { ...row, ...change };
    await put(table, spoiled);
    return spoiled;
  };
  const reported = (table: TableName): string[] => unreadableRows(tables, table).map(({ rowKey }) => rowKey);

  test('of the list is left out of its page, which continues after it', async () => {
    for (const minute of [1, 2, 3]) await put('TicketIndex', indexKind.toRow(summary(minute)));
    const { rowKey } = await spoil('TicketIndex', (row) => row['id'] === 't2', { number: 'two' });
    const { tickets, next } = await store.page('open', { limit: 2 });
    expect([tickets.map(({ id }) => id), next]).toEqual([['t3'], rowKey]);
    expect((await store.page('open', { after: next, limit: 2 })).tickets.map(({ id }) => id)).toEqual(['t1']);
    expect(reported('TicketIndex')).toEqual([rowKey]);
  });

  test('of a message or an attachment is left out of its conversation, and rejected on its own', async () => {
    const withFile = message(3, { attachments: attachments(2) });
    await file([message(1), message(2), withFile]);
    const { rowKey } = await spoil('Tickets', (row) => row['key'] === message(2).key, { notes: '{' });
    const gone = await spoil('Tickets', (row) => row.rowKey.startsWith('a|'), { size: 'big' });
    const found = await store.conversation('ticket', { limit: 9 });
    expect(found?.messages.map(({ key, attachments: { length } }) => [key, length])).toEqual([
      [message(1).key, 0],
      [withFile.key, 1],
    ]);
    expect(reported('Tickets')).toEqual([gone.rowKey, rowKey]);
    expect((await store.read('ticket'))?.messages).toHaveLength(2);
    await expect(store.message('ticket', messageRef(message(2)))).rejects.toMatchObject({ code: 'bad-row' });
  });

  test('of the ticket itself is rejected by name, and closes nothing', async () => {
    await file([message(1)]);
    await spoil('Tickets', ({ rowKey }) => rowKey === 'head', { participants: '[7]' });
    const refused = {
      code: 'bad-row',
      message: 'Tickets/ticket/head: the column participants does not contain what Postroom wrote there',
    };
    await expect(store.conversation('ticket', { limit: 9 })).rejects.toMatchObject(refused);
    await expect(store.setStatus('ticket', 'closed')).rejects.toMatchObject(refused);
  });

  test('of a number or of a Message-ID is reported, and the others are found', async () => {
    await reserveNumbers(tables, ['a', 'b']);
    await spoil('Numbers', ({ rowKey }) => rowKey.endsWith('1'), { ticketId: 7 });
    await file([message(1, { messageId: '<1@c>' })], { ticketId: 'a', number: 1 });
    await file([message(2, { messageId: '<1@c>' })], { ticketId: 'b', number: 2 });
    expect([await store.byNumber(1), await store.byNumber(2)]).toEqual([undefined, 'b']);
    expect(reported('Numbers')).toEqual(['0000000001']);
    const { rowKey } = await spoil('MessageIds', (row) => row['ticketId'] === 'a', { ticketId: 7 });
    expect(await ticketsOfMessageId(tables, 'box', '<1@c>')).toEqual([{ ticketId: 'b', holds: true }]);
    expect(reported('MessageIds')).toEqual([rowKey]);
  });
});
