import { createActivityStore } from '../../shared/activity/activity-store.ts';
import { ticketIdOf } from '../../shared/intake/content-key.ts';
import { fetchShard, type ShardDeps } from '../../shared/intake/fetch-shard.ts';
import { createLedgerStore } from '../../shared/intake/ledger-store.ts';
import { createQuarantineStore } from '../../shared/intake/quarantine-store.ts';
import { queueDueMailboxes, type Shard } from '../../shared/intake/queue-due-mailboxes.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { createMailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import type { Queues } from '../../shared/platform/queues.ts';
import type { Seam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { mailboxOf, parserHere } from '../../tests/harness/memory/intake-world.ts';
import { MemoryBlobs } from '../../tests/harness/memory/memory-blobs.ts';
import { MemoryTables } from '../../tests/harness/memory/memory-tables.ts';
import { seeded } from '../../tests/harness/memory/seeded.ts';
import { tinyMail } from '../../tests/harness/memory/tiny-mails.ts';
import { type ServerShares, SimulatedServers, serverKindOf } from './simulated-servers.ts';
import { VirtualClock } from './virtual-clock.ts';

export interface SimulationOptions {
  mailboxes: number;
  /** After the warm-up, in which each mailbox is fetched for the first time. */
  minutes: number;
  mailsPerMailboxPerDay: number;
  /** Shares of mailboxes at servers that are slow, and that do not answer. */
  shares: ServerShares;
  /** Instances that Azure starts at most (`maximumInstanceCount` of infra/main.bicep). */
  instances: number;
  seed: number;
}

export interface Spread {
  p50: number;
  p99: number;
  max: number;
}

export interface Simulated {
  options: SimulationOptions;
  /** Seconds between two looks at a mailbox whose server answers. */
  secondsBetweenLooks: Spread;
  /** Seconds from the arrival of an email until it is a ticket and marked. */
  secondsToTicket: Spread;
  emails: number;
  /** Runs of `fetchShard`, and their billed seconds: at least one each. */
  runs: number;
  runSeconds: Spread & { total: number };
  /** Requests by kind. */
  storage: Readonly<Record<'tableReads' | 'tableWrites' | 'blobs' | 'queue', number>>;
  /** Mailboxes whose server is down, and how often it was tried. */
  down: { mailboxes: number; tries: number };
}

const START = Date.parse('2026-11-24T00:00:00.000Z');
const MINUTE = 60_000;
const STORAGE_MS = 5;
const QUEUE_MS = 500;
/** Sent, received, deleted. */
const OPERATIONS_PER_QUEUE_MESSAGE = 3;
/** Rows of one list request. */
const PAGE = 1_000;
const MINUTES_PER_DAY = 1440;
const WARM_UP_MINUTES = 2;
/** A prime, so that it shares no factor with a round number of mailboxes. */
const SPREADING = 7919;

/**
 * Runs the product's dispatch, shard runs and state store against simulated servers and storage, on a simulated clock. An
 * instance runs one message at a time, as in host.json.
 */
export async function simulate(options: SimulationOptions): Promise<Simulated> {
  const { mailboxes: count, minutes } = options;
  const random = seeded(options.seed);
  const clock = new VirtualClock(START);
  const storage = { tableReads: 0, tableWrites: 0, blobs: 0, queue: 0 };
  const seam: Seam = {
    now: () => clock.now,
    call: async (point, effect) => {
      if (point.startsWith('imap.')) return effect();
      if (point.startsWith('blob.')) storage.blobs += 1;
      else if (point.endsWith('.commit')) storage.tableWrites += 1;
      else storage.tableReads += 1;
      await clock.sleep(STORAGE_MS);
      return effect();
    },
  };
  const tables = new MemoryTables(seam);
  const store = createMailboxStore(tables);
  const all = Array.from({ length: count }, (_, index) => simulatedMailbox(index, options));
  // The mailboxes never change here: parsed once, while their requests are counted and take their time.
  const known = {
    ...store,
    list: async (): Promise<Mailbox[]> => {
      for (let read = 0; read === 0 || read < count; read += PAGE)
        await seam.call('table.Mailboxes.list', async () => undefined);
      return all;
    },
  };
  const servers = new SimulatedServers(clock, seam, random);
  const looks = new Map<string, number[]>();
  const queue: Shard[] = [];
  let downTries = 0;
  const deps: ShardDeps = {
    seam,
    tables,
    blobs: new MemoryBlobs(seam),
    ledger: createLedgerStore(tables),
    quarantine: createQuarantineStore({ tables }),
    parser: parserHere,
    ticketIdOf,
    accessTokens: { get: async () => ({ kind: 'token', token: new Secret('simulated') }) },
    openInbox: ({ user, host }) => {
      const id = user.split('@')[0] ?? '';
      looks.set(id, [...(looks.get(id) ?? []), clock.now]);
      if (host.startsWith('down.')) downTries += 1;
      return servers.open({ id, host });
    },
    saveCursor: store.saveCursor,
    mailboxes: known,
    activity: createActivityStore(tables),
  };
  const queues: Pick<Queues, 'send'> = {
    async send(_name, value) {
      storage.queue += OPERATIONS_PER_QUEUE_MESSAGE;
      queue.push(value as Shard);
    },
  };

  const runSeconds: number[] = [];
  let free = options.instances;
  const running = new Set<Promise<void>>();
  const serve = (): void => {
    while (free > 0 && queue.length > 0) {
      const shard = queue.shift();
      if (shard === undefined) return;
      free -= 1;
      const run = execute(shard).finally(() => {
        running.delete(run);
        free += 1;
        serve();
      });
      running.add(run);
    }
  };
  const execute = async (shard: Shard): Promise<void> => {
    await clock.sleep(random() * 2 * QUEUE_MS);
    const began = clock.now;
    await fetchShard(deps, shard);
    runSeconds.push(Math.max(1, (clock.now - began) / 1000));
  };

  const forget = (): void => {
    Object.assign(storage, { tableReads: 0, tableWrites: 0, blobs: 0, queue: 0 });
    looks.clear();
    runSeconds.length = 0;
    servers.delays.length = 0;
    downTries = 0;
  };
  const story = async (): Promise<void> => {
    for (let minute = -WARM_UP_MINUTES; minute < minutes; minute += 1) {
      const until = clock.now + MINUTE;
      if (minute === 0) forget();
      if (minute >= 0) deliver(servers, all, options, random, clock.now);
      await queueDueMailboxes({ mailboxes: known, queues }, clock.now);
      serve();
      await clock.sleep(until - clock.now);
    }
    while (running.size > 0) await Promise.all(running);
  };
  await clock.run(story());

  const down = new Set(all.filter(({ host }) => host.startsWith('down.')).map(({ id }) => id));
  const gaps = [...looks]
    .filter(([id]) => !down.has(id))
    .flatMap(([, times]) => times.slice(1).map((at, index) => (at - (times[index] ?? at)) / 1000));
  return {
    options,
    secondsBetweenLooks: spreadOf(gaps),
    secondsToTicket: spreadOf(servers.delays.map((ms) => ms / 1000)),
    emails: servers.delays.length,
    runs: runSeconds.length,
    runSeconds: { ...spreadOf(runSeconds), total: runSeconds.reduce((sum, each) => sum + each, 0) },
    storage,
    down: { mailboxes: down.size, tries: downTries },
  };
}

function simulatedMailbox(index: number, { mailboxes: count, shares }: SimulationOptions): Mailbox {
  // Spread over the shards, which follow the order of the IDs.
  const id = `box-${String((index * SPREADING) % count).padStart(6, '0')}`;
  const host = `${serverKindOf(index / count, shares)}.office365.com`;
  return { ...mailboxOf({ kind: 'mark-seen' }), id, host, address: `${id}@contoso.example` };
}

/** The emails of a minute, each in a mailbox at random. */
function deliver(
  servers: SimulatedServers,
  all: readonly Mailbox[],
  { mailsPerMailboxPerDay }: SimulationOptions,
  random: () => number,
  now: number,
): void {
  const expected = (all.length * mailsPerMailboxPerDay) / MINUTES_PER_DAY;
  const mails = Math.floor(expected + random());
  for (let number = 0; number < mails; number += 1) {
    const mailbox = all[Math.floor(random() * all.length)];
    if (mailbox === undefined || mailbox.host.startsWith('down.')) continue;
    const at = now + Math.floor(random() * MINUTE);
    const { raw } = tinyMail(`simulated ${at} ${number}`);
    servers.deliverAt(mailbox.id, raw, at);
  }
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 10) / 10;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
