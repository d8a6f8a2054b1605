import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isFetching, isStalled } from '../../dev/bench/fetch-lease.ts';
import { type RunningAzurite, startAzurite } from '../../dev/emulators/storage/azurite.ts';
import { azureBlobs } from '../../shared/platform/azure-blobs.ts';
import { openSeam } from '../../shared/platform/seam.ts';

describe('how long npm run replay waits', () => {
  const minute = 60_000;

  it('has no limit while a fetch is running', () => {
    expect(isStalled(60 * minute, { progressAt: 0, atWorkAt: 60 * minute - 1_000 })).toBe(false);
  });

  it('ends two and a half minutes after the last change and the last fetch', () => {
    expect(isStalled(3 * minute, { progressAt: 0, atWorkAt: 30_001 })).toBe(false);
    expect(isStalled(3 * minute, { progressAt: 0, atWorkAt: 30_000 })).toBe(true);
    expect(isStalled(3 * minute, { progressAt: 30_001, atWorkAt: 0 })).toBe(false);
  });
});

describe('a running fetch', () => {
  let storage: RunningAzurite;
  beforeAll(async () => {
    storage = await startAzurite();
  });
  afterAll(async () => {
    await storage?.stop();
  });

  it('is recognized by the lease of its mailbox', async () => {
    const { connectionString } = storage;
    expect(await isFetching(connectionString, 'm1')).toBe(false);
    const blobs = azureBlobs({ kind: 'connection-string', connectionString }, openSeam);
    const lease = await blobs.lease('lease/m1', 60);
    expect(await isFetching(connectionString, 'm1')).toBe(true);
    await lease?.release();
    expect(await isFetching(connectionString, 'm1')).toBe(false);
  });
});
