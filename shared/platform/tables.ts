/** The value of a column. Times are ISO strings: Table Storage has no integers above 2^31 in JSON. */
export type Value = string | number | boolean | Uint8Array;

export interface Row {
  readonly partitionKey: string;
  readonly rowKey: string;
  readonly etag?: string | undefined;
  readonly [column: string]: Value | undefined;
}

export type Change =
  /** Refused as `exists` when the row exists. */
  | { kind: 'insert'; row: Row }
  /** Refused as `changed` when the row has changed since it was read, as `missing` when it is gone. */
  | { kind: 'replace'; row: Row; etag: string }
  /** Written unconditionally. */
  | { kind: 'put'; row: Row }
  /** On its own, removing a missing row succeeds; in a transaction it is refused as `missing`. */
  | { kind: 'remove'; rowKey: string; etag?: string };

export type Refusal = 'exists' | 'changed' | 'missing';
export type Committed =
  | { ok: true; etags: readonly (string | undefined)[] }
  /** Nothing was written. `index` is the change that was refused. */
  | { ok: false; index: number; refusal: Refusal };

export interface RowRange {
  /** First row key, inclusive. */
  from?: string;
  /** Last row key, exclusive. */
  to?: string;
  /** Continues after this row key (exclusive): the last one of the previous page. */
  after?: string | undefined;
  /** At most this many rows; the default and the maximum are 1,000. */
  limit?: number;
}

export interface Table {
  get(partitionKey: string, rowKey: string): Promise<Row | undefined>;
  /** When storage last wrote a row, as an ISO time by its own clock; undefined where there is none. */
  writtenAt(partitionKey: string, rowKey: string): Promise<string | undefined>;
  /** One page of a partition in order of row key. */
  list(partitionKey: string, range?: RowRange): Promise<Row[]>;
  /**
   * Writes 1 to 100 changes of one partition atomically (an entity group transaction when there is more
   * than one).
   * @throws PostroomError `row-too-large` before the request when a row exceeds a limit of the service
   */
  commit(partitionKey: string, changes: readonly Change[]): Promise<Committed>;
}

/** Every table of the product. The infrastructure templates create the same list. */
export const tableNames = [
  'Providers',
  'Accounts',
  'Mailboxes',
  'Consents',
  'MailboxState',
  'Ledger',
  'Tickets',
  'TicketIndex',
  'MessageIds',
  'Numbers',
  'Quarantine',
  'Audit',
  'Alerts',
  'Activity',
  'ConnectionTests',
  'OutboxDue',
] as const;
export type TableName = (typeof tableNames)[number];

export interface Tables {
  open(name: TableName): Table;
}

/** The range of row keys that start with `prefix` (keys are ASCII here). */
export function startingWith(prefix: string): { from: string; to: string } {
  return { from: prefix, to: `${prefix}\uffff` };
}

/** All rows of a range, page by page. */
export async function listAll(table: Table, partitionKey: string, range: RowRange = {}): Promise<Row[]> {
  const rows: Row[] = [];
  let after = range.after;
  for (;;) {
    const page = await table.list(partitionKey, after === undefined ? range : { ...range, after });
    rows.push(...page);
    if (page.length < 1000) return rows;
    after = page.at(-1)?.rowKey;
  }
}
