import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { describe, expect, test } from 'vitest';
import { type Fixed, fixedKinds, fixedMonthOf } from '../../dev/cost/fixed.ts';
import {
  type Measurement,
  monthOf,
  type Price,
  type Priced,
  type Requests,
  usual,
} from '../../dev/cost/month.ts';
import { startAzurite } from '../../dev/emulators/storage/azurite.ts';
import { startStorageProxy } from '../../dev/emulators/storage/storage-proxy.ts';
import { type Shape, shapes } from '../../dev/infra/infra-checks.ts';
import { at, committed, ofType } from '../harness/memory/installation-resources.ts';

const source = (path: string): string => readFileSync(join(import.meta.dirname, '../..', path), 'utf8');
type Listed = Price & { source: string; asOf: string; checked: boolean };
const { prices, fixed, logs } = JSON.parse(source('dev/cost/prices.json')) as {
  prices: Record<Priced, Listed>;
  fixed: Record<Fixed, Listed>;
  logs: { logGb: Listed };
};

const none: Requests = { table: 0, queue: 0, 'blob-write': 0, 'blob-read': 0, vault: 0 };
const measured: Measurement = {
  idle: {
    mailboxes: 1,
    mails: 0,
    requests: { ...none, table: 12, queue: 4 },
    executions: { fetchMail: { runs: 1, seconds: 1 }, fetchShard: { runs: 1, seconds: 1 } },
  },
  idleWithMore: {
    mailboxes: 11,
    mails: 0,
    requests: { ...none, table: 32, queue: 4 },
    executions: { fetchMail: { runs: 1, seconds: 1 }, fetchShard: { runs: 1, seconds: 2 } },
  },
  mail: {
    mailboxes: 11,
    mails: 10,
    requests: { ...none, table: 82, queue: 4, 'blob-write': 10 },
    executions: { fetchMail: { runs: 1, seconds: 1 }, fetchShard: { runs: 1, seconds: 3 } },
  },
};
const amountOf = (mailboxes: number, item: Priced, more = {}): number =>
  monthOf(measured, mailboxes, { ...usual, ...more }, prices).lines.find((line) => line.item === item)
    ?.amount ?? 0;

describe('a month', () => {
  const minutes = 43_800;

  test('is the sum of a share for the installation, each mailbox and each email', () => {
    // 10 a minute of the installation, 2 a mailbox, 5 an email.
    const mails = 100 * 20 * (minutes / 1440);
    expect(amountOf(100, 'table')).toBeCloseTo(minutes * (10 + 100 * 2) + mails * 5, 3);
    expect(amountOf(100, 'queue')).toBeCloseTo(minutes * 4, 3);
    expect(amountOf(100, 'blob-write')).toBeCloseTo(mails, 3);
  });

  test('has one more shard from the hundred and first mailbox on', () => {
    expect(amountOf(101, 'queue')).toBeCloseTo(2 * amountOf(100, 'queue'), 3);
    expect(amountOf(100, 'execution')).toBeCloseTo(minutes * 2, 3);
    expect(amountOf(101, 'execution')).toBeCloseTo(minutes * 3, 3);
  });

  test('charges a request over the internet, not on this machine, and memory by size', () => {
    const timers = minutes * 1;
    const looks = minutes * ((100 * 1.5) / 8);
    const mails = 100 * 20 * (minutes / 1440) * 0.1;
    expect(amountOf(100, 'gbSecond')).toBeCloseTo((timers + looks + mails) * 2, 3);
    expect(amountOf(100, 'gbSecond', { memoryGb: 0.5 })).toBeCloseTo((timers + looks + mails) / 2, 3);
  });

  test('subtracts free amounts before it charges dollars', () => {
    const { lines } = monthOf(measured, 10, usual, prices);
    const executions = lines.find(({ item }) => item === 'execution');
    expect(executions?.amount).toBeLessThan(250_000);
    expect(executions?.usd).toBe(0);
    expect(monthOf(measured, 10, usual, prices).usd).toBeGreaterThan(0);
  });

  test('has a price with a date and a source for everything', () => {
    const { lines } = monthOf(measured, 10, usual, prices);
    expect(lines.map(({ item }) => item).toSorted()).toEqual(Object.keys(prices).toSorted());
    expect(Object.keys(fixed)).toEqual([...fixedKinds]);
    for (const { source: page, asOf, usd } of [
      ...Object.values(prices),
      ...Object.values(fixed),
      logs.logGb,
    ]) {
      expect(page).toMatch(/^https:\/\/(azure|learn)\.microsoft\.com\//);
      expect(asOf).toMatch(/^20\d\d-\d\d$/);
      expect(usd).toBeGreaterThan(0);
    }
  });

  test('assumes what the product does', () => {
    expect(source('shared/intake/fetch-shard.ts')).toContain(`const AT_ONCE = ${usual.atOnce};`);
    expect(source('shared/intake/queue-due-mailboxes.ts')).toContain(
      `const SHARD_SIZE = ${usual.mailboxesPerShard};`,
    );
    expect(source('infra/main.bicep')).toContain(`param instanceMemoryMB int = ${usual.memoryGb * 1024}`);
  });
});

describe('a month without email', () => {
  const amountIn = (shape: Shape, item: Fixed): number =>
    fixedMonthOf(committed(shape), fixed, logs.logGb).lines.find((line) => line.item === item)?.amount ??
    Number.NaN;

  test('counts what the template creates, for as long as it exists', () => {
    expect(amountIn('main', 'watchQuestion')).toBe(2 * 12 * 730);
    expect(amountIn('hardened', 'watchQuestion')).toBe(5 * 12 * 730);
    expect(amountIn('hardened', 'privateEndpointHour')).toBe(5 * 730);
    expect(amountIn('hardened', 'gatewayHour')).toBe(730);
    expect(amountIn('hardened', 'addressHour')).toBe(730);
    expect(amountIn('hardened', 'privateZone')).toBe(4);
    expect(amountIn('hardened', 'warmGbSecond')).toBe(2 * 2 * 730 * 3600);
    // The availability test calls them: 5 places, every 5 minutes, a second each, in 2 GB.
    expect(amountIn('hardened', 'warmExecutionGbSecond')).toBe(5 * 12 * 730 * 2);
    for (const shape of shapes)
      expect([amountIn(shape, 'logAlert'), amountIn(shape, 'metricAlert')]).toEqual([3, 1]);
    const network: Fixed[] = [
      'privateEndpointHour',
      'gatewayHour',
      'addressHour',
      'privateZone',
      'warmGbSecond',
      'warmExecutionGbSecond',
    ];
    expect(network.map((item) => amountIn('main', item))).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test('has the price of alerts that run every quarter of an hour', () => {
    for (const { properties } of ofType(committed('main'), 'Microsoft.Insights/scheduledQueryRules'))
      expect(at(properties, 'evaluationFrequency')).toBe('PT15M');
  });

  test('costs what the operations page says', () => {
    const monthOfShape = (shape: Shape) => fixedMonthOf(committed(shape), fixed, logs.logGb);
    const dollars = (shape: Shape): string => monthOfShape(shape).usd.toFixed(2);
    const [, standard, hardened] =
      /^\| total \| ([\d.]+) \| ([\d.]+) \|$/m.exec(source('docs/operations.md')) ?? [];
    expect([standard, hardened]).toEqual([dollars('main'), dollars('hardened')]);
    const [, ...atMost] =
      /^\| telemetry, at most.* \| ([\d.]+) \| ([\d.]+) \|$/m.exec(source('docs/operations.md')) ?? [];
    expect(atMost).toEqual(shapes.map((shape) => monthOfShape(shape).logsAtMostUsd.toFixed(2)));
  });
});

test('the storage proxy distinguishes kinds of requests, counts bytes, and can be cut and restored', async () => {
  const azurite = await startAzurite();
  const proxy = await startStorageProxy(azurite.connectionString);
  const noRetry = { retryOptions: { maxTries: 1 } };
  try {
    const blobs = BlobServiceClient.fromConnectionString(proxy.connectionString, noRetry).getContainerClient(
      'mail',
    );
    const queue = QueueServiceClient.fromConnectionString(proxy.connectionString, noRetry).getQueueClient(
      'work',
    );
    await blobs.create();
    await queue.create();
    await queue.receiveMessages();
    await queue.sendMessage('work');
    expect((await queue.receiveMessages()).receivedMessageItems).toHaveLength(1);
    const blob = blobs.getBlockBlobClient('b');
    await blob.upload('12345', 5);
    await blob.downloadToBuffer();
    await blob.delete();
    expect(proxy.counts()).toEqual({
      table: 0,
      queue: 3,
      'queue-empty': 1,
      'blob-write': 2,
      // A download requests the size first.
      'blob-read': 2,
      'blob-delete': 1,
    });
    expect(proxy.blobBytes()).toBe(5);
    proxy.setDown(true);
    await expect(blobs.exists()).rejects.toThrow();
    proxy.setDown(false);
    // A client may retry an earlier connection once.
    await expect.poll(() => blobs.exists().catch(() => false)).toBe(true);
  } finally {
    await proxy[Symbol.asyncDispose]();
    await azurite.stop();
  }
});
