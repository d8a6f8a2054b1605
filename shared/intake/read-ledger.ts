import { mapLimited } from '../platform/concurrency.ts';
import type { Row, Tables } from '../platform/tables.ts';
import { readRows } from '../platform/unreadable-rows.ts';
import type { LedgerMail, LedgerPlace } from './ledger.ts';
import { mailKind, mailRowKey, placeKind } from './ledger-records.ts';

// Ledger rows are read one by one, or picked from a range. So each unreadable row is reported separately, and
// reading other rows does not clear its report.

export interface ReadEmails {
  emails: Map<string, LedgerMail>;
  /** ETags of the unreadable rows, by content key. */
  unreadable: Map<string, string>;
}

export interface Known extends ReadEmails {
  /** Row keys of the places that have a row, readable or not. */
  places: Set<string>;
}

const placeIn = (row: Row): LedgerPlace => {
  const { mailboxId: _, ...place } = placeKind.fromRow(row);
  return place;
};

const mailIn = (row: Row): LedgerMail => {
  const { mailboxId: _, ...mail } = mailKind.fromRow(row);
  return { ...mail, etag: row.etag };
};

/** The places in these rows; an unreadable one is omitted and reported. */
export function readPlaces(tables: Tables, mailboxId: string, rows: readonly Row[]): LedgerPlace[] {
  const asked = new Set(rows.map(({ rowKey }) => rowKey));
  const covers = (rowKey: string): boolean => asked.has(rowKey);
  return readRows(tables, { table: 'Ledger', partition: mailboxId, covers }, rows, placeIn);
}

/** The ledger rows of these emails; one request each. */
export async function readEmails(
  tables: Tables,
  mailboxId: string,
  keys: readonly string[],
): Promise<ReadEmails> {
  const ledger = tables.open('Ledger');
  const known: ReadEmails = { emails: new Map(), unreadable: new Map() };
  await mapLimited([...new Set(keys)], 16, async (key) => {
    const rowKey = mailRowKey(key);
    const row = await ledger.get(mailboxId, rowKey);
    if (row === undefined) return;
    const [mail] = readRows(tables, { table: 'Ledger', partition: mailboxId, part: rowKey }, [row], mailIn);
    if (mail !== undefined) known.emails.set(key, mail);
    else known.unreadable.set(key, row.etag ?? '');
  });
  return known;
}

/** Everything a claim needs to know of these emails; two requests each. */
export async function readKnown(
  tables: Tables,
  mailboxId: string,
  found: readonly { key: string; place: string }[],
): Promise<Known> {
  const ledger = tables.open('Ledger');
  const [emails, places] = await Promise.all([
    readEmails(
      tables,
      mailboxId,
      found.map(({ key }) => key),
    ),
    mapLimited(found, 16, ({ place }) => ledger.get(mailboxId, place)),
  ]);
  return { ...emails, places: new Set(places.flatMap((row) => (row === undefined ? [] : [row.rowKey]))) };
}
