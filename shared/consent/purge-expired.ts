import { listAll, type Table } from '../platform/tables.ts';

/** Changes per transaction: the limit of Table Storage. */
const AT_ONCE = 100;

/** Removes the rows of a partition whose `expiresAt` is more than `keptMs` ago. */
export async function purgeExpired(
  table: Table,
  partition: string,
  { keptMs, now }: { keptMs: number; now: number },
): Promise<void> {
  const rows = await listAll(table, partition);
  const expired = rows.filter((row) => Date.parse(String(row['expiresAt'])) + keptMs < now);
  for (let from = 0; from < expired.length; from += AT_ONCE)
    await table.commit(
      partition,
      expired.slice(from, from + AT_ONCE).map(({ rowKey }) => ({ kind: 'remove', rowKey })),
    );
}
