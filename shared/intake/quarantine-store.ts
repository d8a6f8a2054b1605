import { mapLimited } from '../platform/concurrency.ts';
import { invertedTime } from '../platform/inverted-time.ts';
import { openRecords } from '../platform/open-records.ts';
import type { Tables } from '../platform/tables.ts';
import { type QuarantineEntry, quarantineKind } from './quarantine-records.ts';

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

const entryKey = ({ at, contentKey, place }: Pick<NewEntry, 'at' | 'contentKey' | 'place'>): string =>
  `${invertedTime(at)}|${contentKey}|${place.replaceAll('|', '-')}`;

/** Quarantine and skipped mail on the table of that name. Every method throws PostroomError where storage is away. */
export function createQuarantineStore({ tables }: { tables: Tables }): QuarantineStore {
  const table = tables.open('Quarantine');
  const records = openRecords(tables, quarantineKind);
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
      const rows = entries.map((entry) =>
        quarantineKind.toRow({ ...entry, mailboxId, key: entryKey(entry) }),
      );
      for (let start = 0; start < rows.length; start += MAX_CHANGES)
        await table.commit(
          mailboxId,
          rows.slice(start, start + MAX_CHANGES).map((row) => ({ kind: 'put', row })),
        );
    },
  };
}
