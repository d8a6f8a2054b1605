import { z } from 'zod';
import { PostroomError } from './errors.ts';
import { type Code, codeFrom } from './problem.ts';
import type { Row, TableName, Value } from './tables.ts';

// Properties, not methods, so that a text column is not assignable to an optional field, which it could not
// write.

/** How one field is stored as one column. `read` throws when the stored value is of another kind. */
export interface Column<T> {
  /** @param value the stored value; undefined when the row has no such column */
  readonly read: (value: Value | undefined) => T;
  readonly write: (value: T) => Value | undefined;
}

/** How one field is stored as several columns, which it names itself. Names are unique within the row. */
export interface ColumnGroup<T> {
  readonly readAll: (row: Row) => T;
  readonly writeAll: (value: T) => Record<string, Value | undefined>;
}

/** One column per field: a field without a column, or a column without a field, does not compile. */
export type Columns<T> = { readonly [Name in keyof T]-?: Column<T[Name]> | ColumnGroup<T[Name]> };

export interface RowKeys {
  partitionKey: string;
  rowKey: string;
}

/** One kind of row in a table. */
export interface RecordKind<T> {
  readonly table: TableName;
  keysOf(record: T): RowKeys;
  /** @throws PostroomError `row-too-large` on commit, not here */
  toRow(record: T): Row;
  /**
   * @throws PostroomError `bad-row`, naming the row and the column, when the row is not in the form that
   * Postroom writes
   */
  fromRow(row: Row): T;
}

/** The column with the schema version that the row was written with. */
const VERSION = 'v';

/**
 * Defines one kind of row. Every field of `T` is either part of the keys (`keysOf`, and back by `fromKeys`)
 * or has a column. Call it with only the type first, since TypeScript infers either all type arguments or
 * none: `recordKind<Account>()({ … })`.
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
    /** Incremented by each change that makes older rows unreadable. */
    version: number;
    keysOf(record: T): RowKeys;
    /** The fields stored in the keys. May throw when the keys have another form. */
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
            `${table}/${partitionKey}/${rowKey}: the column ${column} does not contain what Postroom wrote there`,
            { cause },
          );
        if (row[VERSION] !== version) throw unreadable(VERSION);
        const fields: Record<string, unknown> = {};
        try {
          Object.assign(fields, fromKeys({ partitionKey, rowKey }));
        } catch (error) {
          throw unreadable('RowKey', error);
        }
        for (const [name, column] of all)
          try {
            fields[name] = 'read' in column ? column.read(row[name]) : column.readAll(row);
          } catch (error) {
            throw unreadable(name, error);
          }
        // All fields are present: `columns` and `fromKeys` together cover them.
        return fields as T;
      },
    };
  };
}

/** What was expected of a column; the record kind adds the row and the column. */
const expected = (what: string): Error => new TypeError(`not ${what}`);

export const text: Column<string> = {
  read: (value) => {
    if (typeof value !== 'string') throw expected('text');
    return value;
  },
  write: (value) => value,
};

/** A 32-bit integer. */
export const whole: Column<number> = {
  read: (value) => {
    if (typeof value !== 'number') throw expected('a whole number');
    return value;
  },
  write: (value) => value,
};

/** Text for people that may be too long: cut to `most` characters, with an ellipsis. */
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

/** A problem's code. */
export const code: Column<Code> = {
  read: (value) => codeFrom(text.read(value)),
  write: (value) => value,
};

/** One of a fixed set of words. */
export const oneOf = <const Word extends string>(...words: readonly Word[]): Column<Word> => ({
  read: (value) => {
    const word = words.find((one) => one === value);
    if (word === undefined) throw expected(`one of ${words.join(', ')}`);
    return word;
  },
  write: (value) => value,
});

/**
 * A column whose field differs in form from the stored value. `read` throws when it can't be converted.
 */
export const converted = <StoredValue, T>(
  column: Column<StoredValue>,
  { read, write }: { read(stored: StoredValue): T; write(value: T): StoredValue },
): Column<T> => ({
  read: (value) => read(column.read(value)),
  write: (value) => column.write(write(value)),
});

/**
 * An object with one column per field, named after both: with the prefix `tokens`, the field `access` is in
 * `tokensAccess`. Call it with the type of the object.
 */
export const group = <T extends object>(
  prefix: string,
  columns: { readonly [Name in keyof T]-?: Column<T[Name]> },
): ColumnGroup<T> => {
  const all = Object.entries(columns) as [keyof T & string, Column<unknown>][];
  const nameOf = (field: string): string => prefix + field.charAt(0).toUpperCase() + field.slice(1);
  return {
    // All fields are present: `columns` covers them.
    readAll: (row) =>
      Object.fromEntries(all.map(([field, { read }]) => [field, read(row[nameOf(field)])])) as T,
    writeAll: (value) =>
      Object.fromEntries(all.map(([field, { write }]) => [nameOf(field), write(value[field])])),
  };
};

/** The column is absent where the field is undefined. */
export const optional = <T>(column: Column<T>): Column<T | undefined> => ({
  read: (value) => (value === undefined ? undefined : column.read(value)),
  write: (value) => (value === undefined ? undefined : column.write(value)),
});

/** Any value with a schema, as JSON of at most 32,768 characters. */
export const json = <T>(
  schema: z.ZodType<T>,
): { read: Column<T>['read']; write: Column<Readonly<T>>['write'] } => ({
  read: (value) => schema.parse(JSON.parse(text.read(value))),
  write: (value) => JSON.stringify(value),
});

/**
 * The schema of an object in a JSON column. A field of `T` without a schema does not compile, even an
 * optional one: zod alone would silently drop it on read.
 */
export const objectOf = <T extends object>(
  shape: {
    readonly [Name in keyof T]-?: z.ZodType<T[Name]>;
  },
): z.ZodType<T> =>
  // JSON has no undefined: an undefined field and an absent one are equivalent.
  z.object(shape) as unknown as z.ZodType<T>;
