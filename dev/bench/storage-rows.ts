import { createHmac } from 'node:crypto';

/** A row as Table Storage returns it, with the time of its last change. */
export type StoredRow = Readonly<Record<string, unknown>> & {
  readonly PartitionKey: string;
  readonly RowKey: string;
  /** ISO time. */
  readonly Timestamp: string;
};

/**
 * Reads the rows of a partition directly from the service and not through Postroom, which is under test. A
 * table that does not exist yet has none.
 * @param connectionString of Azurite
 * @throws Error when the service refuses
 */
export async function storedRows(
  connectionString: string,
  table: string,
  partitionKey: string,
): Promise<StoredRow[]> {
  const { endpoint, account, key } = partsOf(connectionString);
  const rows: StoredRow[] = [];
  const query = new URLSearchParams({ $filter: `PartitionKey eq '${partitionKey}'` });
  for (;;) {
    const date = new Date().toUTCString();
    // Authorize with Shared Key, "Shared Key Lite for Table service"; the account stands twice because the address of
    // the emulator holds it: https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
    const signed = `${date}\n/${account}${new URL(endpoint).pathname}/${table}()`;
    const signature = createHmac('sha256', Buffer.from(key, 'base64')).update(signed).digest('base64');
    const response = await fetch(`${endpoint}/${table}()?${query}`, {
      headers: {
        accept: 'application/json;odata=nometadata',
        authorization: `SharedKeyLite ${account}:${signature}`,
        'x-ms-date': date,
        'x-ms-version': '2020-12-06',
      },
    });
    if (response.status === 404) return rows;
    if (!response.ok) throw new Error(`The rows of ${table} cannot be read: status ${response.status}.`);
    rows.push(...((await response.json()) as { value: StoredRow[] }).value);
    const [nextPartition, nextRow] = ['partition', 'row'].map((name) =>
      response.headers.get(`x-ms-continuation-next${name}key`),
    );
    if (!nextPartition) return rows;
    query.set('NextPartitionKey', nextPartition);
    if (nextRow) query.set('NextRowKey', nextRow);
  }
}

function partsOf(connectionString: string): { endpoint: string; account: string; key: string } {
  const part = (name: string): string =>
    new RegExp(`(?:^|;)${name}=([^;]*)`).exec(connectionString)?.[1] ?? '';
  return { endpoint: part('TableEndpoint'), account: part('AccountName'), key: part('AccountKey') };
}
