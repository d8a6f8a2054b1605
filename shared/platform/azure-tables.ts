import type { TableClient, TableEntityResult, TransactionAction } from '@azure/data-tables';
import type { StorageSettings } from './config.ts';
import { appCredential } from './credential.ts';
import { type Deadline, retryOnce, withDeadline } from './deadline.ts';
import { PostroomError } from './errors.ts';
import { assertRowFits } from './row-limits.ts';
import { field, isRefusedForGood, statusOf } from './sdk-error.ts';
import type { Seam } from './seam.ts';
import type { Change, Committed, Refusal, Row, RowRange, Table, TableName, Tables, Value } from './tables.ts';

const PAGE = 1000;

/** Table Storage, by connection string locally and by managed identity in Azure. The SDK is loaded at the first call. */
export function azureTables(settings: StorageSettings, seam: Seam): Tables {
  const open = new Map<TableName, Table>();
  return {
    open(name) {
      const known = open.get(name);
      if (known !== undefined) return known;
      const table = new AzureTable(name, settings, seam);
      open.set(name, table);
      return table;
    },
  };
}

type Effect<T> = (client: TableClient, deadline: Deadline) => Promise<T>;

class AzureTable implements Table {
  readonly #name: TableName;
  readonly #settings: StorageSettings;
  readonly #seam: Seam;
  #client: Promise<TableClient> | undefined;

  constructor(name: TableName, settings: StorageSettings, seam: Seam) {
    this.#name = name;
    this.#settings = settings;
    this.#seam = seam;
  }

  get(partitionKey: string, rowKey: string): Promise<Row | undefined> {
    return this.#read('get', async (client, { signal: abortSignal }) => {
      try {
        return toRow(await client.getEntity<Record<string, Value>>(partitionKey, rowKey, { abortSignal }));
      } catch (error) {
        if (statusOf(error) === 404 && codeOf(error) !== 'TableNotFound') return undefined;
        throw error;
      }
    });
  }

  writtenAt(partitionKey: string, rowKey: string): Promise<string | undefined> {
    return this.#read('get', async (client, { signal: abortSignal }) => {
      try {
        const queryOptions = { select: ['Timestamp'] };
        const { timestamp } = await client.getEntity(partitionKey, rowKey, { abortSignal, queryOptions });
        return timestamp;
      } catch (error) {
        if (statusOf(error) === 404 && codeOf(error) !== 'TableNotFound') return undefined;
        throw error;
      }
    });
  }

  list(partitionKey: string, range: RowRange = {}): Promise<Row[]> {
    const limit = Math.min(range.limit ?? PAGE, PAGE);
    return this.#read('list', async (client, { signal: abortSignal, progress }) => {
      const rows: Row[] = [];
      const entities = client.listEntities<Record<string, Value>>({
        queryOptions: { filter: filterOf(partitionKey, range) },
        abortSignal,
      });
      for await (const page of entities.byPage({ maxPageSize: limit })) {
        progress();
        for (const entity of page) if (rows.length < limit) rows.push(toRow(entity));
        if (rows.length >= limit) break;
      }
      return rows;
    });
  }

  async commit(partitionKey: string, changes: readonly Change[]): Promise<Committed> {
    for (const change of changes) if (change.kind !== 'remove') assertRowFits(change.row);
    const [only] = changes;
    if (only === undefined) return { ok: true, etags: [] };
    return this.#write('commit', async (client, { signal: abortSignal }) => {
      const options = { abortSignal };
      try {
        if (changes.length === 1)
          return { ok: true, etags: [await commitOne(client, partitionKey, only, options)] };
        const response = await client.submitTransaction(
          changes.map((change) => actionOf(partitionKey, change)),
          options,
        );
        return { ok: true, etags: response.subResponses.map((part) => part.etag) };
      } catch (error) {
        const refusal = refusalOf(error);
        if (refusal === undefined) throw error;
        if (refusal === 'missing' && changes.length === 1 && only.kind === 'remove')
          return { ok: true, etags: [] };
        return { ok: false, index: failingIndexOf(error), refusal };
      }
    });
  }

  #read<T>(operation: string, effect: Effect<T>): Promise<T> {
    return this.#call(operation, (client) => retryOnce((deadline) => effect(client, deadline)));
  }

  /**
   * Writes are never retried here. If a write gets no response, the caller finds out whether it was
   * applied.
   */
  #write<T>(operation: string, effect: Effect<T>): Promise<T> {
    return this.#call(operation, (client) => withDeadline((deadline) => effect(client, deadline)));
  }

  /** Creates the table on demand where the infrastructure has not: on a developer's machine. */
  async #call<T>(operation: string, effect: (client: TableClient) => Promise<T>): Promise<T> {
    this.#client ??= connect(this.#name, this.#settings);
    const client = await this.#client;
    return this.#seam.call(`table.${this.#name}.${operation}`, async () => {
      try {
        return await effect(client);
      } catch (error) {
        if (codeOf(error) !== 'TableNotFound') throw failure(this.#name, operation, error);
        await withDeadline(({ signal: abortSignal }) => client.createTable({ abortSignal }));
        return effect(client);
      }
    });
  }
}

async function connect(name: string, settings: StorageSettings): Promise<TableClient> {
  const { TableClient } = await import('@azure/data-tables');
  if (settings.kind === 'connection-string')
    return TableClient.fromConnectionString(settings.connectionString, name, {
      allowInsecureConnection: true,
    });
  return new TableClient(settings.tables, name, await appCredential(settings.clientId));
}

async function commitOne(
  client: TableClient,
  partitionKey: string,
  change: Change,
  options: { abortSignal: AbortSignal },
): Promise<string | undefined> {
  switch (change.kind) {
    case 'insert':
      return (await client.createEntity(entityOf(change.row), options)).etag;
    case 'replace':
      return (await client.updateEntity(entityOf(change.row), 'Replace', { ...options, etag: change.etag }))
        .etag;
    case 'put':
      return (await client.upsertEntity(entityOf(change.row), 'Replace', options)).etag;
    case 'remove':
      await client.deleteEntity(partitionKey, change.rowKey, { ...options, etag: change.etag ?? '*' });
      return undefined;
  }
}

function actionOf(partitionKey: string, change: Change): TransactionAction {
  switch (change.kind) {
    case 'insert':
      return ['create', entityOf(change.row)];
    case 'replace':
      return ['update', entityOf(change.row), 'Replace', { etag: change.etag }];
    case 'put':
      return ['upsert', entityOf(change.row), 'Replace'];
    case 'remove':
      return ['delete', { partitionKey, rowKey: change.rowKey }];
  }
}

function entityOf(row: Row): { partitionKey: string; rowKey: string } & Record<string, Value> {
  const entity: { partitionKey: string; rowKey: string } & Record<string, Value> = {
    partitionKey: row.partitionKey,
    rowKey: row.rowKey,
  };
  for (const [name, value] of Object.entries(row))
    if (name !== 'etag' && value !== undefined) entity[name] = value;
  return entity;
}

function toRow(entity: TableEntityResult<Record<string, Value>>): Row {
  const row: Record<string, Value | undefined> = {};
  for (const [name, value] of Object.entries(entity)) {
    if (name === 'odata.metadata' || name === 'timestamp') continue;
    row[name] = value;
  }
  return { ...row, partitionKey: entity.partitionKey ?? '', rowKey: entity.rowKey ?? '', etag: entity.etag };
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

function filterOf(partitionKey: string, { from, to, after }: RowRange): string {
  const parts = [`PartitionKey eq ${quoted(partitionKey)}`];
  if (after !== undefined) parts.push(`RowKey gt ${quoted(after)}`);
  else if (from !== undefined) parts.push(`RowKey ge ${quoted(from)}`);
  if (to !== undefined) parts.push(`RowKey lt ${quoted(to)}`);
  return parts.join(' and ');
}

/** Single operations put the service's code in `details.odataError.code`, transactions in `code`. */
function codeOf(error: unknown): string | undefined {
  const single = field(field(field(error, 'details'), 'odataError'), 'code');
  const code = typeof single === 'string' ? single : field(error, 'code');
  return typeof code === 'string' ? code : undefined;
}

function refusalOf(error: unknown): Refusal | undefined {
  const code = codeOf(error);
  if (code === 'TableNotFound') return undefined;
  if (code === 'EntityAlreadyExists') return 'exists';
  const status = statusOf(error);
  if (status === 409) return code === 'TableAlreadyExists' ? undefined : 'exists';
  if (status === 412) return 'changed';
  if (status === 404) return 'missing';
  return undefined;
}

/**
 * A rejected transaction puts the index of the failing change before its message: `1:The specified entity
 * already exists.`
 */
function failingIndexOf(error: unknown): number {
  const index = error instanceof Error ? /^\s*(\d+):/.exec(error.message)?.[1] : undefined;
  return index === undefined ? 0 : Number(index);
}

function failure(table: string, operation: string, error: unknown): PostroomError {
  const status = statusOf(error);
  const refused = operation === 'commit' && isRefusedForGood(error, codeOf(error));
  return new PostroomError(
    refused ? 'row-refused' : 'table-storage',
    `Table Storage did not ${operation} in ${table}${status === undefined ? '' : ` (status ${status}, ${codeOf(error) ?? 'no code'})`}`,
    { cause: error },
  );
}
