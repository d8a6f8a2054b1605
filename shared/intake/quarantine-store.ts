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
  /** A page over several mailboxes; one request per mailbox. */
  pageOfAll(
    mailboxIds: readonly string[],
    range: { after?: string | undefined; limit: number },
  ): Promise<{ entries: QuarantineEntry[]; next: string | undefined }>;
  get(mailboxId: string, key: string): Promise<QuarantineEntry | undefined>;
  /** The entries that are not stored yet; one request each. */
  missing(mailboxId: string, entries: readonly NewEntry[]): Promise<NewEntry[]>;
  put(mailboxId: string, entries: readonly NewEntry[]): Promise<void>;
  /** Records how an entry was handled. The last write wins. */
  markHandled(entry: QuarantineEntry, handled: Handled): Promise<void>;
  /** Open entries of all mailboxes, newest first; one request. */
  open(limit: number): Promise<OpenEntry[]>;
}

export interface NewEntry extends Omit<QuarantineEntry, 'key' | 'mailboxId' | 'handled'> {
  contentKey: string;
  /** The place of the email, so that two copies of an email are two entries. */
  place: string;
}

const MAX_CHANGES = 100;
const AT_ONCE = 8;

const entryKey = ({ at, contentKey, place }: Pick<NewEntry, 'at' | 'contentKey' | 'place'>): string =>
  `${invertedTime(at)}|${contentKey}|${place.replaceAll('|', '-')}`;

/**
 * Unimported and skipped email in the table `Quarantine`. Every method
 * throws PostroomError if storage is unavailable.
 */
export function createQuarantineStore({ tables }: { tables: Tables }): QuarantineStore {
  const table = tables.open('Quarantine');
  const records = openRecords(tables, quarantineKind);
  const openEntries = openRecords(tables, openEntryKind);
  // Row keys start with the inverted time and end with the place, which includes its folder: they sort across
  // all mailboxes, and no two mailboxes share one.
  const pageOfAll: QuarantineStore['pageOfAll'] = async (mailboxIds, range) => {
    const page = await records.page(mailboxIds, range);
    return { entries: page.records, next: page.next };
  };
  return {
    pageOfAll,
    page: (mailboxId, range) => pageOfAll([mailboxId], range),
    get: async (mailboxId, key) => (await records.get(mailboxId, key))?.record,
    async missing(mailboxId, entries) {
      const existing = await mapLimited(entries, AT_ONCE, (entry) => table.get(mailboxId, entryKey(entry)));
      return entries.filter((_, index) => existing[index] === undefined);
    },
    async put(mailboxId, entries) {
      const keyed = entries.map((entry) => ({ ...entry, mailboxId, key: entryKey(entry) }));
      // Written first, so that an alert may count an entry before it is readable, but never misses one.
      await putAll(
        tables.open('MailboxState'),
        keyed.filter(({ kind }) => kind === 'quarantined').map((entry) => openEntryKind.toRow(entry)),
      );
      await putAll(
        table,
        keyed.map((entry) => quarantineKind.toRow(entry)),
      );
    },
    async markHandled(entry, handled) {
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
