import { readFile, writeFile } from 'node:fs/promises';
import { deserialize, serialize } from 'node:v8';
import type { Blobs } from '../../shared/platform/blobs.ts';
import type { Change, RowRange, TableName, Tables } from '../../shared/platform/tables.ts';

/** One call of the storage ports with all it carries. */
export type StorageCall =
  | { kind: 'get'; table: TableName; partitionKey: string; rowKey: string }
  | { kind: 'list'; table: TableName; partitionKey: string; range: RowRange }
  | { kind: 'commit'; table: TableName; partitionKey: string; changes: readonly Change[]; refused: boolean }
  | { kind: 'putOnce'; name: string; bytes: Uint8Array }
  | { kind: 'read'; name: string }
  | { kind: 'lease'; name: string; seconds: number };

/** The same storage, which writes down what it is asked, in the order of asking. */
export function recording(
  { tables, blobs }: { tables: Tables; blobs: Blobs },
  calls: StorageCall[],
): { tables: Tables; blobs: Blobs } {
  return {
    tables: {
      open(table) {
        const inner = tables.open(table);
        return {
          get(partitionKey, rowKey) {
            calls.push({ kind: 'get', table, partitionKey, rowKey });
            return inner.get(partitionKey, rowKey);
          },
          list(partitionKey, range = {}) {
            calls.push({ kind: 'list', table, partitionKey, range });
            return inner.list(partitionKey, range);
          },
          async commit(partitionKey, changes) {
            const call = { kind: 'commit' as const, table, partitionKey, changes, refused: false };
            if (changes.length > 0) calls.push(call);
            const committed = await inner.commit(partitionKey, changes);
            call.refused = !committed.ok;
            return committed;
          },
        };
      },
    },
    blobs: {
      putOnce(name, bytes) {
        if (!(bytes instanceof Uint8Array)) throw new Error('Streams are not part of the measured mix.');
        calls.push({ kind: 'putOnce', name, bytes });
        return blobs.putOnce(name, bytes);
      },
      read(name) {
        calls.push({ kind: 'read', name });
        return blobs.read(name);
      },
      stream() {
        throw new Error('Streams are not part of the measured mix.');
      },
      lease(name, seconds) {
        calls.push({ kind: 'lease', name, seconds });
        return blobs.lease(name, seconds);
      },
    },
  };
}

export async function saveCalls(file: string, calls: readonly StorageCall[]): Promise<void> {
  await writeFile(file, serialize(calls));
}

export async function savedCalls(file: string): Promise<StorageCall[]> {
  return deserialize(await readFile(file)) as StorageCall[];
}

/**
 * The same calls under other keys, so that they find the storage as the recorded run found it. A `replace` names an
 * ETag of the recorded run and becomes a `put` of the same row; a lease is taken and given back at once.
 */
export function moved(call: StorageCall, mark: string): StorageCall {
  switch (call.kind) {
    case 'putOnce':
    case 'read':
    case 'lease':
      return { ...call, name: `${mark}/${call.name}` };
    case 'commit': {
      const partitionKey = `${mark}-${call.partitionKey}`;
      const changes = call.changes.map((change): Change => {
        if (change.kind === 'remove') return { kind: 'remove', rowKey: change.rowKey };
        return { kind: change.kind === 'insert' ? 'insert' : 'put', row: { ...change.row, partitionKey } };
      });
      return { ...call, partitionKey, changes };
    }
    default:
      return { ...call, partitionKey: `${mark}-${call.partitionKey}` };
  }
}

/**
 * Runs the calls in their order, `atOnce` at a time.
 * @returns how many were refused that were not when they were recorded, or the other way round
 */
export async function replayCalls(
  { tables, blobs }: { tables: Tables; blobs: Blobs },
  calls: readonly StorageCall[],
  atOnce: number,
): Promise<number> {
  let next = 0;
  let odd = 0;
  const lane = async (): Promise<void> => {
    for (let call = calls[next++]; call !== undefined; call = calls[next++])
      if (!(await runsAsRecorded(tables, blobs, call))) odd += 1;
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return odd;
}

async function runsAsRecorded(tables: Tables, blobs: Blobs, call: StorageCall): Promise<boolean> {
  switch (call.kind) {
    case 'get':
      await tables.open(call.table).get(call.partitionKey, call.rowKey);
      return true;
    case 'list':
      await tables.open(call.table).list(call.partitionKey, call.range);
      return true;
    case 'commit':
      return (await tables.open(call.table).commit(call.partitionKey, call.changes)).ok !== call.refused;
    case 'putOnce':
      return (await blobs.putOnce(call.name, call.bytes)) === 'stored';
    case 'read':
      await blobs.read(call.name);
      return true;
    case 'lease':
      await (await blobs.lease(call.name, call.seconds))?.release();
      return true;
  }
}
