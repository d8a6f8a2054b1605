import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

// The built app has each library in a separate chunk that is loaded on first use. The measurements load the
// libraries from there: the same code that the intake runs, and no second copy to maintain. The interfaces
// below have only what is measured.

export type Entity = Readonly<Record<string, unknown>> & { partitionKey: string; rowKey: string };

export interface TableClient {
  readonly tableName: string;
  /** Also when it exists. */
  createTable(): Promise<unknown>;
  createEntity(entity: Entity): Promise<unknown>;
  upsertEntity(entity: Entity, mode: string): Promise<unknown>;
  updateEntity(entity: Entity, mode: string, options: { etag: string }): Promise<unknown>;
  deleteEntity(partitionKey: string, rowKey: string): Promise<unknown>;
  getEntity(partitionKey: string, rowKey: string): Promise<unknown>;
  listEntities(options: { queryOptions: { filter: string } }): {
    byPage(settings: { maxPageSize: number }): AsyncIterableIterator<unknown>;
  };
  submitTransaction(actions: readonly TransactionAction[]): Promise<unknown>;
}

export type TransactionAction =
  | readonly ['create', Entity]
  | readonly ['upsert', Entity, string]
  | readonly ['update', Entity, string, { etag: string }]
  | readonly ['delete', Entity];

export interface BlobClient {
  readonly name: string;
  upload(bytes: Uint8Array | string, length: number, options: object): Promise<unknown>;
  downloadToBuffer(): Promise<Buffer>;
}

export interface ImapClient {
  connect(): Promise<void>;
  mailboxOpen(folder: string): Promise<unknown>;
  search(query: object, options: { uid: true }): Promise<number[] | false>;
  fetch(range: string, query: object, options: { uid: true }): AsyncIterable<{ source?: Uint8Array }>;
  logout(): Promise<void>;
  on(event: 'error', listener: () => void): void;
}

export interface BuiltSdks {
  TableClient: {
    prototype: TableClient;
    fromConnectionString(text: string, table: string, options: object): TableClient;
  };
  BlockBlobClient: { prototype: BlobClient };
  BlobServiceClient: {
    fromConnectionString(text: string): {
      getContainerClient(name: string): { getBlockBlobClient(name: string): BlobClient };
    };
  };
  ImapFlow: new (options: object) => ImapClient;
}

const NAMES = ['TableClient', 'BlobServiceClient', 'BlockBlobClient', 'ImapFlow'] as const;

/**
 * Finds the libraries in the chunks of a built app.
 * @param query appended to each chunk's URL: an app that the local core has loaded knows its chunks under
 * such a URL, and only an equal URL gives the same modules
 * @throws Error when no chunk has a library
 */
export async function builtSdks(appDir: string, query = ''): Promise<BuiltSdks> {
  const found: Record<string, unknown> = {};
  for (const file of await readdir(appDir)) {
    if (!/^c-.*\.mjs$/.test(file)) continue;
    const source = await readFile(join(appDir, file), 'utf8');
    if (!NAMES.some((name) => source.includes(name))) continue;
    const chunk: unknown = await import(pathToFileURL(join(appDir, file)).href + query);
    for (const name of NAMES) found[name] ??= member(chunk, name) ?? member(member(chunk, 'default'), name);
  }
  const missing = NAMES.filter((name) => typeof found[name] !== 'function');
  if (missing.length > 0) throw new Error(`The built app in ${appDir} holds no ${missing.join(', ')}.`);
  // Exports are found by name; the interfaces above state their shape.
  return found as unknown as BuiltSdks;
}

const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && name in value ? Reflect.get(value, name) : undefined;
