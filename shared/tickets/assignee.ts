/** Who works on a ticket, and how that changes. */
import { openRecords } from '../platform/open-records.ts';
import type { Change, Tables } from '../platform/tables.ts';
import type { Person } from './ticket.ts';
import { rewriteIndexRow } from './ticket-indexes.ts';
import { HEAD, headKind } from './ticket-records.ts';

/** `from`: the `assigneeKey` that the person who changes it has seen. */
export interface AssigneeChange {
  from: string;
  to: Person | undefined;
}

/** Equal for the same assignee: the lower-case address, otherwise the name; empty: nobody. Pure. */
export const assigneeKey = (assignee: Person | undefined): string =>
  assignee?.address?.toLowerCase() ?? assignee?.name ?? '';

/**
 * The ticket's row changes first and decides; then its row in the list follows. After a crash between the two, the
 * list shows the former assignee until the ticket changes again.
 */
export async function assign(
  tables: Tables,
  id: string,
  { from, to }: AssigneeChange,
): Promise<'done' | 'changed' | 'missing'> {
  const heads = openRecords(tables, headKind);
  for (;;) {
    const head = await heads.get(id, HEAD);
    if (head === undefined) return 'missing';
    const now = assigneeKey(head.record.assignee);
    const isDone = now === assigneeKey(to);
    if (!isDone && now !== from) return 'changed';
    if (isDone || (await heads.replace({ ...head.record, assignee: to }, head.etag))) {
      await rewriteIndexRow(tables, id);
      return 'done';
    }
  }
}

/**
 * Assigns a ticket that has no assignee, as a part of a transaction on it: refused as `changed` if the ticket was
 * changed since. Undefined if it has an assignee, or there is no such ticket.
 */
export async function firstAssignee(tables: Tables, id: string, to: Person): Promise<Change | undefined> {
  const head = await openRecords(tables, headKind).get(id, HEAD);
  if (head === undefined || head.record.assignee !== undefined) return undefined;
  return { kind: 'replace', row: headKind.toRow({ ...head.record, assignee: to }), etag: head.etag };
}
