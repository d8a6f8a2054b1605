/** Counts of automatic email in storage: by sender and by conversation, for one hour, and the resulting alert. */
import { beforeEach, expect, test, vi } from 'vitest';
import { type AutomaticMail, foldLoops, loopLimits } from '../../shared/intake/fold-loops.ts';
import { countAutomatic, readLoopCounts } from '../../shared/intake/loop-counts.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import type { Row } from '../../shared/platform/tables.ts';
import { unreadableRows } from '../../shared/platform/unreadable-rows.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

const BOX = 'box';
const HOUR = '2026-11-24T10';
const SENDER = 'sender|robot@elsewhere.example';
const mail = (
  index: number,
  change: Partial<AutomaticMail['decision']> = {},
  sender?: string,
): AutomaticMail => ({
  key: `key ${index}`,
  sender: sender ?? 'robot@elsewhere.example',
  receivedAt: `${HOUR}:00:0${index % 10}.000Z`,
  decision: {
    disposition: 'ticket',
    ticketId: 't',
    number: 1,
    opens: false,
    follows: undefined,
    reason: undefined,
    ...change,
  },
});
const many = (count: number): AutomaticMail[] => Array.from({ length: count }, (_, index) => mail(index));

let tables: MemoryTables;
let points: string[];
beforeEach(() => {
  points = [];
  tables = new MemoryTables({
    ...openSeam,
    call: (point, effect) => {
      points.push(point);
      return effect();
    },
  });
});

/** Counts as a batch does: reads, counts, and returns the current counts. */
async function count(mails: readonly AutomaticMail[]): Promise<ReadonlyMap<string, unknown>> {
  await countAutomatic(tables, BOX, mails, await readLoopCounts(tables, BOX, mails));
  return readLoopCounts(tables, BOX, mails);
}
const noted = (): Row[] => tables.dump('MailboxState');
const folded = { folded: 'Automatic message' };

test('email is counted by its sender and its conversation, and the next batch continues from there', async () => {
  expect([...(await count(many(2)))]).toEqual([
    [SENDER, { hour: HOUR, count: 2 }],
    ['conversation|t', { hour: HOUR, count: 2 }],
  ]);
  expect(tables.dump('Ledger').every(({ rowKey }) => /^auto\|[0-9a-f]{32}$/.test(rowKey))).toBe(true);
  expect([...(await count([mail(3), mail(4, { opens: true })]))]).toEqual([
    [SENDER, { hour: HOUR, count: 4 }],
    ['conversation|t', { hour: HOUR, count: 3 }],
  ]);
  const next = await count([{ ...mail(5), receivedAt: '2026-11-24T11:00:00.000Z' }]);
  expect(next.get(SENDER)).toEqual({ hour: '2026-11-24T11', count: 1 });
});

test('an email is counted only under its own keys', async () => {
  const before = await readLoopCounts(tables, BOX, many(2));
  await countAutomatic(
    tables,
    BOX,
    many(2),
    new Map([...before, ['sender|other', { hour: HOUR, count: 5 }]]),
  );
  expect(tables.dump('Ledger').map((row) => row['count'])).toEqual([2, 2]);
});

test('a mailbox has separate counts, and one that counts nothing reads and writes nothing', async () => {
  await count(many(2));
  expect((await readLoopCounts(tables, 'other', many(1))).size).toBe(0);
  points.length = 0;
  expect(await readLoopCounts(tables, BOX, [])).toEqual(new Map());
  await countAutomatic(tables, BOX, [], new Map());
  expect(points).toEqual([]);
});

test('a batch needs one read for each sender and conversation and one write', async () => {
  await count(many(50));
  expect(points).toEqual([
    'table.Ledger.get',
    'table.Ledger.get',
    'table.Ledger.commit',
    'table.Ledger.get',
    'table.Ledger.get',
  ]);
});

test('an invalid row is ignored and reported, and the others count', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  await count(many(2));
  const [first, second] = tables.dump('Ledger');
  if (first === undefined || second === undefined) throw new Error('nothing was counted');
  await tables.open('Ledger').commit(BOX, [{ kind: 'put', row: { ...first, count: '2' } }]);
  expect([...(await readLoopCounts(tables, BOX, many(1))).values()]).toEqual([{ hour: HOUR, count: 2 }]);
  expect(unreadableRows(tables).map(({ rowKey }) => rowKey)).toEqual([first.rowKey]);
  for (const row of tables.dump('Ledger'))
    await tables.open('Ledger').commit(BOX, [{ kind: 'put', row: { ...row, count: '2' } }]);
  expect((await readLoopCounts(tables, BOX, many(1))).size).toBe(0);
  for (const row of tables.dump('Ledger'))
    await tables.open('Ledger').commit(BOX, [{ kind: 'put', row: { ...row, count: 2, hour: 10 } }]);
  expect((await readLoopCounts(tables, BOX, many(1))).size).toBe(0);
});

test('the largest batch fits into one transaction: 50 senders in 50 conversations', async () => {
  const mails = Array.from({ length: 50 }, (_, index) =>
    mail(index, { ticketId: `t${index}` }, `robot-${index}`),
  );
  expect((await count(mails)).size).toBe(100);
  const more = Array.from({ length: 60 }, (_, index) =>
    mail(index, { ticketId: `u${index}` }, `other-${index}`),
  );
  expect((await count(more)).size, 'what a transaction has no room for is not counted').toBe(100);
});

test('a batch without folded email causes no alert', async () => {
  await count(many(3));
  await count([mail(4, { ...folded, ticketId: undefined })]);
  expect(noted()).toEqual([]);
});

test('an alert names the newest folded email, with the higher of its two counts', async () => {
  await count(Array.from({ length: 5 }, (_, index) => mail(index, { opens: true })));
  await count([mail(6, folded), mail(7, folded), mail(8)]);
  expect(noted()).toMatchObject([
    {
      rowKey: 'loop|box',
      sender: 'robot@elsewhere.example',
      at: `${HOUR}:00:07.000Z`,
      ticketId: 't',
      count: 8,
    },
  ]);
  await count(Array.from({ length: 9 }, (_, index) => mail(index, folded, `robot-${index}`)));
  expect(noted()).toMatchObject([{ sender: 'robot-8', count: 12 }]);
});

test('an email that opens its ticket is counted only by its sender, and one without a sender says so', async () => {
  await count(many(5));
  await count([mail(6, { ...folded, opens: true }, 'other')]);
  expect(noted()).toMatchObject([{ sender: 'other', count: 1 }]);
  await count([{ ...mail(7, { ...folded, opens: true }), sender: undefined }]);
  expect(noted()).toMatchObject([{ sender: 'an unknown sender', count: 1 }]);
});

test('the counts fold the email that is over the limit', async () => {
  await count(Array.from({ length: loopLimits.sender }, (_, index) => mail(index, { opens: true })));
  const next = [mail(1, { opens: true })];
  expect(foldLoops(next, await readLoopCounts(tables, BOX, next)).folded.size).toBe(1);
});
