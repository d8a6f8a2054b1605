import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TableClient, TableTransaction } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  type AzuriteOptions,
  type RunningAzurite,
  startAzurite,
} from '../../dev/emulators/storage/azurite.ts';

let folder: string;
const running: RunningAzurite[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postroom-azurite-'));
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((azurite) => azurite.stop()));
  rmSync(folder, { recursive: true, force: true });
});

async function start(options: AzuriteOptions): Promise<RunningAzurite> {
  const azurite = await startAzurite(options);
  running.push(azurite);
  return azurite;
}

const tableOf = ({ connectionString }: { connectionString: string }): TableClient =>
  TableClient.fromConnectionString(connectionString, 'Tickets', { allowInsecureConnection: true });

async function writeRows(table: TableClient, count: number): Promise<void> {
  await table.createTable();
  for (let from = 0; from < count; from += 100) {
    const transaction = new TableTransaction();
    for (let row = from; row < from + 100; row++)
      transaction.createEntity({ partitionKey: 'p', rowKey: String(row) });
    await table.submitTransaction(transaction.actions);
  }
}

async function countRows(table: TableClient): Promise<number> {
  let count = 0;
  for await (const _ of table.listEntities()) count++;
  return count;
}

it('serves tables, blobs and queues, and loses nothing when it is stopped right after a write', async () => {
  const first = await start({ stateDir: folder });
  await writeRows(tableOf(first), 300);
  const container = BlobServiceClient.fromConnectionString(first.connectionString).getContainerClient('raw');
  await container.create();
  await container.getBlockBlobClient('mail.eml').upload('raw mail', 8);
  const queue = QueueServiceClient.fromConnectionString(first.connectionString).getQueueClient('fetch-shard');
  await queue.create();
  await queue.sendMessage('a shard');
  await first.stop();
  // No other process on this machine reads it.
  const kept = ['', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })];
  expect(kept.length).toBeGreaterThan(3);
  expect(kept.filter((name) => (statSync(join(folder, name)).mode & 0o077) !== 0)).toEqual([]);

  const second = await start({ stateDir: folder, ports: first.ports });
  expect(second.connectionString).toBe(first.connectionString);
  expect(await countRows(tableOf(second))).toBe(300);
  expect((await container.getBlockBlobClient('mail.eml').downloadToBuffer()).toString()).toBe('raw mail');
  expect((await queue.receiveMessages()).receivedMessageItems[0]?.messageText).toBe('a shard');
});

it('reports in a sentence that a port is in use', async () => {
  const { ports } = await start({});
  await expect(start({ ports: { blob: ports.table } })).rejects.toThrow(
    `The storage emulator (Azurite) needs port ${ports.table}, but another program is using it.`,
  );
});

it('saves and exits when its parent is killed', async () => {
  const parent = spawn(
    process.execPath,
    [
      '--input-type=module-typescript',
      '--eval',
      `import { startAzurite } from './dev/emulators/storage/azurite.ts';
       const { connectionString, ports, pid } = await startAzurite({ stateDir: process.argv[1] });
       console.log(JSON.stringify({ connectionString, ports, pid }));`,
      folder,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const first = JSON.parse(line.toString()) as Pick<RunningAzurite, 'connectionString' | 'ports' | 'pid'>;
  await writeRows(tableOf(first), 100);
  parent.kill('SIGKILL');
  // It saves after the end of listening. What nobody waits for can stay as a zombie, but then has no program.
  await expect.poll(() => existsSync(`/proc/${first.pid}/exe`)).toBe(false);
  expect(await countRows(tableOf(await start({ stateDir: folder, ports: first.ports })))).toBe(100);
});
