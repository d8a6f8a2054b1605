import type { z } from 'zod';
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

/** How one field of a record is stored as one column. `read` throws where the column holds something else. */
export interface Column<T> {
  /** @param value what the column holds; undefined where the row has no such column */
  read(value: Value | undefined): T;
  write(value: T): Value | undefined;
}

/**
 * How an object of several fields is stored: each field as a column of its own, named after both (`access` of `tokens` is
 * the column `tokensAccess`).
 */
export interface Group<T> {
  readonly columns: Columns<T>;
}

/** A column for each field: a field without one, or a column without its field, does not compile. */
export type Columns<T> = { readonly [Name in keyof T]-?: Column<T[Name]> | Group<T[Name]> };

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
    /** The fields that the keys hold. May throw where they hold something else. */
    fromKeys(keys: RowKeys): Keyed;
    columns: Columns<Omit<T, keyof Keyed>>;
  }): RecordKind<T> => {
    return {
      table,
      keysOf,
      toRow: (record) => ({ ...writeColumns(columns, record), [VERSION]: version, ...keysOf(record) }),
      fromRow(row) {
        const { partitionKey, rowKey } = row;
        const unreadable = (column: string, cause?: unknown): PostroomError =>
          new PostroomError(
            'bad-row',
            `${table}/${partitionKey}/${rowKey}: the column ${column} does not hold what Postroom wrote there`,
            { cause },
          );
        if (row[VERSION] !== version) throw unreadable(VERSION);
        let keyed: Keyed;
        try {
          keyed = fromKeys({ partitionKey, rowKey });
        } catch (error) {
          throw unreadable('RowKey', error);
        }
        // Every field is there: `columns` and `fromKeys` together name them all.
        return { ...keyed, ...readColumns(columns, row, unreadable) } as unknown as T;
      },
    };
  };
}

type Fields = Readonly<Record<string, unknown>>;

const entriesOf = (columns: object): [string, Column<unknown> | Group<Fields>][] => Object.entries(columns);

const columnName = (group: string, field: string): string =>
  group === '' ? field : group + field.charAt(0).toUpperCase() + field.slice(1);

function writeColumns(columns: object, record: object, group = ''): Record<string, Value | undefined> {
  const row: Record<string, Value | undefined> = {};
  for (const [field, column] of entriesOf(columns)) {
    const name = columnName(group, field);
    const value = (record as Fields)[field];
    if ('columns' in column) Object.assign(row, writeColumns(column.columns, value as object, name));
    else row[name] = column.write(value);
  }
  return row;
}

function readColumns(
  columns: object,
  row: Row,
  unreadable: (column: string, cause: unknown) => PostroomError,
  group = '',
): Fields {
  const fields: Record<string, unknown> = {};
  for (const [field, column] of entriesOf(columns)) {
    const name = columnName(group, field);
    if ('columns' in column) fields[field] = readColumns(column.columns, row, unreadable, name);
    else
      try {
        fields[field] = column.read(row[name]);
      } catch (error) {
        throw unreadable(name, error);
      }
  }
  return fields;
}

/** Call it with the type of the object, for the same reason as `recordKind`'s columns: a forgotten field does not compile. */
export const group = <T>(columns: Columns<T>): Group<T> => ({ columns });

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
export const json = <T>(schema: z.ZodType<T>): Column<T> => ({
  read: (value) => schema.parse(JSON.parse(text.read(value))),
  write: (value) => JSON.stringify(value),
});

/** A column whose field has another form than what is stored. `read` throws where it cannot be converted. */
export const converted = <Held, T>(
  column: Column<Held>,
  { read, write }: { read(held: Held): T; write(value: T): Held },
): Column<T> => ({
  read: (value) => read(column.read(value)),
  write: (value) => column.write(write(value)),
});

export interface Stored<T> {
  record: T;
  etag: string;
}

/** The rows of one kind. */
export interface Records<T> {
  /** Undefined where there is none. @throws PostroomError `bad-row` when it cannot be read */
  get(partitionKey: string, rowKey: string): Promise<Stored<T> | undefined>;
  /** Like `get` for a row that nothing may stop at: one that cannot be read is reported (`readRows`), and is undefined. */
  find(partitionKey: string, rowKey: string): Promise<T | undefined>;
  /** Those of a partition in order of row key; a row that cannot be read is left out and reported (`readRows`). */
  list(partitionKey: string, range?: RowRange | { prefix: string }): Promise<T[]>;
  /** False when a row with these keys is there. */
  insert(record: T): Promise<boolean>;
  /** Writes only over the row that was read; false when it has changed or is gone. */
  replace(record: T, etag: string): Promise<boolean>;
  /** Writes whatever stood there. */
  put(record: T): Promise<void>;
  /** With an etag, only the row that was read is removed; false when it has changed. A row that is gone counts as removed. */
  remove(partitionKey: string, rowKey: string, etag?: string): Promise<boolean>;
}

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
      const rows = await listAll(table, partitionKey, 'prefix' in range ? startingWith(range.prefix) : range);
      return readRows(tables, { table: kind.table, partition: partitionKey, part }, rows, kind.fromRow);
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
