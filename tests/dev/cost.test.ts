import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { describe, expect, test } from 'vitest';
import { type Fixed, fixedKinds, fixedMonthOf } from '../../dev/cost/fixed.ts';
import { costGoalsOf } from '../../dev/cost/goals.ts';
import {
  type Measurement,
  monthOf,
  type Price,
  type Priced,
  pushUsd,
  type Requests,
  secondsPerShardOf,
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
  empty: { mailboxes: 0, mails: 0, requests: none, executions: {} },
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
    const checks = minutes / 1440 / 5;
    expect(amountOf(100, 'execution')).toBeCloseTo(minutes * 2 + 100 * checks, 3);
    expect(amountOf(101, 'execution')).toBeCloseTo(minutes * 3 + 101 * checks, 3);
  });

  test('charges a request over the internet, not on this machine, and memory by size', () => {
    const timers = minutes * 1;
    const looks = minutes * 1.5;
    const mails = 100 * 20 * (minutes / 1440) * 0.1;
    const checks = 20 * (minutes / 1440) * 1.5;
    const all = timers + looks + mails + checks;
    expect(amountOf(100, 'gbSecond')).toBeCloseTo(all * 2, 3);
    expect(amountOf(100, 'gbSecond', { memoryGb: 0.5 })).toBeCloseTo(all / 2, 3);
  });

  test('charges for the processor time of looks where that is longer than they wait', () => {
    const cpu = {
      idle: { ...measured.idle, cpuSeconds: 0.1 },
      idleWithMore: { ...measured.idleWithMore, cpuSeconds: 0.14 },
    };
    const seconds = (memoryGb: number, mailboxes = 1_000): number =>
      secondsPerShardOf(cpu, mailboxes, { ...usual, memoryGb });
    expect(seconds(2), 'servers are slower than a core').toBe(1.5);
    expect(seconds(0.5), '4 ms a look in a quarter of a core').toBeCloseTo(1.6, 6);
    expect(seconds(0.5, 50)).toBe(1.5);
  });

  test('is compared with the goals', () => {
    const months = [{ mailboxes: 1_000, lines: [], usd: 15.004 }];
    expect(costGoalsOf([{ name: 'each minute, 512 MB', months }])).toEqual([
      { goal: 'each minute, 512 MB', usd: 15, limit: 15, before: 117, met: false },
    ]);
    expect(costGoalsOf([{ name: 'every 5 minutes, 512 MB', months }])).toEqual([]);
  });

  test('counts push by the emails that notify', () => {
    const { gbSecond } = prices;
    const mails = 20 * (43_800 / 1440);
    expect(pushUsd(1, { ...usual, memoryGb: 0.5 }, gbSecond)).toBeCloseTo(mails * 2.5 * 0.5 * 2.6e-5, 9);
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
    expect(source('shared/intake/look-pacing.ts')).toContain(`const LOOKS_AT_ONCE = ${usual.atOnce};`);
    expect(source('shared/intake/queue-checks.ts')).toContain(`const AT_ONCE = ${usual.checksAtOnce};`);
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
