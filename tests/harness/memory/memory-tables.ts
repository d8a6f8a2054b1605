import { assertRowFits } from '../../../shared/platform/row-limits.ts';
import type { Seam } from '../../../shared/platform/seam.ts';
import type {
  Change,
  Committed,
  Row,
  RowRange,
  Table,
  TableName,
  Tables,
} from '../../../shared/platform/tables.ts';

interface State {
  rows: Map<TableName, Map<string, Row>>;
  /** When each row was written, stored beside the row as in Azure. */
  written: WeakMap<Row, number>;
  changes: number;
}

/** Tables in memory, behind the same seam and with the same contract suite as Azurite's. */
export class MemoryTables implements Tables {
  readonly #seam: Seam;
  readonly #state: State;

  constructor(seam: Seam, state: State = { rows: new Map(), written: new WeakMap(), changes: 0 }) {
    this.#seam = seam;
    this.#state = state;
  }

  /** The same rows as seen by another process, through a seam of its own. */
  behind(seam: Seam): MemoryTables {
    return new MemoryTables(seam, this.#state);
  }

  /** Increases with every row written or removed. */
  get changes(): number {
    return this.#state.changes;
  }

  open(name: TableName): Table {
    const rows = this.#state.rows.get(name) ?? new Map<string, Row>();
    this.#state.rows.set(name, rows);
    const key = (partitionKey: string, rowKey: string): string => `${partitionKey}\n${rowKey}`;
    return {
      get: (partitionKey, rowKey) =>
        this.#seam.call(`table.${name}.get`, async () => rows.get(key(partitionKey, rowKey))),
      writtenAt: (partitionKey, rowKey) =>
        this.#seam.call(`table.${name}.get`, async () => {
          const row = rows.get(key(partitionKey, rowKey));
          const at = row && this.#state.written.get(row);
          return at === undefined ? undefined : new Date(at).toISOString();
        }),
      list: (partitionKey, range) =>
        this.#seam.call(`table.${name}.list`, async () => listed(rows, partitionKey, range ?? {})),
      commit: async (partitionKey, changes) => {
        for (const change of changes) if (change.kind !== 'remove') assertRowFits(change.row);
        if (changes.length > 100) throw new Error('a transaction takes 100 changes');
        if (changes.length === 0) return { ok: true, etags: [] };
        assertOnePartition(partitionKey, changes);
        // The SDK has no place for it: it would silently remove the current row there.
        if (
          changes.length > 1 &&
          changes.some((change) => change.kind === 'remove' && change.etag !== undefined)
        )
          throw new Error('a removal with an ETag cannot be sent in a transaction');
        return this.#seam.call(`table.${name}.commit`, async () => this.#commit(rows, partitionKey, changes));
      },
    };
  }

  /** Every row of a table, for assertions. */
  dump(name: TableName): Row[] {
    return [...(this.#state.rows.get(name) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  }

  #commit(rows: Map<string, Row>, partitionKey: string, changes: readonly Change[]): Committed {
    const keyOf = (change: Change): string =>
      `${partitionKey}\n${change.kind === 'remove' ? change.rowKey : change.row.rowKey}`;
    for (const [index, change] of changes.entries()) {
      const there = rows.get(keyOf(change));
      if (change.kind === 'insert' && there !== undefined) return { ok: false, index, refusal: 'exists' };
      if (change.kind === 'remove' && there === undefined) {
        if (changes.length === 1) return { ok: true, etags: [] };
        return { ok: false, index, refusal: 'missing' };
      }
      if (change.kind === 'replace' && there === undefined) return { ok: false, index, refusal: 'missing' };
      const etag = change.kind === 'replace' || change.kind === 'remove' ? change.etag : undefined;
      if (etag !== undefined && etag !== '*' && etag !== there?.etag)
        return { ok: false, index, refusal: 'changed' };
    }
    return {
      ok: true,
      etags: changes.map((change) => {
        this.#state.changes += 1;
        if (change.kind === 'remove') {
          rows.delete(keyOf(change));
          return undefined;
        }
        const etag = `W/"${this.#state.changes}"`;
        const row = { ...stripped(change.row), etag };
        rows.set(keyOf(change), row);
        this.#state.written.set(row, this.#seam.now());
        return etag;
      }),
    };
  }
}

function stripped(row: Row): Row {
  const { partitionKey, rowKey, ...columns } = row;
  const kept = Object.entries(columns).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(kept), partitionKey, rowKey };
}

function assertOnePartition(partitionKey: string, changes: readonly Change[]): void {
  const keys = new Set<string>();
  for (const change of changes) {
    if (change.kind !== 'remove' && change.row.partitionKey !== partitionKey)
      throw new Error('a transaction stays in one partition');
    const rowKey = change.kind === 'remove' ? change.rowKey : change.row.rowKey;
    if (keys.has(rowKey)) throw new Error(`row ${rowKey} stands twice in one transaction`);
    keys.add(rowKey);
  }
}

function listed(rows: Map<string, Row>, partitionKey: string, range: RowRange): Row[] {
  const { after, from = '', to } = range;
  return [...rows.values()]
    .filter(
      (row) =>
        row.partitionKey === partitionKey &&
        (after !== undefined ? row.rowKey > after : row.rowKey >= from) &&
        (to === undefined || row.rowKey < to),
    )
    .sort((a, b) => (a.rowKey < b.rowKey ? -1 : 1))
    .slice(0, Math.min(range.limit ?? 1000, 1000));
}
