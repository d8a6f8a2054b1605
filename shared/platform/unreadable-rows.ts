import { describeError } from './errors.ts';
import { log } from './log.ts';
import type { Row, TableName, Tables } from './tables.ts';

/** A row that does not hold what Postroom wrote there. Its keys name it and are never text from outside. */
export interface UnreadableRow {
  table: TableName;
  partitionKey: string;
  rowKey: string;
}

/** By tables, then by table and partition: what the last reading of that partition left out. */
const known = new WeakMap<Tables, Map<string, readonly UnreadableRow[]>>();

/**
 * Reads the rows of a list. One that cannot be read is left out, so that it stops nothing but itself; it is logged, and
 * remembered for `unreadableRows` until it is read again without it.
 * @param place part names the rows where several lists stand in one partition; covers says which row keys were read
 *   where not all were, so that reading the second page forgets nothing of the first
 */
export function readRows<T>(
  tables: Tables,
  {
    table,
    partition,
    part = '',
    covers = () => true,
  }: { table: TableName; partition: string; part?: string; covers?: (rowKey: string) => boolean },
  rows: readonly Row[],
  read: (row: Row) => T,
): T[] {
  const values: T[] = [];
  const of = known.get(tables) ?? new Map<string, readonly UnreadableRow[]>();
  known.set(tables, of);
  const place = `${table}|${partition}|${part}`;
  const before = of.get(place) ?? [];
  const unreadable = before.filter(({ rowKey }) => !covers(rowKey));
  for (const row of rows) {
    try {
      values.push(read(row));
    } catch (error) {
      const { partitionKey, rowKey } = row;
      unreadable.push({ table, partitionKey, rowKey });
      if (!before.some((one) => one.rowKey === rowKey))
        log.warn('row left out', { table, partitionKey, rowKey, error: describeError(error) });
    }
  }
  if (unreadable.length > 0) of.set(place, unreadable);
  else of.delete(place);
  return values;
}

/** What this process had to leave out of the lists it read last, in order of table and row. */
export function unreadableRows(tables: Tables, table?: TableName): UnreadableRow[] {
  const all = [...(known.get(tables)?.values() ?? [])].flat();
  const nameOf = (row: UnreadableRow): string => `${row.table} ${row.partitionKey} ${row.rowKey}`;
  return all
    .filter((row) => table === undefined || row.table === table)
    .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}
