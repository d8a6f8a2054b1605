import { Readable } from 'node:stream';
import type { BlockBlobClient, ContainerClient } from '@azure/storage-blob';
import type { Blobs, Lease } from './blobs.ts';
import type { StorageSettings } from './config.ts';
import { appCredential } from './credential.ts';
import { type Deadline, retryOnce, storageRetries, withDeadline } from './deadline.ts';
import { PostroomError } from './errors.ts';
import { field, isRefusedForGood, statusOf } from './sdk-error.ts';
import type { Seam } from './seam.ts';

/** The product's only container. The infrastructure templates create it under the same name. */
export const containerName = 'postroom';
const BLOCK = 4 * 1024 * 1024;

/** Blob Storage, by connection string locally and by managed identity in Azure. The SDK is loaded at the first call. */
export function azureBlobs(settings: StorageSettings, seam: Seam): Blobs {
  let container: Promise<ContainerClient> | undefined;

  async function call<T>(operation: string, effect: (container: ContainerClient) => Promise<T>): Promise<T> {
    container ??= connect(settings);
    const client = await container;
    return seam.call(`blob.${operation}`, async () => {
      try {
        return await effect(client);
      } catch (error) {
        if (codeOf(error) !== 'ContainerNotFound') throw failure(operation, error);
        await withDeadline(({ signal: abortSignal }) => client.createIfNotExists({ abortSignal }));
        return effect(client);
      }
    });
  }

  return {
    putOnce: (name, bytes) =>
      call('putOnce', async (client) => {
        try {
          await upload(client.getBlockBlobClient(name), bytes);
          return 'stored';
        } catch (error) {
          // The SDK retries a write whose response was lost, so "exists" may refer to the bytes we just
          // wrote. Either way the blob is correct: its name identifies its content.
          if (isThere(error)) return 'exists';
          throw error;
        }
      }),
    read: (name) =>
      call('read', async (client) => {
        try {
          return await download(client.getBlockBlobClient(name));
        } catch (error) {
          if (statusOf(error) === 404 && codeOf(error) !== 'ContainerNotFound') return undefined;
          throw error;
        }
      }),
    stream: (name) =>
      call('stream', async (client) => {
        const blob = client.getBlockBlobClient(name);
        try {
          const { contentLength = 0 } = await retryOnce(({ signal: abortSignal }) =>
            blob.getProperties({ abortSignal }),
          );
          return pieces(blob, contentLength, seam);
        } catch (error) {
          if (statusOf(error) === 404) return undefined;
          throw error;
        }
      }),
    remove: (name) =>
      call('remove', async (client) => {
        await retryOnce(({ signal: abortSignal }) =>
          client.getBlockBlobClient(name).deleteIfExists({ abortSignal }),
        );
      }),
    lease: (name, seconds) => call('lease', (client) => take(client.getBlockBlobClient(name), seconds, seam)),
  };
}

async function connect(settings: StorageSettings): Promise<ContainerClient> {
  const { BlobServiceClient } = await import('@azure/storage-blob');
  const options = { retryOptions: storageRetries };
  const service =
    settings.kind === 'connection-string'
      ? BlobServiceClient.fromConnectionString(settings.connectionString, options)
      : new BlobServiceClient(settings.blobs, await appCredential(settings.clientId), options);
  return service.getContainerClient(containerName);
}

async function upload(blob: BlockBlobClient, bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
  const conditions = { ifNoneMatch: '*' };
  if (bytes instanceof Uint8Array) {
    await withDeadline(
      ({ signal: abortSignal }) => blob.upload(bytes, bytes.byteLength, { conditions, abortSignal }),
      bytes.byteLength,
    );
    return;
  }
  await withDeadline(async (deadline) => {
    const { signal: abortSignal, progress: onProgress } = deadline;
    const source = Readable.from(fed(bytes, deadline), { objectMode: false });
    try {
      await blob.uploadStream(source, BLOCK, 2, { conditions, abortSignal, onProgress });
    } finally {
      source.destroy();
    }
  }, 2 * BLOCK);
}

/** Time spent waiting for a slow mail server does not count against the storage deadline. */
async function* fed(bytes: AsyncIterable<Uint8Array>, deadline: Deadline): AsyncGenerator<Uint8Array> {
  const source = bytes[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await deadline.except(source.next());
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await source.return?.();
  }
}

const download = (blob: BlockBlobClient, offset = 0, length?: number): Promise<Buffer> =>
  withDeadline(
    ({ signal: abortSignal, progress: onProgress }) =>
      blob.downloadToBuffer(offset, length, { abortSignal, onProgress }),
    BLOCK,
  );

async function* pieces(blob: BlockBlobClient, length: number, seam: Seam): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < length; offset += BLOCK)
    yield await seam.call('blob.piece', async () => {
      try {
        return await download(blob, offset, Math.min(BLOCK, length - offset));
      } catch (error) {
        throw failure('piece', error);
      }
    });
}

async function take(blob: BlockBlobClient, seconds: number, seam: Seam): Promise<Lease | undefined> {
  const lease = blob.getBlobLeaseClient();
  try {
    await withDeadline(({ signal: abortSignal }) => lease.acquireLease(seconds, { abortSignal }));
  } catch (error) {
    if (statusOf(error) === 404 && codeOf(error) !== 'ContainerNotFound') {
      await upload(blob, new Uint8Array()).catch((reason: unknown) => {
        // A blob with an active lease also exists.
        if (statusOf(reason) !== 409 && statusOf(reason) !== 412) throw reason;
      });
      return take(blob, seconds, seam);
    }
    if (statusOf(error) === 409) return undefined;
    throw error;
  }
  return {
    renew: () =>
      seam.call('blob.renew', async () => {
        try {
          await withDeadline(({ signal: abortSignal }) => lease.renewLease({ abortSignal }));
          return true;
        } catch (error) {
          if (statusOf(error) === 409 || statusOf(error) === 412 || statusOf(error) === 404) return false;
          throw failure('renew', error);
        }
      }),
    release: () =>
      seam.call('blob.release', async () => {
        try {
          await withDeadline(({ signal: abortSignal }) => lease.releaseLease({ abortSignal }));
        } catch (error) {
          if (statusOf(error) !== 409 && statusOf(error) !== 412 && statusOf(error) !== 404)
            throw failure('release', error);
        }
      }),
  };
}

/**
 * True when the precondition "does not exist yet" failed. Other 409 responses (a container being deleted, a
 * concurrent upload) do not show that the blob exists:
 * https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
 */
const isThere = (error: unknown): boolean =>
  statusOf(error) === 412 || (statusOf(error) === 409 && codeOf(error) === 'BlobAlreadyExists');

function codeOf(error: unknown): string | undefined {
  const code = field(error, 'code') ?? field(field(error, 'details'), 'errorCode');
  return typeof code === 'string' ? code : undefined;
}

function failure(operation: string, error: unknown): PostroomError {
  const status = statusOf(error);
  const refused = operation === 'putOnce' && isRefusedForGood(error, codeOf(error));
  return new PostroomError(
    refused ? 'blob-refused' : 'blob-storage',
    `Blob Storage did not ${operation}${status === undefined ? '' : ` (status ${status}, ${codeOf(error) ?? 'no code'})`}`,
    { cause: error },
  );
}
