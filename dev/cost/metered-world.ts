import { setTimeout as pause } from 'node:timers/promises';
import { openScratchDemo } from '../demo/scratch-demo.ts';
import {
  type StorageOperation,
  type StorageProxy,
  startStorageProxy,
} from '../emulators/storage/storage-proxy.ts';
import type { Executions, MeasuredMinute, Requests } from './month.ts';

export interface MeteredWorld {
  addMailbox(address: string): Promise<void>;
  deliver(address: string, raw: Buffer): Promise<void>;
  /** Waits for a complete round and its work: the first fetch of a mailbox does more than later ones. */
  settle(): Promise<void>;
  /**
   * Meters one minute from now: one round of every timer, if it starts where `settle` or the last metering
   * ended.
   */
  minute(mailboxes: number, mails: number): Promise<MeasuredMinute>;
}

interface Reading {
  storage: Readonly<Record<StorageOperation, number>>;
  vault: number;
  executed: readonly Execution[];
}

/** The built app with its timers and queues running, between meters; storage in memory, everything on free ports. */
export async function openMeteredWorld(
  mailboxes: readonly string[],
  running: AsyncDisposableStack,
  progress: (text: string) => void,
): Promise<MeteredWorld> {
  let proxy: StorageProxy | undefined;
  const demo = await openScratchDemo({
    mailboxes,
    async settings({ storage }) {
      proxy = running.use(await startStorageProxy(storage.connectionString));
      const { connectionString } = proxy;
      return {
        FETCH_SCHEDULE: '0 * * * * *',
        AzureWebJobsStorage: connectionString,
        DataStorage: connectionString,
      };
    },
    host: { background: true, logDebug: true },
    running,
    progress,
  });
  if (proxy === undefined) throw new Error('The storage has no meter.');
  const { counts } = proxy;
  const { stack } = demo;

  const read = async (): Promise<Reading> => ({
    storage: counts(),
    vault: await stack.keyVault.requestCount(),
    executed: executedIn(demo.log()),
  });
  return {
    async addMailbox(address) {
      await demo.addMailbox(address);
    },
    deliver: (address, raw) => stack.mail.deliver(address, raw),
    settle: afterFullMinute,
    async minute(count, mails) {
      const before = await read();
      await pause(60_000);
      const after = await read();
      return {
        mailboxes: count,
        mails,
        requests: difference(before, after),
        executions: executionsOf(after.executed.slice(before.executed.length)),
      };
    },
  };
}

interface Execution {
  name: string;
  ms: number;
}

/** Parsed from the host's log lines at the end of each execution, as on Azure. */
const executedIn = (log: string): Execution[] =>
  [...log.matchAll(/Executed 'Functions\.(\w+)' .*Duration=(\d+)ms/g)].map(([, name = '', ms]) => ({
    name,
    ms: Number(ms),
  }));

/** Timers fire on the minute; their work ends long before this second. */
const SETTLED_MS = 40_000;

async function afterFullMinute(): Promise<void> {
  await pause(60_000 - (Date.now() % 60_000) + SETTLED_MS);
}

function difference(before: Reading, after: Reading): Requests {
  const of = (kind: StorageOperation): number => after.storage[kind] - before.storage[kind];
  return {
    table: of('table'),
    queue: of('queue'),
    'blob-write': of('blob-write'),
    'blob-read': of('blob-read'),
    vault: after.vault - before.vault,
  };
}

function executionsOf(executed: readonly Execution[]): Executions {
  const sums: Record<string, { runs: number; seconds: number }> = {};
  for (const { name, ms } of executed) {
    const sum = sums[name] ?? { runs: 0, seconds: 0 };
    // Flex Consumption charges at least one second per run.
    sums[name] = { runs: sum.runs + 1, seconds: sum.seconds + Math.max(1, ms / 1000) };
  }
  return sums;
}
