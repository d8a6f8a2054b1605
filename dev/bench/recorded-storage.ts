import { readFile, writeFile } from 'node:fs/promises';
import { deserialize, serialize } from 'node:v8';
import type { BlobClient, BuiltSdks, Entity, TableClient, TransactionAction } from './built-sdks.ts';

/**
 * One call of the storage libraries with its arguments. `failed`: it was refused, or its target does not
 * exist.
 */
export type StorageCall = { failed: boolean } & (
  | { kind: 'create' | 'upsert'; table: string; entity: Entity }
  | { kind: 'delete' | 'get'; table: string; partitionKey: string; rowKey: string }
  | { kind: 'list'; table: string; filter: string }
  | { kind: 'transaction'; table: string; actions: readonly TransactionAction[] }
  | { kind: 'upload'; name: string; bytes: Uint8Array }
);

/**
 * Records the calls to these libraries in their order from now on. Excludes the four requests of the lease
 * that a whole fetch shares.
 */
export function recordCalls({ TableClient, BlockBlobClient }: BuiltSdks, calls: StorageCall[]): void {
  const table = TableClient.prototype;
  const {
    createEntity,
    upsertEntity,
    updateEntity,
    deleteEntity,
    getEntity,
    listEntities,
    submitTransaction,
  } = table;
  // The library splits a transaction and calls itself for each action, all before its first await.
  let takingApart = false;
  async function noted<T>(call: StorageCall, effect: () => Promise<T>): Promise<T> {
    if (!takingApart) calls.push(call);
    try {
      return await effect();
    } catch (error) {
      call.failed = true;
      throw error;
    }
  }
  const failed = false;
  // `rest`: arguments that the call needs and the recording does not: an ETag, internal options of the
  // library.
  Object.assign(table, {
    createEntity(this: TableClient, entity: Entity, ...rest: []) {
      const call = { failed, kind: 'create' as const, table: this.tableName, entity };
      return noted(call, () => createEntity.call(this, entity, ...rest));
    },
    upsertEntity(this: TableClient, entity: Entity, mode: string, ...rest: []) {
      const call = { failed, kind: 'upsert' as const, table: this.tableName, entity };
      return noted(call, () => upsertEntity.call(this, entity, mode, ...rest));
    },
    updateEntity(this: TableClient, entity: Entity, mode: string, options: { etag: string }) {
      const call = { failed, kind: 'upsert' as const, table: this.tableName, entity };
      return noted(call, () => updateEntity.call(this, entity, mode, options));
    },
    deleteEntity(this: TableClient, partitionKey: string, rowKey: string, ...rest: []) {
      const call = { failed, kind: 'delete' as const, table: this.tableName, partitionKey, rowKey };
      return noted(call, () => deleteEntity.call(this, partitionKey, rowKey, ...rest));
    },
    getEntity(this: TableClient, partitionKey: string, rowKey: string, ...rest: []) {
      const call = { failed, kind: 'get' as const, table: this.tableName, partitionKey, rowKey };
      return noted(call, () => getEntity.call(this, partitionKey, rowKey, ...rest));
    },
    listEntities(this: TableClient, options: { queryOptions: { filter: string } }) {
      calls.push({ failed, kind: 'list', table: this.tableName, filter: options.queryOptions.filter });
      return listEntities.call(this, options);
    },
    submitTransaction(this: TableClient, actions: readonly TransactionAction[]) {
      const call = { failed, kind: 'transaction' as const, table: this.tableName, actions };
      return noted(call, () => {
        takingApart = true;
        try {
          return submitTransaction.call(this, actions);
        } finally {
          takingApart = false;
        }
      });
    },
  });
  const blob = BlockBlobClient.prototype;
  const { upload } = blob;
  Object.assign(blob, {
    upload(this: BlobClient, bytes: Uint8Array | string, length: number, options: object) {
      if (typeof bytes === 'string') return upload.call(this, bytes, length, options);
      const call = { failed, kind: 'upload' as const, name: this.name, bytes };
      return noted(call, () => upload.call(this, bytes, length, options));
    },
  });
}

export async function saveCalls(file: string, calls: readonly StorageCall[]): Promise<void> {
  await writeFile(file, serialize(calls));
}

export async function savedCalls(file: string): Promise<StorageCall[]> {
  return deserialize(await readFile(file)) as StorageCall[];
}

/**
 * The same call with other keys, so that it finds storage as the recorded run did. A call with an ETag of
 * the recorded run writes the same row without one.
 */
export function moved(call: StorageCall, mark: string): StorageCall {
  const partition = (key: string): string => `${mark}-${key}`;
  const entityOf = (entity: Entity): Entity => ({ ...entity, partitionKey: partition(entity.partitionKey) });
  switch (call.kind) {
    case 'create':
    case 'upsert':
      return { ...call, entity: entityOf(call.entity) };
    case 'delete':
    case 'get':
      return { ...call, partitionKey: partition(call.partitionKey) };
    case 'list':
      return { ...call, filter: call.filter.replace("PartitionKey eq '", `PartitionKey eq '${mark}-`) };
    case 'transaction':
      return {
        ...call,
        actions: call.actions.map(([kind, entity]): TransactionAction => {
          if (kind === 'create' || kind === 'delete') return [kind, entityOf(entity)];
          return ['upsert', entityOf(entity), 'Replace'];
        }),
      };
    case 'upload':
      return { ...call, name: `${mark}/${call.name}` };
  }
}

/**
 * Runs the calls in their order, `atOnce` at a time.
 * @returns the calls whose success differs from the recording
 */
export async function replayCalls(
  run: (call: StorageCall) => Promise<unknown>,
  calls: readonly StorageCall[],
  atOnce: number,
): Promise<string[]> {
  let next = 0;
  const odd: string[] = [];
  const lane = async (): Promise<void> => {
    for (let call = calls[next++]; call !== undefined; call = calls[next++]) {
      const failed = await run(call).then(
        () => false,
        () => true,
      );
      if (failed !== call.failed) odd.push(`${call.kind} ${'table' in call ? call.table : 'blob'}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return odd;
}

/** Runs a call with the libraries, with one client per table and one container, as the product does. */
export function callRunner(
  sdks: BuiltSdks,
  connectionString: string,
): (call: StorageCall) => Promise<unknown> {
  const tables = new Map<string, TableClient>();
  const container =
    sdks.BlobServiceClient.fromConnectionString(connectionString).getContainerClient('postroom');
  const tableOf = (name: string): TableClient => {
    const known = tables.get(name);
    if (known !== undefined) return known;
    const made = sdks.TableClient.fromConnectionString(connectionString, name, {
      allowInsecureConnection: true,
    });
    tables.set(name, made);
    return made;
  };
  return (call) => {
    switch (call.kind) {
      case 'create':
        return tableOf(call.table).createEntity(call.entity);
      case 'upsert':
        return tableOf(call.table).upsertEntity(call.entity, 'Replace');
      case 'delete':
        return tableOf(call.table).deleteEntity(call.partitionKey, call.rowKey);
      case 'get':
        return tableOf(call.table).getEntity(call.partitionKey, call.rowKey);
      case 'list':
        return tableOf(call.table)
          .listEntities({ queryOptions: { filter: call.filter } })
          .byPage({ maxPageSize: 1000 })
          .next();
      case 'transaction':
        return tableOf(call.table).submitTransaction(call.actions);
      case 'upload': {
        const findings = { ifNoneMatch: '*' };
        const blob = container.getBlockBlobClient(call.name);
        return blob.upload(call.bytes, call.bytes.byteLength, { findings });
      }
    }
  };
}
