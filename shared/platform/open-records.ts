import { mapLimited } from './concurrency.ts';
import type { RecordKind } from './records.ts';
import { listAll, type Row, type RowRange, startingWith, type Tables } from './tables.ts';
import { readRows } from './unreadable-rows.ts';

export interface Stored<T> {
  record: T;
  etag: string;
}

export interface Page<T> {
  /** May be fewer than requested when a row could not be read. */
  records: T[];
  /** Pass as `after` for the next page; undefined on the last. */
  next: string | undefined;
}

/** The stored rows of one kind. */
export interface Records<T> {
  /**
   * Undefined if there is none.
   * @throws PostroomError `bad-row` when it can't be read
   */
  get(partitionKey: string, rowKey: string): Promise<Stored<T> | undefined>;
  /** Undefined also when the row can't be read; it is then reported as by `list`. */
  find(partitionKey: string, rowKey: string): Promise<T | undefined>;
  /**
   * The rows of a partition in row key order. A row that can't be read is omitted and reported
   * (`readRows`).
   */
  list(partitionKey: string, range?: RowRange | { prefix: string }): Promise<T[]>;
  /**
   * One page of several partitions, merged in row key order; one request per partition, each for one row
   * more than the page shows. A row that can't be read is omitted and reported.
   */
  page(partitionKeys: readonly string[], range: RowRange & { limit: number }): Promise<Page<T>>;
  /** False when a row with these keys exists. */
  insert(record: T): Promise<boolean>;
  /** Writes only if the row is unchanged since it was read; false when it has changed or is gone. */
  replace(record: T, etag: string): Promise<boolean>;
  /** Writes unconditionally. */
  put(record: T): Promise<void>;
  /**
   * With an etag, removes the row only if it is unchanged; false when it has changed. A missing row counts
   * as removed.
   */
  remove(partitionKey: string, rowKey: string, etag?: string): Promise<boolean>;
}

const PARTITIONS_AT_ONCE = 8;

/** Opens the rows of a kind. Every method throws PostroomError when storage is unavailable. */
export function openRecords<T>(tables: Tables, kind: RecordKind<T>): Records<T> {
  const table = tables.open(kind.table);
  return {
    async get(partitionKey, rowKey) {
      const row = await table.get(partitionKey, rowKey);
      return row === undefined ? undefined : { record: kind.fromRow(row), etag: row.etag ?? '' };
    },
    async find(partitionKey, rowKey) {
      const row = await table.get(partitionKey, rowKey);
      const place = { table: kind.table, partition: partitionKey, part: rowKey };
      return readRows(tables, place, row === undefined ? [] : [row], kind.fromRow)[0];
    },
    async list(partitionKey, range = {}) {
      const part = 'prefix' in range ? range.prefix : '';
      const asked: RowRange = 'prefix' in range ? startingWith(range.prefix) : range;
      const { from = '', to } = asked;
      const covers = (rowKey: string): boolean => rowKey >= from && (to === undefined || rowKey < to);
      const rows = await listAll(table, partitionKey, asked);
      return readRows(
        tables,
        { table: kind.table, partition: partitionKey, part, covers },
        rows,
        kind.fromRow,
      );
    },
    async page(partitionKeys, range) {
      const { from = '', after, limit } = range;
      const asked = { ...range, limit: limit + 1 };
      const found = await mapLimited(partitionKeys, PARTITIONS_AT_ONCE, (key) => table.list(key, asked));
      const rows = found.flat().sort((a, b) => (a.rowKey < b.rowKey ? -1 : 1));
      const shown = rows.slice(0, limit);
      const next = rows.length > limit ? shown.at(-1)?.rowKey : undefined;
      const covers = (rowKey: string): boolean =>
        (after === undefined ? rowKey >= from : rowKey > after) && (next === undefined || rowKey <= next);
      const read = new Map<Row, T>();
      for (const partition of partitionKeys) {
        const own = shown.filter(({ partitionKey }) => partitionKey === partition);
        const place = { table: kind.table, partition, part: from, covers };
        readRows(tables, place, own, (row) => read.set(row, kind.fromRow(row)));
      }
      return { records: shown.flatMap((row) => read.get(row) ?? []), next };
    },
    async insert(record) {
      const row = kind.toRow(record);
      return (await table.commit(row.partitionKey, [{ kind: 'insert', row }])).ok;
    },
    async replace(record, etag) {
      const row = kind.toRow(record);
      return (await table.commit(row.partitionKey, [{ kind: 'replace', row, etag }])).ok;
    },
    async put(record) {
      const row = kind.toRow(record);
      await table.commit(row.partitionKey, [{ kind: 'put', row }]);
    },
    async remove(partitionKey, rowKey, etag) {
      const change = { kind: 'remove' as const, rowKey, ...(etag !== undefined && { etag }) };
      return (await table.commit(partitionKey, [change])).ok;
    },
  };
}
