import { describeError } from './errors.ts';
import { log } from './log.ts';
import type { Row, TableName, Tables } from './tables.ts';

/**
 * A row that is not in the form that Postroom writes. Its keys identify it and never contain text from
 * outside.
 */
export interface UnreadableRow {
  table: TableName;
  partitionKey: string;
  rowKey: string;
}

/** By tables, then by table and partition: the rows omitted by the last read of that partition. */
const known = new WeakMap<Tables, Map<string, readonly UnreadableRow[]>>();

/**
 * Reads the rows of a list. A row that can't be read is omitted, so that it affects nothing else. It is
 * logged, and listed by `unreadableRows` until a read of the same rows no longer finds it.
 * @param place `part` names the rows where several lists share a partition; `covers` says which row keys
 * were read where not all were, so that reading the second page does not forget the first
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

/** The rows that this process omitted from the lists it read last, ordered by table and row. */
export function unreadableRows(tables: Tables, table?: TableName): UnreadableRow[] {
  const all = [...(known.get(tables)?.values() ?? [])].flat();
  const nameOf = (row: UnreadableRow): string => `${row.table} ${row.partitionKey} ${row.rowKey}`;
  return all
    .filter((row) => table === undefined || row.table === table)
    .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}
