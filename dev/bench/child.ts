/**
 * One measured run in a process of its own, so that CPU time and memory are its own. The job comes as one JSON line on
 * standard input; the answer is one JSON line on standard output.
 *
 * Everything is loaded, signed in and connected once on the empty warm-up mailbox before the clock starts: a start is
 * measured elsewhere, and the raw download and the storage floor begin warm in the same way.
 */
import { createHash } from 'node:crypto';
import { subscribe } from 'node:diagnostics_channel';
import { createInterface } from 'node:readline';
import { loadApp } from '../host/load-app.ts';
import { invocationOf } from '../host/queues.ts';
import { loadParts, type MeasuredServices, type OpenInbox } from './bench-apps.ts';
import {
  moved,
  recording,
  replayCalls,
  type StorageCall,
  saveCalls,
  savedCalls,
} from './recorded-storage.ts';

interface Place {
  /** Folder of the app or of the product's parts. */
  app: string;
  settings: Readonly<Record<string, string>>;
  /** Mailbox ids. */
  warmUp: string;
  mailbox: string;
}

export type Job =
  /** The built app's fetchShard, called by the local core. */
  | ({ kind: 'intake' } & Place)
  /** Sign in, select, search, one FETCH stream; nothing is stored. */
  | ({ kind: 'raw' } & Place)
  /** A fetch whose storage calls are written down; not timed. */
  | ({ kind: 'record'; file: string } & Place)
  | ({ kind: 'floor'; file: string; mark: string; atOnce: number } & Place)
  /** What stands in storage and on the server after a fetch. */
  | ({ kind: 'check' } & Place);

export interface Measured {
  ms: number;
  cpuMs: number;
  peakRssMb: number;
  storageRequests: number;
  mails: number;
  /** Replayed calls that did not end as they had. */
  odd: number;
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
// Every request of node:http as it starts, which is what the storage SDK uses; retries are counted, too.
subscribe('http.client.request.start', (message) => {
  const { request } = message as { request: { getHeader(name: string): unknown } };
  const port = /:(\d+)$/.exec(String(request.getHeader('host')))?.[1];
  if (port !== undefined && storagePorts.has(port)) storageRequests += 1;
});

async function measured(run: () => Promise<Partial<Measured>>): Promise<Measured> {
  storageRequests = 0;
  const cpu = process.cpuUsage();
  const began = performance.now();
  const more = await run();
  const ms = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  const peakRssMb = process.resourceUsage().maxRSS / 1024;
  return { ms, cpuMs: (user + system) / 1000, peakRssMb, storageRequests, mails: 0, odd: 0, ...more };
}

async function runIntake({ app, settings, warmUp, mailbox }: Place): Promise<Measured> {
  const { core } = await loadApp(app, () => {});
  Object.assign(process.env, settings);
  const target = core.functions.get('fetchShard');
  if (target === undefined) throw new Error('The built app has no function fetchShard.');
  const fetchOne = async (id: string): Promise<void> => {
    const message = JSON.stringify({ shard: 0, mailboxIds: [id] });
    await core.invoke(target, invocationOf({ messageText: Buffer.from(message).toString('base64') }));
  };
  await fetchOne(warmUp);
  return measured(async () => {
    await fetchOne(mailbox);
    return {};
  });
}

async function servicesOf({ app, settings }: Place, calls?: StorageCall[]) {
  Object.assign(process.env, settings);
  const parts = await loadParts(app);
  const services = parts.buildServices(parts.parseConfig(process.env), parts.openSeam);
  if (calls === undefined) return { parts, services };
  return { parts, services: parts.servicesOn({ ...services, ...recording(services, calls) }) };
}

async function opener(services: MeasuredServices, id: string): Promise<() => Promise<OpenInbox>> {
  const mailbox = await services.mailboxes.get(id);
  if (mailbox === undefined) throw new Error(`There is no mailbox ${id}.`);
  const { token } = await services.accessTokens.get(mailbox);
  if (token === undefined) throw new Error(`There is no token for ${mailbox.address}.`);
  const { host, port, folder, address: user } = mailbox;
  return () => services.intake.openInbox({ host, port, folder, user, accessToken: token });
}

async function runRaw(place: Place): Promise<Measured> {
  const { services } = await servicesOf(place);
  const openMailbox = await opener(services, place.mailbox);
  const openWarmUp = await opener(services, place.warmUp);
  await (await openWarmUp()).close();
  return measured(async () => {
    const inbox = await openMailbox();
    const uids = await inbox.search({ from: 1, since: undefined });
    let mails = 0;
    await inbox.sources(uids, () => {
      mails += 1;
    });
    await inbox.close();
    return { mails };
  });
}

async function runRecorded(place: Place & { file: string }): Promise<Measured> {
  const calls: StorageCall[] = [];
  const { parts, services } = await servicesOf(place, calls);
  await parts.fetchShard(services.intake, { shard: 0, mailboxIds: [place.warmUp] });
  calls.length = 0;
  const result = await measured(async () => {
    await parts.fetchShard(services.intake, { shard: 0, mailboxIds: [place.mailbox] });
    return {};
  });
  await saveCalls(place.file, calls);
  return result;
}

async function runFloor(place: Place & { file: string; mark: string; atOnce: number }): Promise<Measured> {
  const { services } = await servicesOf(place);
  const calls = (await savedCalls(place.file)).map((call) => moved(call, place.mark));
  await Promise.all([
    services.tables.open('Mailboxes').get('mailbox', 'none'),
    services.tables.open('Ledger').get('none', 'none'),
    services.blobs.read('none'),
  ]);
  return measured(async () => ({ odd: await replayCalls(services, calls, place.atOnce) }));
}

async function check(place: Place): Promise<Checked> {
  const { services } = await servicesOf(place);
  const ledger = await allRows(services, 'Ledger', place.mailbox);
  const decisions = ledger.flatMap(({ decision }) =>
    typeof decision === 'string' ? [JSON.parse(decision) as { fate: string; ticketId?: string }] : [],
  );
  const ticketIds = [...new Set(decisions.flatMap(({ ticketId }) => ticketId ?? []))];
  const attachments: Checked['attachments'] = [];
  let messages = 0;
  for (const ticketId of ticketIds)
    for (const row of await allRows(services, 'Tickets', ticketId)) {
      if (row.rowKey.startsWith('m|')) messages += 1;
      if (!row.rowKey.startsWith('a|')) continue;
      const bytes = await services.blobs.read(String(row['blob']));
      const sha256 = createHash('sha256')
        .update(bytes ?? '')
        .digest('hex');
      attachments.push({ filename: String(row['filename']), size: bytes?.byteLength ?? 0, sha256 });
    }
  const inbox = await (await opener(services, place.mailbox))();
  const unseen = await inbox.search({ from: undefined, since: undefined });
  await inbox.close();
  const quarantined = decisions.filter(({ fate }) => fate !== 'ticket').length;
  return { messages, tickets: ticketIds.length, quarantined, unseen: unseen.length, attachments };
}

type TableName = Parameters<MeasuredServices['tables']['open']>[0];

async function allRows({ tables }: MeasuredServices, name: TableName, partitionKey: string) {
  const table = tables.open(name);
  const rows = await table.list(partitionKey);
  for (let last = rows; last.length === 1000; ) {
    const after = last.at(-1)?.rowKey ?? '';
    last = await table.list(partitionKey, { after });
    rows.push(...last);
  }
  return rows;
}

function run(job: Job): Promise<Measured | Checked> {
  switch (job.kind) {
    case 'intake':
      return runIntake(job);
    case 'raw':
      return runRaw(job);
    case 'record':
      return runRecorded(job);
    case 'floor':
      return runFloor(job);
    case 'check':
      return check(job);
  }
}

// Standard output carries the answer alone.
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
