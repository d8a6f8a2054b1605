import { TableClient } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';

/** A row as stored; read directly and not through Postroom, which is under test. */
export type StoredRow = Readonly<Record<string, unknown>> & {
  readonly partitionKey: string;
  readonly rowKey: string;
};

/** Postroom's record of a message at a UID of a mail server. */
export interface Found {
  kind: 'message' | 'quarantined' | 'skipped';
  row: StoredRow;
  /** The content key of the product. */
  key: string;
}

export interface Records {
  rows(table: string): Promise<StoredRow[]>;
  blob(name: string): Promise<Buffer | undefined>;
  blobNames(): Promise<string[]>;
  /** All records, by UID; see `placeName`. */
  byPlace(): Promise<Map<string, Found[]>>;
  /** Removes pauses after failures and refusals, as if their time had passed. @returns how many there were */
  cutPauses(): Promise<number>;
  /** Breaks the leases of killed processes, as if they had expired. */
  breakLeases(mailboxIds: readonly string[]): Promise<void>;
}

/** The time from which nothing refused is retried early. */
const LONG_AGO = '2000-01-01T00:00:00.000Z';

/** One message position: a UID under a UIDVALIDITY of a mailbox's folder. */
export const placeName = (mailboxId: string, uidValidity: string | number, uid: number): string =>
  `${mailboxId}/${Number(uidValidity)}/${uid}`;

export function openRecords(connectionString: string): Records {
  const container = BlobServiceClient.fromConnectionString(connectionString).getContainerClient('postroom');
  const table = (name: string): TableClient =>
    TableClient.fromConnectionString(connectionString, name, { allowInsecureConnection: true });

  async function rows(name: string): Promise<StoredRow[]> {
    const all: StoredRow[] = [];
    try {
      for await (const entity of table(name).listEntities<Record<string, unknown>>())
        all.push({ ...entity, partitionKey: entity.partitionKey ?? '', rowKey: entity.rowKey ?? '' });
    } catch (error) {
      // The table does not exist until its first write.
      if (statusOf(error) !== 404) throw error;
    }
    return all;
  }

  return {
    rows,
    async blob(name) {
      try {
        return await container.getBlobClient(name).downloadToBuffer();
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        throw error;
      }
    },
    async blobNames() {
      const names: string[] = [];
      for await (const { name } of container.listBlobsFlat()) names.push(name);
      return names;
    },
    async byPlace() {
      const [tickets, quarantine] = await Promise.all([rows('Tickets'), rows('Quarantine')]);
      return placesOf(tickets, quarantine);
    },
    async cutPauses() {
      const all = await rows('MailboxState');
      const waiting = all.filter(({ rowKey }) => rowKey.endsWith('|health'));
      const refused = all.filter((row) => row.rowKey.endsWith('|cursor') && isRefused(row));
      for (const { partitionKey, rowKey } of waiting)
        await table('MailboxState')
          .deleteEntity(partitionKey, rowKey)
          .catch(() => undefined);
      for (const { partitionKey, rowKey, etag, refusal } of refused) {
        const due = JSON.stringify({ ...(JSON.parse(String(refusal)) as object), triedAt: LONG_AGO });
        await table('MailboxState')
          .updateEntity({ partitionKey, rowKey, refusal: due }, 'Merge', { etag: String(etag) })
          // The app was first.
          .catch(() => undefined);
      }
      return waiting.length + refused.length;
    },
    async breakLeases(mailboxIds) {
      for (const id of mailboxIds)
        await container
          .getBlobClient(`lease/${id}`)
          .getBlobLeaseClient()
          .breakLease(0)
          // Not leased, or never was.
          .catch(() => undefined);
    },
  };
}

/** Pure. */
export function placesOf(
  tickets: readonly StoredRow[],
  quarantine: readonly StoredRow[],
): Map<string, Found[]> {
  const places = new Map<string, Found[]>();
  const add = (place: string, found: Found): void => {
    places.set(place, [...(places.get(place) ?? []), found]);
  };
  for (const row of tickets) {
    if (!row.rowKey.startsWith('m|')) continue;
    // raw/<mailbox>/<folder key>-<UIDVALIDITY>-<UID>.eml; what follows the UID tells apart messages at one place.
    const [, mailbox = '', validity = '', uid = ''] =
      /^raw\/([^/]+)\/[0-9a-f]+-(\d+)-(\d+)\b/.exec(String(row['rawBlob'])) ?? [];
    add(placeName(mailbox, validity, Number(uid)), { kind: 'message', row, key: String(row['key']) });
  }
  for (const row of quarantine) {
    // <inverted time>|<content key>|at-<folder key>-<UIDVALIDITY>-<UID>
    const [, key = '', place = ''] = row.rowKey.split('|');
    const [, , validity = '', uid = ''] = place.split('-');
    const kind = row['kind'] === 'quarantined' ? 'quarantined' : 'skipped';
    add(placeName(row.partitionKey, validity, Number(uid)), { kind, row, key });
  }
  return places;
}

/**
 * A message that was in progress when its server was restored to a backup without it: it can't be
 * continued. The message now at its UID is checked on its own. Pure.
 * @param restoredFrom by mailbox ID: UIDs above these were assigned again
 */
export function isOfLostMessage(ledgerRow: StoredRow, restoredFrom: ReadonlyMap<string, number>): boolean {
  const [, , , uid = ''] = String(ledgerRow['place']).split('|');
  const { partitionKey, rowKey } = ledgerRow;
  const isOpen = rowKey.startsWith('mail|') && ledgerRow['state'] !== 'done';
  return isOpen && Number(uid) > (restoredFrom.get(partitionKey) ?? Number.POSITIVE_INFINITY);
}

const isRefused = ({ refusal }: StoredRow): boolean =>
  typeof refusal === 'string' && refusal !== '' && !refusal.includes(LONG_AGO);

const statusOf = (error: unknown): unknown =>
  error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
