/** What a column may hold. Times are ISO strings: Table Storage has no whole numbers above 2^31 in JSON. */
export type Value = string | number | boolean | Uint8Array;

export interface Row {
  readonly partitionKey: string;
  readonly rowKey: string;
  readonly etag?: string | undefined;
  readonly [column: string]: Value | undefined;
}

export type Change =
  /** Refused as `exists` when the row is there. */
  | { kind: 'insert'; row: Row }
  /** Refused as `changed` when the row is no longer the one read, as `missing` when it is gone. */
  | { kind: 'replace'; row: Row; etag: string }
  /** Written whatever stood there. */
  | { kind: 'put'; row: Row }
  /** Alone in its commit, a missing row counts as removed; inside a transaction it is refused as `missing`. */
  | { kind: 'remove'; rowKey: string; etag?: string };

export type Refusal = 'exists' | 'changed' | 'missing';
export type Committed =
  | { ok: true; etags: readonly (string | undefined)[] }
  /** Nothing was written. `index` names the change that stood in the way. */
  | { ok: false; index: number; refusal: Refusal };

export interface RowRange {
  /** First row key, included. */
  from?: string;
  /** Row key after the last, excluded. */
  to?: string;
  /** Row key to go on after, excluded: the last one of the page before. */
  after?: string | undefined;
  /** At most this many rows; 1,000 unless told, which is also the most. */
  limit?: number;
}

export interface Table {
  get(partitionKey: string, rowKey: string): Promise<Row | undefined>;
  /** When storage last wrote a row, as an ISO time by its own clock; undefined where there is none. */
  writtenAt(partitionKey: string, rowKey: string): Promise<string | undefined>;
  /** One page of a partition in order of row key. */
  list(partitionKey: string, range?: RowRange): Promise<Row[]>;
  /**
   * Writes 1 to 100 changes of one partition, all or none (an entity group transaction when more than one).
   * @throws PostroomError `row-too-large` before anything is sent when a row breaks a limit of the service.
   */
  commit(partitionKey: string, changes: readonly Change[]): Promise<Committed>;
}

/** Every table of the product. The infrastructure creates the same list. */
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
] as const;
export type TableName = (typeof tableNames)[number];

export interface Tables {
  open(name: TableName): Table;
}

/** A key range that holds every row key beginning with `prefix` (keys are ASCII here). */
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
