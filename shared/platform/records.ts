import { z } from 'zod';
import { mapLimited } from './concurrency.ts';
import { PostroomError } from './errors.ts';
import {
  listAll,
  type Row,
  type RowRange,
  startingWith,
  type TableName,
  type Tables,
  type Value,
} from './tables.ts';
import { readRows } from './unreadable-rows.ts';

// Properties, not methods: so a column of text does not fit an optional field, which it could not write.

/** How one field of a record is stored as one column. `read` throws where the column holds something else. */
export interface Column<T> {
  /** @param value what the column holds; undefined where the row has no such column */
  readonly read: (value: Value | undefined) => T;
  readonly write: (value: T) => Value | undefined;
}

/** How one field is stored as several columns, which it names itself; the names are unique in their row. */
export interface ColumnGroup<T> {
  readonly readAll: (row: Row) => T;
  readonly writeAll: (value: T) => Record<string, Value | undefined>;
}

/** A column for each field: a field without one, or a column without its field, does not compile. */
export type Columns<T> = { readonly [Name in keyof T]-?: Column<T[Name]> | ColumnGroup<T[Name]> };

export interface RowKeys {
  partitionKey: string;
  rowKey: string;
}

/** One kind of row, as a table keeps it. */
export interface RecordKind<T> {
  readonly table: TableName;
  keysOf(record: T): RowKeys;
  /** @throws PostroomError `row-too-large` on commit, not here */
  toRow(record: T): Row;
  /** @throws PostroomError `bad-row`, naming the row and the column, when Postroom did not write the row like this */
  fromRow(row: Row): T;
}

/** The column that says by which version of its schema a row was written. */
const VERSION = 'v';

/**
 * Describes one kind of row. Every field of `T` is either in the keys (`keysOf`, and back by `fromKeys`) or has a column.
 * Call it with the type alone first, since TypeScript infers all type arguments or none: `recordKind<Account>()({ … })`.
 * @returns the kind, for `openRecords` and for transactions over several kinds
 */
export function recordKind<T extends object>() {
  return <Keyed extends Partial<T>>({
    table,
    version,
    keysOf,
    fromKeys,
    columns,
  }: {
    table: TableName;
    /** Counted up with each change that makes older rows unreadable. */
    version: number;
    keysOf(record: T): RowKeys;
    /** The fields that the keys hold. */
    fromKeys(keys: RowKeys): Keyed;
    columns: Columns<Omit<T, keyof Keyed>>;
  }): RecordKind<T> => {
    const all = Object.entries(columns) as [keyof T & string, Column<unknown> | ColumnGroup<unknown>][];
    return {
      table,
      keysOf,
      toRow(record) {
        const row: Record<string, Value | undefined> = {};
        for (const [name, column] of all)
          if ('write' in column) row[name] = column.write(record[name]);
          else Object.assign(row, column.writeAll(record[name]));
        return { ...row, [VERSION]: version, ...keysOf(record) };
      },
      fromRow(row) {
        const { partitionKey, rowKey } = row;
        const unreadable = (column: string, cause?: unknown): PostroomError =>
          new PostroomError(
            'bad-row',
            `${table}/${partitionKey}/${rowKey}: the column ${column} does not hold what Postroom wrote there`,
            { cause },
          );
        if (row[VERSION] !== version) throw unreadable(VERSION);
        const fields: Record<string, unknown> = { ...fromKeys({ partitionKey, rowKey }) };
        for (const [name, column] of all)
          try {
            fields[name] = 'read' in column ? column.read(row[name]) : column.readAll(row);
          } catch (error) {
            throw unreadable(name, error);
          }
        // Every field is there: `columns` and `fromKeys` together name them all.
        return fields as T;
      },
    };
  };
}

/** What a column did not hold; the record kind adds which row and column. */
const expected = (what: string): Error => new TypeError(`not ${what}`);

export const text: Column<string> = {
  read: (value) => {
    if (typeof value !== 'string') throw expected('text');
    return value;
  },
  write: (value) => value,
};

/** A 32-bit whole number. */
export const whole: Column<number> = {
  read: (value) => {
    if (typeof value !== 'number') throw expected('a whole number');
    return value;
  },
  write: (value) => value,
};

/** Text that people read and that may be too long: what is over `most` characters is cut off with an ellipsis. */
export const shortText = (
  most: number,
): { readonly read: Column<string>['read']; readonly write: (value: string) => string } => ({
  read: text.read,
  write: (value) => (value.length > most ? `${value.slice(0, most - 1)}…` : value),
});

export const flag: Column<boolean> = {
  read: (value) => {
    if (typeof value !== 'boolean') throw expected('true or false');
    return value;
  },
  write: (value) => value,
};

/** An ISO 8601 time in UTC. */
export const time: Column<string> = {
  read: (value) => {
    if (typeof value !== 'string' || Number.isNaN(Date.parse(value))) throw expected('a time');
    return value;
  },
  write: (value) => value,
};

/** One of a few words. */
export const oneOf = <const Word extends string>(...words: readonly Word[]): Column<Word> => ({
  read: (value) => {
    const word = words.find((one) => one === value);
    if (word === undefined) throw expected(`one of ${words.join(', ')}`);
    return word;
  },
  write: (value) => value,
});

/** The column is absent where the field is undefined. */
export const optional = <T>(column: Column<T>): Column<T | undefined> => ({
  read: (value) => (value === undefined ? undefined : column.read(value)),
  write: (value) => (value === undefined ? undefined : column.write(value)),
});

/** Anything that a schema describes, as JSON; at most 32,768 characters of it. */
export const json = <T>(
  schema: z.ZodType<T>,
): { read: Column<T>['read']; write: Column<Readonly<T>>['write'] } => ({
  read: (value) => schema.parse(JSON.parse(text.read(value))),
  write: (value) => JSON.stringify(value),
});

/**
 * The schema of an object within a JSON column. A field of `T` without its schema does not compile, optional ones
 * included: zod alone would leave them out of what it reads without a word.
 */
export const objectOf = <T extends object>(
  shape: {
    readonly [Name in keyof T]-?: z.ZodType<T[Name]>;
  },
): z.ZodType<T> =>
  // JSON has no undefined: a field that is undefined and one that is absent are the same.
  z.object(shape) as unknown as z.ZodType<T>;

export interface Stored<T> {
  record: T;
  etag: string;
}

export interface Page<T> {
  /** Fewer than asked for where a row could not be read. */
  records: T[];
  /** Pass as `after` for the next page; undefined on the last. */
  next: string | undefined;
}

/** The rows of one kind. */
export interface Records<T> {
  /** Undefined where there is none. @throws PostroomError `bad-row` when it cannot be read */
  get(partitionKey: string, rowKey: string): Promise<Stored<T> | undefined>;
  /** Undefined also where the row cannot be read, which is reported as for a list. */
  find(partitionKey: string, rowKey: string): Promise<T | undefined>;
  /** Those of a partition in order of row key; a row that cannot be read is left out and reported (`readRows`). */
  list(partitionKey: string, range?: RowRange | { prefix: string }): Promise<T[]>;
  /**
   * One page of several partitions together in order of row key; one request a partition, of one row more than is shown.
   * A row that cannot be read is left out and reported.
   */
  page(partitionKeys: readonly string[], range: RowRange & { limit: number }): Promise<Page<T>>;
  /** False when a row with these keys is there. */
  insert(record: T): Promise<boolean>;
  /** Writes only over the row that was read; false when it has changed or is gone. */
  replace(record: T, etag: string): Promise<boolean>;
  /** Writes whatever stood there. */
  put(record: T): Promise<void>;
  /** With an etag, only the row that was read is removed; false when it has changed. A row that is gone counts as removed. */
  remove(partitionKey: string, rowKey: string, etag?: string): Promise<boolean>;
}

const PARTITIONS_AT_ONCE = 8;

/** Opens the rows of a kind. Every method throws PostroomError where storage is away. */
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
