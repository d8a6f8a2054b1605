import { beforeEach, describe, expect, test, vi } from 'vitest';
import { openSeam, type Seam } from '../../shared/platform/seam.ts';
import { reserveNumbers } from '../../shared/tickets/ticket-numbers.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

let tables: MemoryTables;
beforeEach(() => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  tables = new MemoryTables(openSeam);
});

const ids = (count: number, name = 't'): string[] =>
  Array.from({ length: count }, (_, index) => `${name}${index}`);
const numbers = () => tables.open('Numbers');
const given = (): string[] =>
  tables
    .dump('Numbers')
    .filter(({ rowKey }) => /^\d+$/.test(rowKey))
    .map((row) => `${Number(row.rowKey)} ${String(row['ticketId'])}`);

describe('ticket numbers', () => {
  test('begin at 1, follow one another, and say which ticket each was reserved for', async () => {
    expect(await reserveNumbers(tables, ['a', 'b'])).toBe(1);
    expect(await reserveNumbers(tables, ['c'])).toBe(3);
    expect(given()).toEqual(['1 a', '2 b', '3 c']);
  });

  test('cost a batch one read and one write', async () => {
    const calls: string[] = [];
    const seam: Seam = {
      ...openSeam,
      call: (point, effect) => {
        calls.push(point);
        return effect();
      },
    };
    await reserveNumbers(tables, ['first']);
    await reserveNumbers(tables.behind(seam), ids(50));
    expect(calls).toEqual(['table.Numbers.get', 'table.Numbers.commit']);
  });

  test('of many writers at once are each given once', async () => {
    const runs = Array.from({ length: 12 }, (_, run) => reserveNumbers(tables, ids(5, `run${run}-`)));
    const firsts = await Promise.all(runs);
    expect(new Set(firsts).size).toBe(12);
    expect(given()).toHaveLength(60);
  });

  test('are not given on where the write was refused', async () => {
    await reserveNumbers(tables, ['a']);
    // Between reading and writing, another process is faster.
    let raced = false;
    const seam: Seam = {
      ...openSeam,
      call: async (point, effect) => {
        if (point === 'table.Numbers.commit' && !raced) {
          raced = true;
          await reserveNumbers(tables, ['faster']);
        }
        return effect();
      },
    };
    expect(await reserveNumbers(tables.behind(seam), ['slower'])).toBe(3);
    expect(given()).toEqual(['1 a', '2 faster', '3 slower']);
  });

  test.each([
    ['is lost', undefined],
    ['holds a text', 'seven'],
    ['holds a number as a text', '600'],
    ['holds nothing', null],
    ['is less than nothing', -1],
    ['was set back', 2],
    ['was set back to nothing', 0],
  ])('never repeat where the counter %s', async (_what, last) => {
    for (const count of [50, 50, 37]) await reserveNumbers(tables, ids(count));
    if (last === undefined) await numbers().commit('n', [{ kind: 'remove', rowKey: 'last' }]);
    else {
      const row = { partitionKey: 'n', rowKey: 'last', ...(last !== null && { last }) };
      await numbers().commit('n', [{ kind: 'put', row }]);
    }
    expect(await reserveNumbers(tables, ['next'])).toBe(138);
    expect(await reserveNumbers(tables, ['after'])).toBe(139);
  });

  test('go on after the highest one, also where there are gaps', async () => {
    for (const number of [3, 4_000, 70_001]) {
      const rowKey = String(number).padStart(10, '0');
      await numbers().commit('n', [{ kind: 'insert', row: { partitionKey: 'n', rowKey, ticketId: 'x' } }]);
    }
    expect(await reserveNumbers(tables, ['next'])).toBe(70_002);
  });

  test('that are given are never changed, nor are any given by half', async () => {
    await reserveNumbers(tables, ids(5));
    await numbers().commit('n', [{ kind: 'put', row: { partitionKey: 'n', rowKey: 'last', last: 2 } }]);
    expect(await reserveNumbers(tables, ['a', 'b', 'c', 'd'])).toBe(6);
    expect(given().slice(0, 5)).toEqual(['1 t0', '2 t1', '3 t2', '4 t3', '5 t4']);
  });
});
