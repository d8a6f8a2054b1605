import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Browser } from '../visitor.ts';
import { buildApp, builtApp, isBuildCurrent } from '../build.ts';
import type { HostLog } from '../host/core.ts';
import { startHost } from '../host/host.ts';
import { demoPeople } from '../host/options.ts';
import { type StorageOperation, startStorageProxy } from '../emulators/storage/storage-proxy.ts';
import { startStack } from '../stack.ts';
import type { Executions, MeasuredMinute, Requests } from './month.ts';

/** The owner of all metered mailboxes. */
const OWNER = 'scratch@contoso.example';

export interface MeteredWorld {
  addMailbox(address: string): Promise<void>;
  deliver(address: string, raw: Buffer): Promise<void>;
  /** Waits for a whole round and for what it began: the first fetch of a mailbox does more than the later ones. */
  settle(): Promise<void>;
  /** Meters for a minute from now: one round of every timer, when it begins where `settle` or it ended. */
  minute(mailboxes: number, mails: number): Promise<MeasuredMinute>;
}

interface Reading {
  storage: Readonly<Record<StorageOperation, number>>;
  vault: number;
  executed: number;
}

/** The built app with its timers and queues running, between meters; storage in memory, everything on free ports. */
export async function openMeteredWorld(
  mailboxes: readonly string[],
  running: AsyncDisposableStack,
  progress: (text: string) => void,
): Promise<MeteredWorld> {
  if (!(await isBuildCurrent())) {
    progress('Building …');
    await buildApp();
  }
  progress('Starting a metered world …');
  const folder = await mkdtemp(join(tmpdir(), 'postroom-cost-'));
  running.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  // Dovecot runs as a user of its own, who must be able to enter.
  await chmod(folder, 0o755);
  const stack = await startStack({
    stateDir: folder,
    inMemory: true,
    users: [{ upn: OWNER, name: 'Metered Desk', sharedMailboxes: [...mailboxes] }],
    accessTokenSeconds: 3600,
  });
  running.defer(() => stack.stop());
  const proxy = await startStorageProxy(stack.storage.connectionString);
  running.use(proxy);
  const executed: { name: string; ms: number }[] = [];
  const log: HostLog = (_level, message) => {
    const [, name, ms] = /^Executed 'Functions\.(\w+)' .*Duration=(\d+)ms/.exec(message) ?? [];
    if (name !== undefined) executed.push({ name, ms: Number(ms) });
  };
  const host = await startHost(
    {
      appDir: builtApp,
      port: stack.ports.web,
      settings: {
        FETCH_SCHEDULE: '0 * * * * *',
        ...stack.settings,
        AzureWebJobsStorage: proxy.connectionString,
        DataStorage: proxy.connectionString,
      },
      stateDir: folder,
      people: demoPeople,
      background: true,
    },
    log,
  );
  running.defer(() => host.stop());
  const browser = new Browser(host.url);
  await browser.signIn(demoPeople[0]?.id ?? '');
  const account = await browser.connect(OWNER, stack.identityProvider.clientId);

  const read = async (): Promise<Reading> => ({
    storage: proxy.counts(),
    vault: await stack.keyVault.requestCount(),
    executed: executed.length,
  });
  return {
    addMailbox: (address) => browser.addMailbox(account, address, stack.mail.imap),
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
        executions: executionsOf(executed.slice(before.executed, after.executed)),
      };
    },
  };
}

/** Timers fire on the minute; long before this second what they began has ended. */
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

function executionsOf(executed: readonly { name: string; ms: number }[]): Executions {
  const sums: Record<string, { runs: number; seconds: number }> = {};
  for (const { name, ms } of executed) {
    const sum = sums[name] ?? { runs: 0, seconds: 0 };
    // Flex Consumption charges at least a second a run.
    sums[name] = { runs: sum.runs + 1, seconds: sum.seconds + Math.max(1, ms / 1000) };
  }
  return sums;
}
