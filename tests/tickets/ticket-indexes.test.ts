import { beforeEach, describe, expect, test } from 'vitest';
import { openSeam, type Seam } from '../../shared/platform/seam.ts';
import { appendMessages, type Filed } from '../../shared/tickets/append-messages.ts';
import type { TicketStatus } from '../../shared/tickets/ticket.ts';
import { ticketsOfMessageId, writeIndexes } from '../../shared/tickets/ticket-indexes.ts';
import { reserveNumbers } from '../../shared/tickets/ticket-numbers.ts';
import { headKind, indexKind, indexRowKey } from '../../shared/tickets/ticket-records.ts';
import { createTicketStore } from '../../shared/tickets/ticket-store.ts';
import { at, filing, message } from '../harness/memory/filings.ts';
import { MemoryBlobs } from '../harness/memory/memory-blobs.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

let tables: MemoryTables;
beforeEach(() => {
  tables = new MemoryTables(openSeam);
});

describe('the rows derived from a ticket', () => {
  const listed = (): string[] =>
    tables
      .dump('TicketIndex')
      .map((row) => `${row.partitionKey} ${String(row['id'])} ${String(row['lastAt'])}`);

  test('list it once, at its newest message; it is found by its number, and by no other', async () => {
    for (let number = 1; number <= 8; number += 1) await reserveNumbers(tables, ['ticket']);
    for (const [opens, minute] of [
      [true, 1],
      [false, 2],
    ] as const)
      await writeIndexes(tables, 'box', [await appendMessages(tables, filing([message(minute)], { opens }))]);
    expect(listed()).toEqual([`open ticket ${at(2)}`]);
    const store = createTicketStore({ tables, blobs: new MemoryBlobs(openSeam) });
    expect(await store.byNumber(7)).toBe('ticket');
    expect(await store.byNumber(8)).toBeUndefined();
  });

  test('reflect that an agent closed the ticket after the filing', async () => {
    await writeIndexes(tables, 'box', [await appendMessages(tables, filing([message(1)]))]);
    const filed = await appendMessages(tables, filing([message(2)], { opens: false }));
    await createTicketStore({ tables, blobs: new MemoryBlobs(openSeam) }).setStatus('ticket', 'closed');
    await writeIndexes(tables, 'box', [filed]);
    expect(listed()).toEqual([`closed ticket ${at(2)}`]);
  });

  test('need no read for a ticket that no other process has seen', async () => {
    const points: string[] = [];
    const seam: Seam = {
      ...openSeam,
      call: (point, effect) => {
        points.push(point);
        return effect();
      },
    };
    const behind = tables.behind(seam);
    await writeIndexes(behind, 'box', [await appendMessages(behind, filing([message(1)]))]);
    expect(points.toSorted()).toEqual(
      ['MessageIds', 'TicketIndex', 'Tickets'].map((name) => `table.${name}.commit`),
    );
  });

  const ticket = async (id: string, number: number, minute: number): Promise<Filed> =>
    appendMessages(tables, filing([message(minute)], { ticketId: id, number }));
  const keyOf = (minute: number, id = 'ticket'): string => indexRowKey({ lastAt: at(minute), id });
  const keys = (): string[] => tables.dump('TicketIndex').map((row) => `${row.partitionKey}|${row.rowKey}`);

  test('list each of several tickets under its status', async () => {
    const [one, two, three] = [await ticket('a', 1, 1), await ticket('b', 2, 2), await ticket('c', 3, 3)];
    const closed: Filed = { ...two, ticket: { ...two.ticket, status: 'closed' } };
    await writeIndexes(tables, 'box', [one, closed, three]);
    expect(tables.dump('TicketIndex').map(({ etag: _, ...row }) => row)).toEqual(
      [closed, three, one].map((each) => indexKind.toRow(each.ticket)),
    );
  });

  test('are at most a hundred per transaction', async () => {
    const filed: Filed[] = [];
    for (let index = 0; index < 101; index += 1) filed.push(await ticket(`t${index}`, index, index));
    const { changes } = tables;
    await writeIndexes(tables, 'box', filed);
    expect(keys()).toHaveLength(101);
    expect(tables.changes - changes).toBe(202);
  });

  test('are written once for a ticket that was filed twice in a batch', async () => {
    const first = await ticket('ticket', 7, 1);
    const again = await ticket('ticket', 7, 1);
    await writeIndexes(tables, 'box', [first, again]);
    expect(keys()).toEqual([`open|${keyOf(1)}`]);
  });

  test('replace the outdated rows of the ticket, and no others', async () => {
    const filed = await ticket('ticket', 7, 2);
    for (const [status, minute] of [
      ['open', 1],
      ['open', 2],
      ['open', 3],
      ['closed', 2],
    ] as const)
      await tables
        .open('TicketIndex')
        .commit(status, [
          { kind: 'put', row: indexKind.toRow({ ...filed.ticket, status, lastAt: at(minute) }) },
        ]);
    const stale = [`open|${keyOf(1)}`, `open|${keyOf(2)}`, `closed|${keyOf(2)}`];
    await writeIndexes(tables, 'box', [{ ...filed, stale }]);
    expect(keys()).toEqual([`open|${keyOf(3)}`, `open|${keyOf(2)}`]);
  });
});

describe('a list row of a ticket with concurrent changes', () => {
  /** The head as another process leaves it, after it was filed. */
  const leave = async (change: {
    status?: TicketStatus;
    lastAt?: string;
    preview?: string;
  }): Promise<void> => {
    const head = await tables.open('Tickets').get('ticket', 'head');
    if (head === undefined) throw new Error('no ticket');
    const row = headKind.toRow({ ...headKind.fromRow(head), ...change, stale: [] });
    await tables.open('Tickets').commit('ticket', [{ kind: 'put', row }]);
  };
  const filed = async (): Promise<Filed> => ({
    ...(await appendMessages(tables, filing([message(2)]))),
    shared: true,
  });
  const rows = () => tables.dump('TicketIndex').map(({ etag: _, ...row }) => row);
  const headNow = async () => {
    const head = await tables.open('Tickets').get('ticket', 'head');
    return head === undefined ? undefined : headKind.fromRow(head);
  };

  test.each([
    ['its status', { status: 'closed' as const }],
    ['its time', { lastAt: at(5) }],
    ['its preview alone', { preview: 'other words' }],
  ])('reflects %s', async (_what, change) => {
    const one = await filed();
    await leave(change);
    await writeIndexes(tables, 'box', [one]);
    const now = await headNow();
    expect(now).toMatchObject(change);
    expect(rows()).toEqual(now === undefined ? [] : [indexKind.toRow(now)]);
  });

  test('is unchanged if the ticket is gone', async () => {
    const one = await filed();
    await tables.open('Tickets').commit('ticket', [{ kind: 'remove', rowKey: 'head' }]);
    await writeIndexes(tables, 'box', [one]);
    expect(rows()).toEqual([indexKind.toRow(one.ticket)]);
  });

  /** Counts the reads of the head; before each read a change happens. */
  async function looks(meanwhile: (look: number) => Promise<unknown>): Promise<number> {
    const one = await filed();
    let count = 0;
    const seam: Seam = {
      ...openSeam,
      call: async (point, effect) => {
        if (point === 'table.Tickets.get') {
          count += 1;
          await meanwhile(count);
        }
        return effect();
      },
    };
    await writeIndexes(tables.behind(seam), 'box', [one]);
    return count;
  }

  test('needs one read if the ticket did not change, and one more after each change', async () => {
    expect(await looks(async () => {})).toBe(1);
    tables = new MemoryTables(openSeam);
    expect(await looks((look) => (look < 3 ? leave({ lastAt: at(10 + look) }) : Promise.resolve()))).toBe(3);
    expect(rows()).toMatchObject([{ lastAt: at(12) }]);
  });

  test('follows a ticket that changes at each of twenty reads', async () => {
    expect(await looks((look) => leave({ lastAt: at(10 + look) }))).toBe(20);
    expect(rows()).toMatchObject([{ lastAt: at(30) }]);
  });
});

describe('a Message-ID', () => {
  const ID = '<same@customer.example>';
  const holder = (ticketId: string) => ({ ticketId, holds: true });
  const file = async (ticketId: string, messageId: string | undefined, mailboxId = 'box'): Promise<void> => {
    const messages = [message(1, { key: `of-${ticketId}`, messageId })];
    const filed = await appendMessages(tables, filing(messages, { ticketId, mailboxId }));
    await writeIndexes(tables, mailboxId, [filed]);
  };

  test('leads to its ticket, and to both if it was reused', async () => {
    await file('a', ID);
    expect(await ticketsOfMessageId(tables, 'box', ID)).toEqual([holder('a')]);
    await file('b', ID);
    await file('c', '<other@customer.example>');
    expect(await ticketsOfMessageId(tables, 'box', ID)).toEqual([holder('a'), holder('b')]);
    expect(await ticketsOfMessageId(tables, 'box', '<unknown@customer.example>')).toEqual([]);
  });

  test('leads to tickets with a reply to it after those that contain it, unless the reply’s sender is refuted', async () => {
    const answer = async (ticketId: string, fails: boolean): Promise<void> => {
      const authentication = { spf: undefined, dkim: undefined, dmarc: undefined, fails };
      const messages = [message(2, { key: `of-${ticketId}`, answers: [ID], authentication })];
      const filed = await appendMessages(tables, filing(messages, { ticketId, mailboxId: 'box' }));
      await writeIndexes(tables, 'box', [filed]);
    };
    await answer('a', false);
    await answer('b', true);
    await file('c', ID);
    expect(await ticketsOfMessageId(tables, 'box', ID)).toEqual([
      holder('c'),
      { ticketId: 'a', holds: false },
    ]);
  });

  test('leads only to tickets of its mailbox', async () => {
    await file('a', ID, 'other box');
    expect(await ticketsOfMessageId(tables, 'box', ID)).toEqual([]);
    expect(await ticketsOfMessageId(tables, 'other box', ID)).toEqual([holder('a')]);
  });

  test('that is missing in an email leaves no row', async () => {
    await file('a', undefined);
    expect(tables.dump('MessageIds')).toEqual([]);
  });

  test('has a key that reveals nothing of it, whatever it contains', async () => {
    await file('a', 'a/b\\c#d?e');
    expect(tables.dump('MessageIds')).toMatchObject([
      { partitionKey: 'box', rowKey: expect.stringMatching(/^[0-9a-f]{40}\|a$/), ticketId: 'a' },
    ]);
    expect(await ticketsOfMessageId(tables, 'box', 'a/b\\c#d?e')).toEqual([holder('a')]);
  });
});
