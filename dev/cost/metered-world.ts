import { readFile } from 'node:fs/promises';
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
  /**
   * Rounds that are not metered, until one starts a shard and nothing else: the first fetches of a mailbox do more than
   * later ones, and each mailbox is compared with its folder once a day.
   */
  settle(): Promise<void>;
  /** Meters the work of one minute: one round of every timer that runs each minute, and what it starts. */
  minute(mailboxes: number, mails: number): Promise<MeasuredMinute>;
}

interface Reading {
  storage: Readonly<Record<StorageOperation, number>>;
  vault: number;
  executed: readonly Execution[];
  cpuSeconds: number | undefined;
}

/** Timers that run each minute. */
const TIMERS = ['fetchMail', 'monitor'];
/** The monitor fires by itself in this second of a minute (functions/main.ts). */
const MONITOR_SECOND = 30;
const ROUND_SECONDS = 10;
const QUIET_MS = 800;
const PATIENCE_MS = 60_000;
const MOST_ROUNDS = 12;

/**
 * The built app with its queues running, between meters; storage in memory, everything on free ports. Its
 * timers are started by hand, so that a minute's work takes seconds.
 */
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
    cpuSeconds: await cpuSecondsOf(demo.host.pid),
  });
  const round = async (hasMailboxes = true): Promise<readonly Execution[]> => {
    await pause(secondsUntilQuiet(new Date().getSeconds()) * 1000);
    const before = executedIn(demo.log()).length;
    for (const timer of TIMERS) await startTimer(demo.host.url, timer);
    const expected = hasMailboxes ? [...TIMERS, 'fetchShard'] : TIMERS;
    return quiet(expected, () => executedIn(demo.log()).slice(before));
  };
  return {
    async addMailbox(address) {
      await demo.addMailbox(address);
    },
    deliver: (address, raw) => stack.mail.deliver(address, raw),
    async settle() {
      for (let count = 0; count < MOST_ROUNDS; count += 1) {
        const shards = (await round()).filter(({ name }) => name === 'fetchShard');
        if (count > 0 && shards.length === 1) return;
      }
      throw new Error(`The app has not settled after ${MOST_ROUNDS} rounds.`);
    },
    async minute(count, mails) {
      const before = await read();
      await round(count > 0);
      const after = await read();
      return {
        mailboxes: count,
        mails,
        requests: difference(before, after),
        executions: executionsOf(after.executed.slice(before.executed.length)),
        ...(before.cpuSeconds !== undefined &&
          after.cpuSeconds !== undefined && { cpuSeconds: after.cpuSeconds - before.cpuSeconds }),
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

/** Seconds to wait so that no timer fires during a round. Pure. */
export const secondsUntilQuiet = (second: number): number =>
  second <= MONITOR_SECOND && second > MONITOR_SECOND - ROUND_SECONDS ? MONITOR_SECOND + 1 - second : 0;

async function startTimer(url: string, name: string): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/admin/functions/${name}`, { method: 'POST', headers, body: '{}' });
  if (response.status !== 202) throw new Error(`${name} did not start: ${response.status}`);
}

/** Waits until these have ended, and nothing else has for a while. */
async function quiet(
  expected: readonly string[],
  executed: () => readonly Execution[],
): Promise<readonly Execution[]> {
  let [seen, since] = [0, Date.now()];
  for (const began = Date.now(); Date.now() - began < PATIENCE_MS; await pause(100)) {
    const now = executed();
    if (now.length !== seen) [seen, since] = [now.length, Date.now()];
    const names = new Set(now.map(({ name }) => name));
    const isComplete = expected.every((name) => names.has(name));
    if (isComplete && Date.now() - since >= QUIET_MS) return now;
  }
  throw new Error('A round of the timers did not end within a minute.');
}

const TICKS_PER_SECOND = 100;

/** Processor time of a process (proc(5)); undefined where the system has no /proc. */
async function cpuSecondsOf(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
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
