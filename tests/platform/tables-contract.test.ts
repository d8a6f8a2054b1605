import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RunningAzurite, startAzurite } from '../../dev/emulators/storage/azurite.ts';
import { azureTables } from '../../shared/platform/azure-tables.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import {
  type Change,
  listAll,
  type Row,
  startingWith,
  type Table,
  type Tables,
} from '../../shared/platform/tables.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

let azurite: RunningAzurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

const kinds: [string, () => Tables][] = [
  ['in memory', () => new MemoryTables(openSeam)],
  [
    'in Azurite',
    () => azureTables({ kind: 'connection-string', connectionString: azurite.connectionString }, openSeam),
  ],
];

describe.each(kinds)('a table %s', (_kind, makeTables) => {
  let table: Table;
  let partitionKey: string;
  const row = (rowKey: string, columns: Partial<Row> = {}): Row => ({ ...columns, partitionKey, rowKey });
  const insert = (rowKey: string, columns: Partial<Row> = {}): Change => ({
    kind: 'insert',
    row: row(rowKey, columns),
  });
  const put = (rowKey: string, columns: Partial<Row> = {}): Change => ({
    kind: 'put',
    row: row(rowKey, columns),
  });
  const stored = async (rowKey: string): Promise<Row> => {
    const found = await table.get(partitionKey, rowKey);
    if (found === undefined) throw new Error(`row ${rowKey} is not there`);
    return found;
  };
  const etagOf = async (rowKey: string): Promise<string> => String((await stored(rowKey)).etag);
  const keys = (rows: readonly Row[]): string[] => rows.map(({ rowKey }) => rowKey);

  beforeEach(() => {
    table = makeTables().open('Ledger');
    partitionKey = randomUUID();
  });

  test('says when a row was last written, and nothing of one that is not there', async () => {
    const before = Date.now() - 2000;
    await table.commit(partitionKey, [insert('row')]);
    const first = Date.parse((await table.writtenAt(partitionKey, 'row')) ?? '');
    expect(first).toBeGreaterThan(before);
    expect(first).toBeLessThan(Date.now() + 2000);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await table.commit(partitionKey, [put('row', { n: 2 })]);
    expect(Date.parse((await table.writtenAt(partitionKey, 'row')) ?? '')).toBeGreaterThan(first);
    expect(await table.writtenAt(partitionKey, 'none')).toBeUndefined();
  });

  test('returns every kind of value unchanged, and omits undefined ones', async () => {
    const columns = {
      text: 'Grüße, 世界 🎉 \' " | \r\n',
      empty: '',
      whole: -7,
      yes: true,
      no: false,
      bytes: Uint8Array.of(0, 255, 10),
      isoTime: '2026-11-24T10:00:00.000Z',
      digits: '12345678901234567890',
      absent: undefined,
    };
    await table.commit(partitionKey, [insert('row', columns)]);
    const { etag, bytes, ...found } = await stored('row');
    const { absent: _, bytes: sent, ...expected } = columns;
    expect(found).toEqual({ ...expected, partitionKey, rowKey: 'row' });
    expect(bytes instanceof Uint8Array ? [...bytes] : bytes).toEqual([...sent]);
    expect(etag).toEqual(expect.any(String));
  });

  test('returns undefined for a missing row', async () => {
    expect(await table.get(partitionKey, 'nothing')).toBeUndefined();
    expect(await table.list(partitionKey)).toEqual([]);
  });

  test('keeps partitions apart', async () => {
    await table.commit(partitionKey, [insert('row')]);
    expect(await table.get(`${partitionKey}-other`, 'row')).toBeUndefined();
    expect(await table.list(`${partitionKey}-other`)).toEqual([]);
  });

  test('accepts an empty list of changes', async () => {
    expect(await table.commit(partitionKey, [])).toEqual({ ok: true, etags: [] });
  });

  describe('one change', () => {
    test('inserts once and is then refused as `exists`, leaving the row unchanged', async () => {
      expect(await table.commit(partitionKey, [insert('row', { n: 1 })])).toMatchObject({ ok: true });
      const refused = await table.commit(partitionKey, [insert('row', { n: 2 })]);
      expect(refused).toEqual({ ok: false, index: 0, refusal: 'exists' });
      expect((await stored('row'))['n']).toBe(1);
    });

    test('replaces the whole row that was read, and returns the ETag of the new one', async () => {
      await table.commit(partitionKey, [insert('row', { n: 1, old: 'gone after this' })]);
      const etag = await etagOf('row');
      const written = await table.commit(partitionKey, [
        { kind: 'replace', row: row('row', { n: 2 }), etag },
      ]);
      const now = await stored('row');
      expect(now['n']).toBe(2);
      expect(now['old']).toBeUndefined();
      expect(now.etag).not.toBe(etag);
      expect(written).toEqual({ ok: true, etags: [now.etag] });
    });

    test('refuses to replace a row that has changed, and one that is gone', async () => {
      await table.commit(partitionKey, [insert('row', { n: 1 })]);
      const etag = await etagOf('row');
      await table.commit(partitionKey, [put('row', { n: 2 })]);
      const replace: Change = { kind: 'replace', row: row('row', { n: 3 }), etag };
      expect(await table.commit(partitionKey, [replace])).toEqual({
        ok: false,
        index: 0,
        refusal: 'changed',
      });
      expect((await stored('row'))['n']).toBe(2);
      await table.commit(partitionKey, [{ kind: 'remove', rowKey: 'row' }]);
      expect(await table.commit(partitionKey, [replace])).toEqual({
        ok: false,
        index: 0,
        refusal: 'missing',
      });
    });

    test('overwrites an existing row, and keeps none of its columns', async () => {
      const first = await table.commit(partitionKey, [put('row', { a: 1 })]);
      const second = await table.commit(partitionKey, [put('row', { b: 2 })]);
      const { etag, ...found } = await stored('row');
      expect(found).toEqual({ partitionKey, rowKey: 'row', b: 2 });
      expect(second).toEqual({ ok: true, etags: [etag] });
      expect(second).not.toEqual(first);
    });

    test('removes a row, counts a missing one as removed, and refuses a changed one', async () => {
      await table.commit(partitionKey, [insert('row', { n: 1 })]);
      const etag = await etagOf('row');
      await table.commit(partitionKey, [put('row', { n: 2 })]);
      expect(await table.commit(partitionKey, [{ kind: 'remove', rowKey: 'row', etag }])).toEqual({
        ok: false,
        index: 0,
        refusal: 'changed',
      });
      expect(await table.commit(partitionKey, [{ kind: 'remove', rowKey: 'row' }])).toMatchObject({
        ok: true,
      });
      expect(await table.get(partitionKey, 'row')).toBeUndefined();
      expect(await table.commit(partitionKey, [{ kind: 'remove', rowKey: 'row' }])).toMatchObject({
        ok: true,
      });
    });
  });

  describe('several changes', () => {
    test('are written together, each with its ETag', async () => {
      await table.commit(partitionKey, [insert('b', { n: 1 }), insert('c'), insert('d')]);
      const written = await table.commit(partitionKey, [
        insert('a', { n: 1 }),
        { kind: 'replace', row: row('b', { n: 2 }), etag: await etagOf('b') },
        put('c', { n: 2 }),
        { kind: 'remove', rowKey: 'd' },
      ]);
      const rows = await table.list(partitionKey);
      expect(rows.map(({ rowKey, n }) => [rowKey, n])).toEqual([
        ['a', 1],
        ['b', 2],
        ['c', 2],
      ]);
      expect(written.ok && written.etags.slice(0, 3)).toEqual(rows.map(({ etag }) => etag));
    });

    const refused: [string, (stale: string) => Change, string][] = [
      ['an insert of what is there', () => insert('there', { n: 2 }), 'exists'],
      [
        'a replacement of what moved on',
        (etag) => ({ kind: 'replace', row: row('there', { n: 2 }), etag }),
        'changed',
      ],
      [
        'a replacement of what is gone',
        (etag) => ({ kind: 'replace', row: row('gone', { n: 2 }), etag }),
        'missing',
      ],
      ['a removal of what is gone', () => ({ kind: 'remove', rowKey: 'gone' }), 'missing'],
    ];
    test.each(refused)('none is written because of %s, which is named', async (_what, change, refusal) => {
      await table.commit(partitionKey, [put('there', { n: 0 })]);
      const stale = await etagOf('there');
      await table.commit(partitionKey, [put('there', { n: 1 })]);
      const changes = [put('a'), put('b'), change(stale), put('z')];
      expect(await table.commit(partitionKey, changes)).toEqual({ ok: false, index: 2, refusal });
      const rows = await table.list(partitionKey);
      expect(rows.map(({ rowKey, n }) => [rowKey, n])).toEqual([['there', 1]]);
    });

    test('may be a hundred, and no more', async () => {
      const many = Array.from({ length: 101 }, (_, index) => insert(String(index).padStart(3, '0')));
      await expect(table.commit(partitionKey, many)).rejects.toThrow();
      expect(await table.list(partitionKey)).toEqual([]);
      const written = await table.commit(partitionKey, many.slice(0, 100));
      expect(written.ok && written.etags).toHaveLength(100);
      expect(await table.list(partitionKey)).toHaveLength(100);
    });

    test('must not name a row twice or cross partitions', async () => {
      await expect(table.commit(partitionKey, [put('a'), put('a')])).rejects.toThrow();
      const elsewhere: Change = { kind: 'put', row: { partitionKey: 'elsewhere', rowKey: 'b' } };
      await expect(table.commit(partitionKey, [put('a'), elsewhere])).rejects.toThrow();
      expect(await table.list(partitionKey)).toEqual([]);
    });

    test('are refused before anything is sent when a row breaks a limit of the service', async () => {
      const large = put('b', { text: 'x'.repeat(32 * 1024 + 1) });
      const commit = async (change: Change): Promise<unknown> =>
        table.commit(partitionKey, [put('a'), change]);
      await expect(commit(large)).rejects.toMatchObject({ code: 'row-too-large' });
      await expect(commit(put('b/c'))).rejects.toMatchObject({ code: 'bad-key' });
      expect(await table.list(partitionKey)).toEqual([]);
    });
  });

  describe('a page', () => {
    test('is in row key order, character by character, and within the range', async () => {
      const names = ['a|2', 'a|10', 'B', 'a', "a'b", 'a|1', 'b', '~', '0'];
      await table.commit(
        partitionKey,
        names.map((name) => insert(name)),
      );
      const inOrder = ['0', 'B', 'a', "a'b", 'a|1', 'a|10', 'a|2', 'b', '~'];
      expect(keys(await table.list(partitionKey))).toEqual(inOrder);
      expect(keys(await table.list(partitionKey, startingWith('a|')))).toEqual(['a|1', 'a|10', 'a|2']);
      expect(keys(await table.list(partitionKey, { from: "a'b", to: 'a|2' }))).toEqual([
        "a'b",
        'a|1',
        'a|10',
      ]);
      expect(keys(await table.list(partitionKey, { after: "a'b", limit: 2 }))).toEqual(['a|1', 'a|10']);
      expect(keys(await table.list(partitionKey, { from: 'a', after: 'a|2' }))).toEqual(['b', '~']);
      expect(keys(await table.list(partitionKey, { limit: 3 }))).toEqual(inOrder.slice(0, 3));
    });

    test('has a thousand rows, and all pages together have every row once', async () => {
      const total = 1050;
      const all = Array.from({ length: total }, (_, index) => insert(`r${String(index).padStart(5, '0')}`));
      for (let start = 0; start < total; start += 100)
        await table.commit(partitionKey, all.slice(start, start + 100));
      expect(await table.list(partitionKey)).toHaveLength(1000);
      expect(await table.list(partitionKey, { limit: 5000 })).toHaveLength(1000);
      const rows = await listAll(table, partitionKey);
      expect(new Set(keys(rows)).size).toBe(total);
      expect(keys(rows)).toEqual(keys(rows).toSorted());
    });
  });
});

describe('Table Storage that is not there', () => {
  test('is an error with its cause, which names table and operation and no data', async () => {
    const nobody = azurite.connectionString.replace(/(TableEndpoint=http:\/\/127\.0\.0\.1):\d+/, '$1:1');
    const tables = azureTables({ kind: 'connection-string', connectionString: nobody }, openSeam);
    const failed = tables.open('Tickets').get('a partition', 'a row');
    await expect(failed).rejects.toMatchObject({
      code: 'table-storage',
      message: 'Table Storage did not get in Tickets',
      cause: expect.objectContaining({ code: 'ECONNREFUSED' }),
    });
  });
});

describe('the tables in memory', () => {
  // The SDK sends a removal in a transaction without its ETag: code that relies on one must fail here.
  test('refuse a removal with an ETag inside a transaction', async () => {
    const table = new MemoryTables(openSeam).open('Ledger');
    await table.commit('p', [{ kind: 'put', row: { partitionKey: 'p', rowKey: 'a' } }]);
    const etag = String((await table.get('p', 'a'))?.etag);
    const together: Change[] = [
      { kind: 'remove', rowKey: 'a', etag },
      { kind: 'put', row: { partitionKey: 'p', rowKey: 'b' } },
    ];
    await expect(table.commit('p', together)).rejects.toThrow('cannot be sent in a transaction');
  });
});
