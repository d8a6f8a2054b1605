import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type RunningAzurite, startAzurite } from '../../dev/emulators/storage/azurite.ts';
import { azureBlobs } from '../../shared/platform/azure-blobs.ts';
import type { Blobs } from '../../shared/platform/blobs.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { MemoryBlobs } from '../harness/memory/memory-blobs.ts';

const MB = 1024 * 1024;
let azurite: RunningAzurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

const kinds: [string, () => Blobs][] = [
  ['in memory', () => new MemoryBlobs(openSeam)],
  [
    'in Azurite',
    () => azureBlobs({ kind: 'connection-string', connectionString: azurite.connectionString }, openSeam),
  ],
];

const bytesOf = (text: string): Uint8Array => Buffer.from(text);
const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.byteLength; start += size) yield bytes.subarray(start, start + size);
}

describe.each(kinds)('blobs %s', (_kind, makeBlobs) => {
  let blobs: Blobs;
  let name: string;
  const readBlobText = async (blob: string): Promise<string | undefined> => {
    const bytes = await blobs.read(blob);
    return bytes === undefined ? undefined : Buffer.from(bytes).toString();
  };

  beforeEach(() => {
    blobs = makeBlobs();
    name = `raw/${randomUUID()}/1-1.eml`;
  });

  test('give back the bytes that were put', async () => {
    const bytes = randomBytes(70_000);
    expect(await blobs.putOnce(name, bytes)).toBe('stored');
    const read = await blobs.read(name);
    expect(read && digest(read)).toBe(digest(bytes));
  });

  test('are gone after they were removed, and a missing one counts as removed', async () => {
    await blobs.remove(name);
    await blobs.putOnce(name, bytesOf('first'));
    await blobs.remove(name);
    await blobs.remove(name);
    expect(await readBlobText(name)).toBeUndefined();
    expect(await blobs.putOnce(name, bytesOf('second'))).toBe('stored');
    expect(await readBlobText(name)).toBe('second');
  });

  test('keep the first content of a name', async () => {
    expect(await blobs.putOnce(name, bytesOf('first'))).toBe('stored');
    expect(await blobs.putOnce(name, bytesOf('second'))).toBe('exists');
    expect(await blobs.putOnce(name, inChunks(bytesOf('third'), 2))).toBe('exists');
    expect(await readBlobText(name)).toBe('first');
  });

  test('let one of several concurrent writers win, and tell only that one', async () => {
    const answers = await Promise.all(
      Array.from({ length: 5 }, (_, index) => blobs.putOnce(name, bytesOf(`writer ${index}`))),
    );
    expect(answers.filter((answer) => answer === 'stored')).toHaveLength(1);
    expect(await readBlobText(name)).toBe(`writer ${answers.indexOf('stored')}`);
  });

  test('are not affected when the caller reuses the buffer', async () => {
    const bytes = Buffer.from('before');
    await blobs.putOnce(name, bytes);
    bytes.fill('x');
    expect(await readBlobText(name)).toBe('before');
  });

  test('return undefined for an unknown name', async () => {
    expect(await blobs.read(name)).toBeUndefined();
    expect(await blobs.stream(name)).toBeUndefined();
  });

  test('store an empty blob', async () => {
    expect(await blobs.putOnce(name, new Uint8Array(0))).toBe('stored');
    expect(await blobs.putOnce(name, bytesOf('late'))).toBe('exists');
    expect(await readBlobText(name)).toBe('');
    const stream = await blobs.stream(name);
    expect(stream && Buffer.concat(await Array.fromAsync(stream))).toHaveLength(0);
  });

  test('store a stream of several blocks and return it in chunks of at most 4 MB', async () => {
    const bytes = randomBytes(9 * MB + 17);
    expect(await blobs.putOnce(name, inChunks(bytes, 300_000))).toBe('stored');
    const pieces = await Array.fromAsync((await blobs.stream(name)) ?? []);
    expect(Math.max(...pieces.map(({ byteLength }) => byteLength))).toBeLessThanOrEqual(4 * MB);
    expect(digest(Buffer.concat(pieces))).toBe(digest(bytes));
  });

  test('store nothing of a stream that failed', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield randomBytes(5 * MB);
      throw new Error('the mail server went away');
    }
    await expect(blobs.putOnce(name, broken())).rejects.toThrow();
    expect(await blobs.read(name)).toBeUndefined();
    // By a stream again, as the same mail is: a put in one piece is refused by Azurite (not by the service) over blocks
    // that were never committed.
    expect(await blobs.putOnce(name, inChunks(bytesOf('again'), 2))).toBe('stored');
    expect(await readBlobText(name)).toBe('again');
  });

  describe('a lease', () => {
    test('has one owner at a time', async () => {
      const first = await blobs.lease(name, 15);
      expect(first).toBeDefined();
      expect(await blobs.lease(name, 15)).toBeUndefined();
      expect(await blobs.lease(`${name}.other`, 15)).toBeDefined();
      expect(await first?.renew()).toBe(true);
      await first?.release();
      expect(await blobs.lease(name, 15)).toBeDefined();
    });

    test('cannot be renewed once another owner has it, and releasing it then has no effect', async () => {
      const first = await blobs.lease(name, 15);
      await first?.release();
      const second = await blobs.lease(name, 15);
      expect(await first?.renew()).toBe(false);
      await first?.release();
      expect(await second?.renew()).toBe(true);
      expect(await blobs.lease(name, 15)).toBeUndefined();
    });

    test('goes to one of several concurrent requests', async () => {
      const leases = await Promise.all(Array.from({ length: 5 }, () => blobs.lease(name, 15)));
      expect(leases.filter((lease) => lease !== undefined)).toHaveLength(1);
    });
  });
});

describe('a lease in memory', () => {
  test('expires when it is not renewed in time', async () => {
    let now = 0;
    const blobs = new MemoryBlobs({ ...openSeam, now: () => now });
    const first = await blobs.lease('lease', 15);
    now = 14_000;
    expect(await first?.renew()).toBe(true);
    now = 28_000;
    expect(await blobs.lease('lease', 15)).toBeUndefined();
    now = 29_000;
    expect(await blobs.lease('lease', 15)).toBeDefined();
    expect(await first?.renew()).toBe(false);
  });
});

describe('Blob Storage that refuses a write', () => {
  /** A service that answers every request alike. */
  async function refusing(status: number, code: string): Promise<Blobs> {
    const server = createServer((request, response) => {
      request.resume();
      request.on('end', () => response.writeHead(status, { 'x-ms-error-code': code }).end());
    });
    onTestFinished(() => void server.close());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const endpoint = `http://127.0.0.1:${port}/devstoreaccount1`;
    const connectionString = azurite.connectionString.replace(
      /BlobEndpoint=[^;]+/,
      `BlobEndpoint=${endpoint}`,
    );
    return azureBlobs({ kind: 'connection-string', connectionString }, openSeam);
  }

  test.each([
    [409, 'BlobAlreadyExists'],
    [412, 'ConditionNotMet'],
  ])('with %i %s has the blob', async (status, code) => {
    expect(await (await refusing(status, code)).putOnce('raw/a', bytesOf('x'))).toBe('exists');
  });

  test.each([
    [409, 'ContainerBeingDeleted'],
    [409, 'OperationTimedOut'],
    [403, 'AuthorizationFailure'],
  ])('with %i %s may have nothing', async (status, code) => {
    const blobs = await refusing(status, code);
    await expect(blobs.putOnce('raw/a', bytesOf('x'))).rejects.toMatchObject({ code: 'blob-storage' });
    await expect(blobs.putOnce('raw/a', inChunks(bytesOf('x'), 1))).rejects.toMatchObject({
      code: 'blob-storage',
    });
  });

  test.each([
    [413, 'RequestBodyTooLarge'],
    [400, 'InvalidInput'],
  ])('with %i %s refuses these bytes, and would each time', async (status, code) => {
    const blobs = await refusing(status, code);
    await expect(blobs.putOnce('raw/a', bytesOf('x'))).rejects.toMatchObject({ code: 'blob-refused' });
    await expect(blobs.read('raw/a')).rejects.toMatchObject({ code: 'blob-storage' });
  });
});

describe('Blob Storage that is not there', () => {
  test('is an error with its cause, which names the operation and no data', async () => {
    const nobody = azurite.connectionString.replace(/(BlobEndpoint=http:\/\/127\.0\.0\.1):\d+/, '$1:1');
    const blobs = azureBlobs({ kind: 'connection-string', connectionString: nobody }, openSeam);
    await expect(blobs.putOnce('raw/a', bytesOf('secret'))).rejects.toMatchObject({
      code: 'blob-storage',
      message: 'Blob Storage did not putOnce',
      cause: expect.objectContaining({ code: 'ECONNREFUSED' }),
    });
  });
});
