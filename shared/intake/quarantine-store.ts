import { mapLimited } from '../platform/concurrency.ts';
import { invertedTime } from '../platform/inverted-time.ts';
import { openRecords } from '../platform/open-records.ts';
import type { Row, Table, Tables } from '../platform/tables.ts';
import {
  type Handled,
  OPEN,
  type OpenEntry,
  openEntryKind,
  type QuarantineEntry,
  quarantineKind,
} from './quarantine-records.ts';

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
  /** Says how an entry was dealt with. The last one that says so counts. */
  settle(entry: QuarantineEntry, handled: Handled): Promise<void>;
  /** What nobody has dealt with, over all mailboxes, newest first; one request. */
  open(limit: number): Promise<OpenEntry[]>;
}

export interface NewEntry extends Omit<QuarantineEntry, 'key' | 'mailboxId' | 'handled'> {
  contentKey: string;
  /** Where the mail stands, so that two copies of an email are two entries. */
  place: string;
}

const MAX_CHANGES = 100;
const AT_ONCE = 8;

const entryKey = ({ at, contentKey, place }: Pick<NewEntry, 'at' | 'contentKey' | 'place'>): string =>
  `${invertedTime(at)}|${contentKey}|${place.replaceAll('|', '-')}`;

/** Unimported and skipped email on the table `Quarantine`. Every method throws PostroomError where storage is away. */
export function createQuarantineStore({ tables }: { tables: Tables }): QuarantineStore {
  const table = tables.open('Quarantine');
  const records = openRecords(tables, quarantineKind);
  const openEntries = openRecords(tables, openEntryKind);
  // Row keys begin with the inverted time and end with the place, which names its folder: they sort over all mailboxes,
  // and no two mailboxes have the same.
  const pageOfAll: QuarantineStore['pageOfAll'] = async (mailboxIds, range) => {
    const page = await records.page(mailboxIds, range);
    return { entries: page.records, next: page.next };
  };
  return {
    pageOfAll,
    page: (mailboxId, range) => pageOfAll([mailboxId], range),
    get: async (mailboxId, key) => (await records.get(mailboxId, key))?.record,
    async missing(mailboxId, entries) {
      const stands = await mapLimited(entries, AT_ONCE, (entry) => table.get(mailboxId, entryKey(entry)));
      return entries.filter((_, index) => stands[index] === undefined);
    },
    async put(mailboxId, entries) {
      const keyed = entries.map((entry) => ({ ...entry, mailboxId, key: entryKey(entry) }));
      // First, so that an alert counts an entry before it can be read, and never leaves one out.
      await putAll(
        tables.open('MailboxState'),
        keyed.filter(({ kind }) => kind === 'quarantined').map((entry) => openEntryKind.toRow(entry)),
      );
      await putAll(
        table,
        keyed.map((entry) => quarantineKind.toRow(entry)),
      );
    },
    async settle(entry, handled) {
      await records.put({ ...entry, handled });
      await openEntries.remove(OPEN, entry.key);
    },
    open: async (limit) => (await openEntries.page([OPEN], { limit })).records,
  };
}

async function putAll(table: Table, rows: readonly Row[]): Promise<void> {
  for (let start = 0; start < rows.length; start += MAX_CHANGES) {
    const part = rows.slice(start, start + MAX_CHANGES);
    await table.commit(
      part[0]?.partitionKey ?? '',
      part.map((row) => ({ kind: 'put', row })),
    );
  }
}
