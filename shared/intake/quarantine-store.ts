import { mapLimited } from '../platform/concurrency.ts';
import { invertedTime } from '../platform/inverted-time.ts';
import type { Row, Tables } from '../platform/tables.ts';

// Quarantine: mailboxId / `<inverted ms>|<K2>|<place>`: mail kept apart and mail passed over, newest first.
// Derived from the ledger: a repeated run writes the same rows again.

export interface QuarantineEntry {
  /** Row key. */
  key: string;
  mailboxId: string;
  kind: 'quarantined' | 'skipped';
  /** In plain words. */
  reason: string;
  /** ISO time the mail server received it. */
  at: string;
  from: string | undefined;
  subject: string | undefined;
  size: number;
  /** Absent when the mail was too large to take; it is still on the server. */
  rawBlob: string | undefined;
}

export interface QuarantineStore {
  page(
    mailboxId: string,
    range: { after?: string | undefined; limit: number },
  ): Promise<{ entries: QuarantineEntry[]; next: string | undefined }>;
  /** The same over several mailboxes together; one request a mailbox. */
  pageOfAll(
    mailboxIds: readonly string[],
    range: { after?: string | undefined; limit: number },
  ): Promise<{ entries: QuarantineEntry[]; next: string | undefined }>;
  get(mailboxId: string, key: string): Promise<QuarantineEntry | undefined>;
  /** Those of the entries that are not stored yet, by one look each. */
  missing(mailboxId: string, entries: readonly NewEntry[]): Promise<NewEntry[]>;
  put(mailboxId: string, entries: readonly NewEntry[]): Promise<void>;
}

export interface NewEntry extends Omit<QuarantineEntry, 'key' | 'mailboxId'> {
  contentKey: string;
  /** Where the mail stands, so that two copies of an email are two entries. */
  place: string;
}

const MAX_CHANGES = 100;
const AT_ONCE = 8;

const rowKeyOf = ({ at, contentKey, place }: Pick<NewEntry, 'at' | 'contentKey' | 'place'>): string =>
  `${invertedTime(at)}|${contentKey}|${place.replaceAll('|', '-')}`;

const shortened = (text: string | undefined): string | undefined => text?.slice(0, 500);

/** Quarantine and skipped mail on the table of that name. Every method throws PostroomError where storage is away. */
export function createQuarantineStore({ tables }: { tables: Tables }): QuarantineStore {
  const quarantine = tables.open('Quarantine');
  const rowsOf = (mailboxId: string, after: string | undefined, limit: number): Promise<Row[]> =>
    quarantine.list(mailboxId, after === undefined ? { limit } : { after, limit });
  // Row keys begin with the inverted time and end with the place, which names its folder: they sort over all mailboxes,
  // and no two mailboxes have the same.
  const pageOfAll: QuarantineStore['pageOfAll'] = async (mailboxIds, { after, limit }) => {
    const found = await mapLimited(mailboxIds, AT_ONCE, (id) => rowsOf(id, after, limit + 1));
    const rows = found.flat().sort((a, b) => (a.rowKey < b.rowKey ? -1 : 1));
    const shown = rows.slice(0, limit);
    return { entries: shown.map(entryOf), next: rows.length > limit ? shown.at(-1)?.rowKey : undefined };
  };
  return {
    pageOfAll,
    page: (mailboxId, range) => pageOfAll([mailboxId], range),
    async get(mailboxId, key) {
      const row = await quarantine.get(mailboxId, key);
      return row === undefined ? undefined : entryOf(row);
    },
    async missing(mailboxId, entries) {
      const stands = await mapLimited(entries, AT_ONCE, (entry) =>
        quarantine.get(mailboxId, rowKeyOf(entry)),
      );
      return entries.filter((_, index) => stands[index] === undefined);
    },
    async put(mailboxId, entries) {
      const rows = entries.map(({ contentKey, place, ...entry }) => ({
        partitionKey: mailboxId,
        rowKey: rowKeyOf({ contentKey, place, at: entry.at }),
        ...entry,
        from: shortened(entry.from),
        subject: shortened(entry.subject),
        reason: entry.reason.slice(0, 1000),
      }));
      for (let start = 0; start < rows.length; start += MAX_CHANGES)
        await quarantine.commit(
          mailboxId,
          rows.slice(start, start + MAX_CHANGES).map((row) => ({ kind: 'put', row })),
        );
    },
  };
}

function entryOf(row: Row): QuarantineEntry {
  const optional = (column: string): string | undefined => {
    const value = row[column];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    key: row.rowKey,
    mailboxId: row.partitionKey,
    kind: row['kind'] === 'skipped' ? 'skipped' : 'quarantined',
    reason: optional('reason') ?? '',
    at: optional('at') ?? '',
    from: optional('from'),
    subject: optional('subject'),
    size: typeof row['size'] === 'number' ? row['size'] : 0,
    rawBlob: optional('rawBlob'),
  };
}
