import { randomBytes } from 'node:crypto';
import { PostroomError } from '../platform/errors.ts';
import { invertedTime } from '../platform/inverted-time.ts';
import { listAll, type Row, type Tables } from '../platform/tables.ts';
import {
  type AuditChange,
  type AuditEntry,
  type AuditKind,
  type ChangedSetting,
  changesBetween,
} from './audit.ts';

// Audit: month `2026-11` / `<inverted ms>|<turn>|<random>`   a change, newest first
//        `months` / month                                   the months that hold changes, written before their first one
// The turn counts down in each process, so that two changes of one millisecond stand in their order; the random part
// keeps those of two processes apart.
// Only ever added to.

/** Which changes: of one kind of thing, or of one thing. */
export interface AuditFilter {
  kind?: AuditKind | undefined;
  id?: string | undefined;
}

export interface AuditPage {
  entries: AuditEntry[];
  /** Where the next page begins. A page may hold fewer entries than asked for, even none, and still have a next one. */
  next: string | undefined;
}

export interface AuditStore {
  /** Keeps who changed what, with the settings that differ. */
  record(change: AuditChange): Promise<void>;
  /** Newest first. */
  page(ask: AuditFilter & { after?: string | undefined; limit: number }): Promise<AuditPage>;
  /** Every change that fits, newest first, read as it is asked for. */
  all(filter: AuditFilter): AsyncIterable<AuditEntry>;
}

const LAST_TURN = 0xff_ff_ff;
const MONTHS = 'months';
const MONTH = /^\d{4}-\d{2}$/;
/** Rows that one page reads at most, so that a filter that fits nothing ends in time. */
const MOST_READ = 2000;
const READ_AT_ONCE = 500;

export function createAuditStore(tables: Tables): AuditStore {
  const table = tables.open('Audit');
  const begun = new Set<string>();
  let turns = 0;

  async function begin(month: string): Promise<void> {
    if (begun.has(month)) return;
    await table.commit(MONTHS, [{ kind: 'put', row: { partitionKey: MONTHS, rowKey: month } }]);
    begun.add(month);
  }

  async function* rowsAfter(after: string | undefined, atOnce: number): AsyncGenerator<Row> {
    const [month, ...key] = after?.split('|') ?? [];
    const months = (await listAll(table, MONTHS)).map(({ rowKey }) => rowKey).reverse();
    for (const one of months) {
      if (month !== undefined && one > month) continue;
      let last = one === month ? key.join('|') : undefined;
      for (;;) {
        const rows = await table.list(one, { limit: atOnce, ...(last !== undefined && { after: last }) });
        yield* rows;
        if (rows.length < atOnce) break;
        last = rows.at(-1)?.rowKey;
      }
    }
  }

  return {
    async record(change) {
      const at = new Date(change.at).toISOString();
      const month = at.slice(0, 7);
      // Taken before anything is waited for: changes are in the order in which they were handed over.
      const turn = (LAST_TURN - (turns++ % LAST_TURN)).toString(16).padStart(6, '0');
      await begin(month);
      const { principal, subject, action } = change;
      const row: Row = {
        partitionKey: month,
        rowKey: `${invertedTime(at)}|${turn}|${randomBytes(6).toString('hex')}`,
        at,
        principalId: short(principal.id),
        principal: short(principal.name),
        action: short(action),
        subjectKind: subject.kind,
        subjectId: short(subject.id),
        subject: short(subject.name),
        changes: JSON.stringify(changesBetween(change.before, change.after)),
      };
      await table.commit(month, [{ kind: 'insert', row }]);
    },
    async page({ after, limit, ...filter }) {
      const entries: AuditEntry[] = [];
      let read = 0;
      let last: Row | undefined;
      if (after !== undefined && !MONTH.test(after.split('|')[0] ?? '')) return { entries, next: undefined };
      const filtered = filter.kind !== undefined || filter.id !== undefined;
      for await (const row of rowsAfter(after, filtered ? READ_AT_ONCE : limit + 1)) {
        if (entries.length === limit || read === MOST_READ)
          return { entries, next: last && `${last.partitionKey}|${last.rowKey}` };
        if (fits(row, filter)) entries.push(entryOf(row));
        last = row;
        read += 1;
      }
      return { entries, next: undefined };
    },
    async *all(filter) {
      for await (const row of rowsAfter(undefined, READ_AT_ONCE)) if (fits(row, filter)) yield entryOf(row);
    },
  };
}

const short = (text: string): string => text.slice(0, 250);

const fits = (row: Row, { kind, id }: AuditFilter): boolean =>
  (kind === undefined || row['subjectKind'] === kind) && (id === undefined || row['subjectId'] === id);

function entryOf(row: Row): AuditEntry {
  const text = (column: string): string => {
    const value = row[column];
    if (typeof value === 'string') return value;
    throw new PostroomError(
      'bad-row',
      `Audit/${row.rowKey}.${column} does not hold what Postroom wrote there`,
    );
  };
  return {
    at: text('at'),
    principal: { id: text('principalId'), name: text('principal') },
    action: text('action'),
    subject: { kind: text('subjectKind'), id: text('subjectId'), name: text('subject') },
    changes: JSON.parse(text('changes')) as ChangedSetting[],
  };
}
