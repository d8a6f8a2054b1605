import { beforeEach, describe, expect, test, vi } from 'vitest';
import { openSeam, type Seam, type SeamPoint } from '../../shared/platform/seam.ts';
import { reserveNumbers } from '../../shared/tickets/ticket-numbers.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

let tables: MemoryTables;
beforeEach(() => {
  vi.spyOn(console, 'warn')
    .mockReset()
    .mockImplementation(() => {});
  tables = new MemoryTables(openSeam);
});

/** The tables as seen by another process, which records its calls. @param before happens before each of them */
function watched(before: (point: SeamPoint) => Promise<void> = async () => {}) {
  const calls: SeamPoint[] = [];
  const seam: Seam = {
    ...openSeam,
    call: async (point, effect) => {
      calls.push(point);
      await before(point);
      return effect();
    },
  };
  return { behind: tables.behind(seam), calls };
}

const ids = (count: number, name = 't'): string[] =>
  Array.from({ length: count }, (_, index) => `${name}${index}`);
const numbers = () => tables.open('Numbers');
const given = (): string[] =>
  tables
    .dump('Numbers')
    .filter(({ rowKey }) => /^\d+$/.test(rowKey))
    .map((row) => `${Number(row.rowKey)} ${String(row['ticketId'])}`);

describe('ticket numbers', () => {
  test('begin at 1, are consecutive, and name the ticket that each was reserved for', async () => {
    expect(await reserveNumbers(tables, ['a', 'b'])).toBe(1);
    expect(await reserveNumbers(tables, ['c'])).toBe(3);
    expect(given()).toEqual(['1 a', '2 b', '3 c']);
  });

  test('need one read and one write per batch', async () => {
    const { behind, calls } = watched();
    await reserveNumbers(tables, ['first']);
    await reserveNumbers(behind, ids(50));
    expect(calls).toEqual(['table.Numbers.get', 'table.Numbers.commit']);
    expect(console.warn).not.toHaveBeenCalled();
  });

  test('need no more if the counter is missing', async () => {
    await numbers().commit('n', [{ kind: 'put', row: { partitionKey: 'n', rowKey: 'last', v: 1, last: 0 } }]);
    const { behind, calls } = watched();
    expect(await reserveNumbers(behind, ['first'])).toBe(1);
    expect(calls).toEqual(['table.Numbers.get', 'table.Numbers.commit']);
  });

  test('of many concurrent writers are each assigned once', async () => {
    const runs = Array.from({ length: 12 }, (_, run) => reserveNumbers(tables, ids(5, `run${run}-`)));
    const firsts = await Promise.all(runs);
    expect(new Set(firsts).size).toBe(12);
    expect(given()).toHaveLength(60);
  });

  test('are not returned if the write was refused', async () => {
    await reserveNumbers(tables, ['a']);
    // Between read and write, another process is faster.
    let raced = false;
    const { behind, calls } = watched(async (point) => {
      if (point !== 'table.Numbers.commit' || raced) return;
      raced = true;
      await reserveNumbers(tables, ['faster']);
    });
    expect(await reserveNumbers(behind, ['slower'])).toBe(3);
    expect(given()).toEqual(['1 a', '2 faster', '3 slower']);
    expect(calls, 'nothing but the counter is read again').toEqual([
      'table.Numbers.get',
      'table.Numbers.commit',
      'table.Numbers.get',
      'table.Numbers.commit',
    ]);
    expect(console.warn).not.toHaveBeenCalled();
  });

  test('fail if others are faster fifty times', async () => {
    const { behind, calls } = watched(async (point) => {
      if (point === 'table.Numbers.commit') await reserveNumbers(tables, ['faster']);
    });
    await expect(reserveNumbers(behind, ['slower'])).rejects.toMatchObject({ code: 'number-counter' });
    expect(calls.filter((point) => point === 'table.Numbers.commit')).toHaveLength(50);
    expect(given()).toHaveLength(50);
  });

  test.each([
    ['is lost', undefined],
    ['contains a text', 'seven'],
    ['contains a number as a text', '600'],
    ['is empty', null],
    ['is less than nothing', -1],
    ['was set back', 2],
    ['was set back to nothing', 0],
  ])('never repeat if the counter %s', async (_what, last) => {
    for (const count of [50, 50, 37]) await reserveNumbers(tables, ids(count));
    if (last === undefined) await numbers().commit('n', [{ kind: 'remove', rowKey: 'last' }]);
    else {
      const row = { partitionKey: 'n', rowKey: 'last', v: 1, ...(last !== null && { last }) };
      await numbers().commit('n', [{ kind: 'put', row }]);
    }
    expect(await reserveNumbers(tables, ['next'])).toBe(138);
    expect(console.warn).toHaveBeenCalledExactlyOnceWith(
      JSON.stringify({ level: 'warn', event: 'ticket counter found again', last: 137 }),
    );
    expect(await reserveNumbers(tables, ['after'])).toBe(139);
    expect(console.warn).toHaveBeenCalledOnce();
  });

  test.each([
    [[3, 4_000, 70_001], 70_002, 60],
    [[1, 2, 3], 4, 10],
    [[1], 2, 10],
    [[2 ** 31 - 2], 2 ** 31 - 1, 70],
  ])('after %j continue with %i, which is found in at most %i calls', async (there, next, most) => {
    for (const number of there) {
      const rowKey = String(number).padStart(10, '0');
      await numbers().commit('n', [{ kind: 'insert', row: { partitionKey: 'n', rowKey, ticketId: 'x' } }]);
    }
    const { behind, calls } = watched();
    expect(await reserveNumbers(behind, ['next'])).toBe(next);
    expect(calls.length).toBeLessThanOrEqual(most);
  });

  test('end with the highest one that a column can store', async () => {
    const rowKey = String(2 ** 31 - 1);
    await numbers().commit('n', [{ kind: 'insert', row: { partitionKey: 'n', rowKey, ticketId: 'x' } }]);
    await expect(reserveNumbers(tables, ['next'])).rejects.toThrow('n/last.last: 2147483648');
  });

  test('that are assigned never change, and are assigned all or none', async () => {
    await reserveNumbers(tables, ids(5));
    await numbers().commit('n', [{ kind: 'put', row: { partitionKey: 'n', rowKey: 'last', v: 1, last: 2 } }]);
    expect(await reserveNumbers(tables, ['a', 'b', 'c', 'd'])).toBe(6);
    expect(given().slice(0, 5)).toEqual(['1 t0', '2 t1', '3 t2', '4 t3', '5 t4']);
  });
});
