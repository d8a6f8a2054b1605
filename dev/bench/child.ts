/**
 * One measured run in a separate process, for its own CPU time and memory. The job arrives as one JSON line
 * on standard input; the result is one JSON line on standard output.
 *
 * Everything is loaded, signed in and connected on a warm-up mailbox of two emails before the clock starts.
 * Start-up is measured elsewhere, and the raw download and the storage floor are warmed up in the same way.
 */
import { createHash } from 'node:crypto';
import { subscribe } from 'node:diagnostics_channel';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { loadApp } from '../host/load-app.ts';
import { invocationOf } from '../host/queues.ts';
import { type BuiltSdks, builtSdks, type ImapClient } from './built-sdks.ts';
import {
  callRunner,
  moved,
  recordCalls,
  replayCalls,
  type StorageCall,
  saveCalls,
  savedCalls,
} from './recorded-storage.ts';
import { type BareSendJob, runBareSend, runSend, type SendJob } from './send-jobs.ts';
import { storedRows } from './storage-rows.ts';

interface Place {
  /** Folder of the built app. */
  app: string;
  settings: Readonly<Record<string, string>>;
}

/** An account's access to a mailbox without Postroom. */
interface Imap {
  host: string;
  port: number;
  user: string;
  accessToken: string;
}

export type Job =
  /**
   * The built app's fetchShard, called by the local core. With a file, its storage calls are recorded
   * there.
   */
  | ({ kind: 'intake'; warmUpId: string; mailboxId: string; file?: string } & Place)
  /** Signs in, selects, searches and reads one FETCH stream; stores nothing. */
  | ({ kind: 'raw'; warmUp: Imap; mailbox: Imap } & Place)
  | ({ kind: 'floor'; file: string; mark: string; atOnce: number } & Place)
  | SendJob
  | BareSendJob
  /** The contents of storage and server after a fetch. */
  | ({ kind: 'check'; mailboxId: string; mailbox: Imap } & Place);

type JobOf<Kind extends Job['kind']> = Extract<Job, { kind: Kind }>;

export interface Measured {
  ms: number;
  cpuMs: number;
  peakRssMb: number;
  storageRequests: number;
  mails: number;
  /** Replayed calls, and those whose result differed from the recording. */
  calls: number;
  odd: readonly string[];
}

export interface Checked {
  messages: number;
  tickets: number;
  quarantined: number;
  unseen: number;
  attachments: { filename: string; size: number; sha256: string }[];
}

let storagePorts = new Set<string>();
let storageRequests = 0;
// Counts every node:http request at its start, which covers the storage SDK including retries.
subscribe('http.client.request.start', (message) => {
  const { request } = message as { request: { getHeader(name: string): unknown } };
  const port = /:(\d+)$/.exec(String(request.getHeader('host')))?.[1];
  if (port !== undefined && storagePorts.has(port)) storageRequests += 1;
});

/**
 * The peak memory of this process. Linux keeps the peak of `getrusage` across exec, so a new process starts
 * with its parent's value (getrusage(2), proc(5)); this reads the peak of the process's own memory.
 */
async function peakMemoryMb(): Promise<number> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return Number(kilobytes ?? process.resourceUsage().maxRSS) / 1024;
}

async function measured(run: () => Promise<Partial<Measured>>): Promise<Measured> {
  storageRequests = 0;
  const cpu = process.cpuUsage();
  const began = performance.now();
  const more = await run();
  const ms = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  const peakRssMb = await peakMemoryMb();
  return {
    ms,
    cpuMs: (user + system) / 1000,
    peakRssMb,
    storageRequests,
    mails: 0,
    calls: 0,
    odd: [],
    ...more,
  };
}

/** The mark that the local core puts on modules of the first app in a process. */
const FIRST_LOAD = '?load=1';

async function runIntake({ app, settings, warmUpId, mailboxId, file }: JobOf<'intake'>): Promise<Measured> {
  const { core } = await loadApp(app, () => {});
  Object.assign(process.env, settings);
  const target = core.functions.get('fetchShard');
  if (target === undefined) throw new Error('The built app has no function fetchShard.');
  const fetchOne = async (id: string): Promise<void> => {
    const message = JSON.stringify({ shard: 0, mailboxIds: [id] });
    await core.invoke(target, invocationOf({ messageText: Buffer.from(message).toString('base64') }));
  };
  await fetchOne(warmUpId);
  const calls: StorageCall[] = [];
  if (file !== undefined) recordCalls(await builtSdks(app, FIRST_LOAD), calls);
  const result = await measured(async () => {
    await fetchOne(mailboxId);
    return {};
  });
  if (file !== undefined) await saveCalls(file, calls);
  return result;
}

async function openInbox(
  { ImapFlow }: BuiltSdks,
  { host, port, user, accessToken }: Imap,
): Promise<ImapClient> {
  const auth = { user, accessToken };
  const client = new ImapFlow({ host, port, secure: true, auth, logger: false, disableAutoIdle: true });
  client.on('error', () => {});
  await client.connect();
  await client.mailboxOpen('INBOX');
  return client;
}

async function runRaw({ app, warmUp, mailbox }: JobOf<'raw'>): Promise<Measured> {
  const sdks = await builtSdks(app);
  await (await openInbox(sdks, warmUp)).logout();
  return measured(async () => {
    const client = await openInbox(sdks, mailbox);
    const uids = (await client.search({ all: true }, { uid: true })) || [];
    let mails = 0;
    for await (const { source } of client.fetch(uids.join(','), { source: true }, { uid: true }))
      if (source !== undefined) mails += 1;
    await client.logout();
    return { mails };
  });
}

async function runFloor({ app, settings, file, mark, atOnce }: JobOf<'floor'>): Promise<Measured> {
  const runCall = callRunner(await builtSdks(app), settings['DataStorage'] ?? '');
  const calls = (await savedCalls(file)).map((call) => moved(call, mark));
  for (const table of ['Ledger', 'Tickets', 'MessageIds'])
    await runCall({ failed: false, kind: 'list', table, filter: "PartitionKey eq 'none'" });
  await runCall({ failed: false, kind: 'upload', name: `${mark}/warm-up`, bytes: Buffer.from('x') });
  return measured(async () => ({
    calls: calls.length,
    odd: await replayCalls(runCall, calls, atOnce),
  }));
}

async function check({ app, settings, mailboxId, mailbox }: JobOf<'check'>): Promise<Checked> {
  const sdks = await builtSdks(app);
  const storage = settings['DataStorage'] ?? '';
  const container = sdks.BlobServiceClient.fromConnectionString(storage).getContainerClient('postroom');
  const ledger = await storedRows(storage, 'Ledger', mailboxId);
  const decisions = ledger.flatMap(({ decision }) =>
    typeof decision === 'string' ? [JSON.parse(decision) as { disposition: string; ticketId?: string }] : [],
  );
  const ticketIds = [...new Set(decisions.flatMap(({ ticketId }) => ticketId ?? []))];
  const attachments: Checked['attachments'] = [];
  let messages = 0;
  for (const ticketId of ticketIds)
    for (const row of await storedRows(storage, 'Tickets', ticketId)) {
      if (row.RowKey.startsWith('m|')) messages += 1;
      if (!row.RowKey.startsWith('a|')) continue;
      const bytes = await container.getBlockBlobClient(String(row['blob'])).downloadToBuffer();
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      attachments.push({ filename: String(row['filename']), size: bytes.byteLength, sha256 });
    }
  const client = await openInbox(sdks, mailbox);
  const unseen = (await client.search({ seen: false }, { uid: true })) || [];
  await client.logout();
  const quarantined = decisions.filter(({ disposition }) => disposition !== 'ticket').length;
  return { messages, tickets: ticketIds.length, quarantined, unseen: unseen.length, attachments };
}

function run(job: Job): Promise<Measured | Checked> {
  switch (job.kind) {
    case 'intake':
      return runIntake(job);
    case 'raw':
      return runRaw(job);
    case 'floor':
      return runFloor(job);
    case 'send':
      return runSend(job, measured);
    case 'bare-send':
      return runBareSend(job, measured);
    case 'check':
      return check(job);
  }
}

// Standard output is reserved for the result.
console.log = console.error;
console.info = console.error;
const lines = createInterface({ input: process.stdin });
lines.once('line', (line) => {
  lines.close();
  const job = JSON.parse(line) as Job;
  storagePorts = new Set(
    [...(job.settings['DataStorage'] ?? '').matchAll(/Endpoint=http:\/\/[^:]+:(\d+)/g)].map(
      ([, port]) => port ?? '',
    ),
  );
  run(job).then(
    (result) => process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0)),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
