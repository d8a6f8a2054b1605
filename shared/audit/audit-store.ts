import { randomBytes } from 'node:crypto';
import { listAll, type Tables } from '../platform/tables.ts';
import { readRows } from '../platform/unreadable-rows.ts';
import { type AuditChange, type AuditEntry, type AuditKind, changesBetween } from './audit.ts';
import { auditKind, MONTHS } from './audit-records.ts';

/** Limits the entries to one kind of subject, or to one subject. */
export interface AuditFilter {
  kind?: AuditKind | undefined;
  id?: string | undefined;
}

export interface AuditPage {
  entries: AuditEntry[];
  /**
   * The start of the next page. A page may have fewer entries than requested, even none, and still have a
   * next one.
   */
  next: string | undefined;
}

export interface AuditStore {
  /** Records who changed what, with the settings that differ. */
  record(change: AuditChange): Promise<void>;
  /** Newest first. */
  page(ask: AuditFilter & { after?: string | undefined; limit: number }): Promise<AuditPage>;
  /** All matching entries, newest first, read on demand. */
  all(filter: AuditFilter): AsyncIterable<AuditEntry>;
}

const LAST_TURN = 0xff_ff_ff;
const MONTH = /^\d{4}-\d{2}$/;
/** Maximum rows read per page, so that a filter without matches ends in time. */
const MAX_READ = 2000;
const READ_AT_ONCE = 500;

/** A row that was read, without an entry if it is unreadable. */
interface ReadRow {
  /** Where to continue. */
  position: string;
  entry: AuditEntry | undefined;
}

/** The audit log in the table Audit. Every method throws PostroomError if storage is unavailable. */
export function createAuditStore(tables: Tables): AuditStore {
  const table = tables.open('Audit');
  const begun = new Set<string>();
  let turns = 0;

  async function begin(month: string): Promise<void> {
    if (begun.has(month)) return;
    await table.commit(MONTHS, [{ kind: 'put', row: { partitionKey: MONTHS, rowKey: month } }]);
    begun.add(month);
  }

  async function* rowsAfter(after: string | undefined, atOnce: number): AsyncGenerator<ReadRow> {
    const [month, ...key] = after?.split('|') ?? [];
    const months = (await listAll(table, MONTHS)).map(({ rowKey }) => rowKey).reverse();
    for (const one of months) {
      if (month !== undefined && one > month) continue;
      let last = one === month ? key.join('|') : undefined;
      for (;;) {
        const rows = await table.list(one, { limit: atOnce, ...(last !== undefined && { after: last }) });
        const [begin, end] = [last ?? '', rows.length < atOnce ? undefined : rows.at(-1)?.rowKey];
        const covers = (rowKey: string): boolean => rowKey > begin && (end === undefined || rowKey <= end);
        const entries = new Map<string, AuditEntry>();
        readRows(tables, { table: 'Audit', partition: one, covers }, rows, (row) => {
          const { order: _, ...entry } = auditKind.fromRow(row);
          entries.set(row.rowKey, entry);
        });
        for (const { rowKey } of rows) yield { position: `${one}|${rowKey}`, entry: entries.get(rowKey) };
        if (end === undefined) break;
        last = end;
      }
    }
  }

  return {
    async record(change) {
      const at = new Date(change.at).toISOString();
      const month = at.slice(0, 7);
      // Assigned before any await, so that entries keep the order of the calls.
      const turn = (LAST_TURN - (turns++ % LAST_TURN)).toString(16).padStart(6, '0');
      await begin(month);
      const { principal, subject, action } = change;
      const row = auditKind.toRow({
        at,
        order: `${turn}|${randomBytes(6).toString('hex')}`,
        // Copied field by field: a caller may pass more than is stored.
        principal: { id: principal.id, name: principal.name },
        action,
        subject: { kind: subject.kind, id: subject.id, name: subject.name },
        changes: changesBetween(change.before, change.after),
      });
      await table.commit(month, [{ kind: 'insert', row }]);
    },
    async page({ after, limit, ...filter }) {
      const entries: AuditEntry[] = [];
      let read = 0;
      let last: string | undefined;
      if (after !== undefined && !MONTH.test(after.split('|')[0] ?? '')) return { entries, next: undefined };
      const filtered = filter.kind !== undefined || filter.id !== undefined;
      for await (const { position, entry } of rowsAfter(after, filtered ? READ_AT_ONCE : limit + 1)) {
        if (entries.length === limit || read === MAX_READ) return { entries, next: last };
        if (entry !== undefined && fits(entry, filter)) entries.push(entry);
        last = position;
        read += 1;
      }
      return { entries, next: undefined };
    },
    async *all(filter) {
      for await (const { entry } of rowsAfter(undefined, READ_AT_ONCE))
        if (entry !== undefined && fits(entry, filter)) yield entry;
    },
  };
}

const fits = ({ subject }: AuditEntry, { kind, id }: AuditFilter): boolean =>
  (kind === undefined || subject.kind === kind) && (id === undefined || subject.id === id);
