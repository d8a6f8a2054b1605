import { beforeEach, describe, expect, test } from 'vitest';
import { openSeam, type Seam } from '../../shared/platform/seam.ts';
import type { Change, Tables } from '../../shared/platform/tables.ts';
import { appendMessages, type Filing } from '../../shared/tickets/append-messages.ts';
import {
  type Body,
  messageKind,
  messageRecord,
  type NewMessage,
} from '../../shared/tickets/message-records.ts';
import type { Ticket } from '../../shared/tickets/ticket.ts';
import { INLINE_CHARACTERS } from '../../shared/tickets/ticket-columns.ts';
import { indexRowKey } from '../../shared/tickets/ticket-records.ts';
import { createTicketStore } from '../../shared/tickets/ticket-store.ts';
import { at, attachments, filing, message } from '../harness/memory/filings.ts';
import { MemoryBlobs } from '../harness/memory/memory-blobs.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

let tables: MemoryTables;
beforeEach(() => {
  tables = new MemoryTables(openSeam);
});
const read = () => createTicketStore({ tables, blobs: new MemoryBlobs(openSeam) }).read('ticket');

describe('messages', () => {
  test('open a ticket, oldest first, with the values of the newest one', async () => {
    await appendMessages(tables, filing([message(1), message(2)]));
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

  test('that were filed before are left unchanged, in every combination with new ones', async () => {
    await appendMessages(tables, filing([message(1)]));
    await appendMessages(tables, filing([message(1), message(2)]));
    const { changes } = tables;
    await appendMessages(tables, filing([message(1), message(2)]));
    await appendMessages(tables, filing([message(2)], { opens: false }));
    expect(tables.changes).toBe(changes);
    expect((await read())?.ticket.messageCount).toBe(2);
  });

  test('that are added later but are older change neither preview nor time', async () => {
    await appendMessages(tables, filing([message(5)]));
    await appendMessages(tables, filing([message(3)], { opens: false }));
    expect((await read())?.ticket).toMatchObject({ preview: 'text 5', lastAt: at(5), messageCount: 2 });
  });

  test('reopen a closed ticket', async () => {
    await appendMessages(tables, filing([message(1)]));
    await createTicketStore({ tables, blobs: new MemoryBlobs(openSeam) }).setStatus('ticket', 'closed');
    await appendMessages(tables, filing([message(2)], { opens: false }));
    expect((await read())?.ticket.status).toBe('open');
  });

  test('for a missing ticket are rejected', async () => {
    await expect(appendMessages(tables, filing([message(1)], { opens: false }))).rejects.toMatchObject({
      code: 'ticket-missing',
    });
  });

  test('are written in as few transactions as their rows allow, each message with all its rows in one', async () => {
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
    await appendMessages(tables.behind(counting), filing([...messages, message(4)]));
    expect(commits).toEqual([62, 62, 63]);
    const conversation = await read();
    expect(conversation?.messages.map((each) => each.attachments.length)).toEqual([60, 60, 60, 0]);
    expect(conversation?.ticket.messageCount).toBe(4);
  });

  test('of two concurrent processes each exist once', async () => {
    const together = [
      appendMessages(tables, filing([message(1), message(2)])),
      appendMessages(tables, filing([message(1), message(3)])),
    ];
    await Promise.all(together);
    expect((await read())?.messages.map(({ text }) => text)).toEqual(['text 1', 'text 2', 'text 3']);
    expect((await read())?.ticket.messageCount).toBe(3);
  });
});

describe('the result of a filing', () => {
  const CAROL = { name: 'Carol', address: 'CAROL@customer.example' };
  const KEY = (minute: number, status = 'open'): string =>
    `${status}|${indexRowKey({ lastAt: at(minute), id: 'ticket' })}`;
  const opened: Ticket = {
    id: 'ticket',
    number: 7,
    status: 'open',
    subject: 'mail 1',
    requester: { name: 'Kim', address: 'Kim@customer.example' },
    mailboxId: 'box',
    lastAt: at(1),
    messageCount: 1,
    preview: 'text 1',
    openedAt: at(1),
    participants: ['kim@customer.example', 'support@contoso.example'],
    follows: { id: 't0', number: 3 },
  };
  const follows = { id: 't0', number: 3 };
  const close = () =>
    createTicketStore({ tables, blobs: new MemoryBlobs(openSeam) }).setStatus('ticket', 'closed');

  test('is the whole opened ticket, which no other process has seen', async () => {
    const first = message(1, { from: opened.requester, cc: [{ name: 'Nobody', address: undefined }] });
    expect(await appendMessages(tables, filing([first], { follows }))).toEqual({
      ticket: opened,
      stale: [],
      shared: false,
      messages: [first],
    });
  });

  test('is the ticket after a reply, with the outdated list row', async () => {
    await appendMessages(tables, filing([message(1)], { follows }));
    const reply = message(2, { to: [CAROL], cc: [opened.requester] });
    const filed = await appendMessages(tables, filing([reply], { opens: false }));
    expect(filed).toEqual({
      ticket: {
        ...opened,
        lastAt: at(2),
        preview: 'text 2',
        messageCount: 2,
        participants: [...opened.participants, 'carol@customer.example'],
      },
      stale: [KEY(1)],
      shared: true,
      messages: [reply],
    });
  });

  test('names two outdated rows, and never the current one', async () => {
    const reply = (minute: number) => appendMessages(tables, filing([message(minute)], { opens: false }));
    await appendMessages(tables, filing([message(5)]));
    expect((await reply(3)).stale, 'an older mail moves nothing').toEqual([]);
    await close();
    expect((await reply(4)).stale).toEqual([KEY(5, 'closed')]);
    expect((await reply(6)).stale).toEqual([KEY(5), KEY(5, 'closed')]);
    expect((await reply(7)).stale, 'those of before were removed by then').toEqual([KEY(6), KEY(5)]);
    expect((await reply(7)).stale, 'the same for an email that is there').toEqual([KEY(6), KEY(5)]);
  });

  test('has the time and the preview of the last of two emails with the same time', async () => {
    const two = [message(1), message(1, { key: 'second', preview: 'second' })];
    expect((await appendMessages(tables, filing(two))).ticket).toMatchObject({
      lastAt: at(1),
      preview: 'second',
      messageCount: 2,
    });
  });

  test('marks the ticket as shared if an earlier run began or found it', async () => {
    const sharedOf = async (wish: Partial<Filing>) =>
      (await appendMessages(tables, filing([message(1)], wish))).shared;
    expect(await sharedOf({ ticketId: 'a', begunBefore: true })).toBe(true);
    expect(await sharedOf({ ticketId: 'b', begunBefore: false })).toBe(false);
    expect(await sharedOf({ ticketId: 'b' }), 'it was there before').toBe(true);
  });

  test('combines the results of several transactions', async () => {
    const files = attachments(60);
    const [one, two, three] = [1, 2, 3].map((minute) => message(minute, { attachments: files }));
    if (one === undefined || two === undefined || three === undefined) throw new Error('three emails');
    await appendMessages(tables, filing([one]));
    const filed = await appendMessages(tables, filing([one, two, three]));
    expect(filed).toMatchObject({ shared: true, stale: [KEY(1), KEY(2), KEY(1)] });
    expect(filed.ticket.messageCount).toBe(3);
    const alone = await appendMessages(tables, filing([one, two], { ticketId: 'alone' }));
    expect(alone.shared).toBe(false);
  });

  test('counts no row of attachments that are in a separate list', async () => {
    const listed = message(1, { attachments: attachments(90), manifestBlob: 'list' });
    await appendMessages(tables, filing([listed, message(2, { attachments: attachments(2) })]));
    expect(tables.dump('Tickets').map(({ rowKey }) => rowKey.split('|')[0])).toEqual([
      'a',
      'a',
      'head',
      'm',
      'm',
    ]);
  });

  test('is a refusal if the ticket’s head is missing, although its messages exist', async () => {
    const row = messageKind.toRow(messageRecord('ticket', message(1)));
    await tables.open('Tickets').commit('ticket', [{ kind: 'put', row }]);
    await expect(appendMessages(tables, filing([message(1)]))).rejects.toMatchObject({
      code: 'ticket-missing',
    });
  });

  test('is empty without a message', async () => {
    await expect(appendMessages(tables, filing([]))).rejects.toMatchObject({ code: 'ticket-missing' });
  });
});

describe('a ticket with concurrent changes', () => {
  /** A change happens before each of the first writes. */
  function racing(times: number, meanwhile: (time: number) => Promise<unknown>) {
    const seen = { writes: 0 };
    const seam: Seam = {
      ...openSeam,
      call: async (point, effect) => {
        if (point === 'table.Tickets.commit') {
          seen.writes += 1;
          if (seen.writes <= times) await meanwhile(seen.writes);
        }
        return effect();
      },
    };
    return { behind: tables.behind(seam), seen };
  }
  const reply = (minute: number) => filing([message(minute)], { opens: false });

  test('finally has the reply and all other changes', async () => {
    await appendMessages(tables, filing([message(1)]));
    const { behind } = racing(19, (time) => appendMessages(tables, reply(10 + time)));
    const filed = await appendMessages(behind, reply(2));
    expect(filed.ticket).toMatchObject({ messageCount: 21, lastAt: at(29) });
    expect((await read())?.messages).toHaveLength(21);
  });

  test('fails after twenty attempts', async () => {
    await appendMessages(tables, filing([message(1)]));
    const { behind, seen } = racing(99, (time) => appendMessages(tables, reply(10 + time)));
    await expect(appendMessages(behind, reply(2))).rejects.toMatchObject({ code: 'ticket-busy' });
    expect(seen.writes).toBe(20);
  });

  test('has an email once if the response to the first write was lost', async () => {
    await appendMessages(tables, filing([message(1)]));
    const { behind } = racing(1, () => appendMessages(tables, reply(2)));
    const filed = await appendMessages(behind, filing([message(2), message(3)], { opens: false }));
    expect(filed).toMatchObject({ shared: true, ticket: { messageCount: 3, preview: 'text 3' } });
  });

  test('is read once for a reply without conflicts', async () => {
    await appendMessages(tables, filing([message(1)]));
    const points: string[] = [];
    const seam: Seam = {
      ...openSeam,
      call: (point, effect) => {
        points.push(point);
        return effect();
      },
    };
    await appendMessages(tables.behind(seam), filing([message(2), message(3)], { opens: false }));
    expect(points).toEqual(['table.Tickets.get', 'table.Tickets.commit']);
  });
});

/** The tables, with the contents of each transaction. */
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

  test('of 100 rows is one; with one more row it is two', async () => {
    const { behind, sent } = recording();
    await appendMessages(behind, filing(many(99)));
    await appendMessages(behind, filing(many(100), { ticketId: 'one more' }));
    expect(sent.map((changes) => changes.length)).toEqual([100, 100, 2]);
  });

  test('of 100 rows including attachments is one; with one more attachment it is two', async () => {
    const { behind, sent } = recording();
    const two = (first: number, second: number): NewMessage[] =>
      [first, second].map((count, minute) => message(minute, { attachments: attachments(count) }));
    await appendMessages(behind, filing(two(80, 17)));
    await appendMessages(behind, filing(two(80, 18), { ticketId: 'one more' }));
    expect(sent.map((changes) => changes.length)).toEqual([100, 82, 20]);
  });

  test.each([
    ['plain letters', 'a'],
    ['letters of three bytes each', '字'],
    ['characters that JSON escapes', '"'],
  ])('never sends more than 4 MiB, of %s', async (_what, letter) => {
    const { behind, sent } = recording();
    const text: Body = { kind: 'inline', text: letter.repeat(INLINE_CHARACTERS) };
    await appendMessages(behind, filing(many(98, { text, html: text })));
    const sizes = sent.map(payload);
    expect(Math.max(...sizes)).toBeLessThan(4 * 1024 * 1024);
    expect(Math.max(...sizes), 'and is filled all the same').toBeGreaterThan(1024 * 1024);
    expect((await read())?.messages).toHaveLength(98);
  });

  test('of 3 MiB is one; with one more message it is two', async () => {
    const text: Body = { kind: 'inline', text: '字'.repeat(INLINE_CHARACTERS) };
    const sentOf = async (count: number): Promise<Change[][]> => {
      const { behind, sent } = recording();
      await appendMessages(behind, filing(many(count, { text }), { ticketId: `of ${count}` }));
      return sent;
    };
    const counts = (sent: readonly Change[][]): number[] => sent.map((changes) => changes.length - 1);
    const [most = 0] = counts(await sentOf(90));
    const bytes = Buffer.byteLength(
      JSON.stringify(messageKind.toRow(messageRecord('of 90', message(10, { text })))),
    );
    expect(most, 'with 2 KiB a row for what is around it').toBe(
      Math.floor((3 * 1024 * 1024) / (bytes + 2 * 1024)),
    );
    expect(counts(await sentOf(most))).toEqual([most]);
    expect(counts(await sentOf(most + 1))).toEqual([most, 1]);
  });
});
