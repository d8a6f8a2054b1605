/** Telemetry as Application Insights gets it: the real exporter, a stand-in for the address it sends to. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { backgroundHandler } from '../../functions/triggers/background-handler.ts';
import { createActivityStore } from '../../shared/activity/activity-store.ts';
import { ticketIdOf } from '../../shared/intake/content-key.ts';
import { fetchShard, type ShardDeps } from '../../shared/intake/fetch-shard.ts';
import { createLedgerStore } from '../../shared/intake/ledger-store.ts';
import { createQuarantineStore } from '../../shared/intake/quarantine-store.ts';
import { queueDueMailboxes, type Shard } from '../../shared/intake/queue-due-mailboxes.ts';
import { createMailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import { openTelemetry } from '../../shared/platform/open-telemetry.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { metrics, sendTelemetryTo, telemetry } from '../../shared/platform/telemetry.ts';
import { mailboxOf, parserHere } from '../harness/memory/intake-world.ts';
import { MemoryBlobs } from '../harness/memory/memory-blobs.ts';
import { MemoryFolder, openMemoryInbox } from '../harness/memory/memory-inbox.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { type Envelope, type Ingestion, startIngestion } from '../harness/stack/ingestion.ts';

const CANARY = 'the-text-of-a-mail-and-a-secret';
const HOST_TRACE = '00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01';
let ingestion: Ingestion;
let trusted: readonly string[];

beforeAll(async () => {
  ingestion = await startIngestion();
  trusted = getCACertificates('default');
  setDefaultCACertificates([...trusted, ingestion.ca]);
  const { connectionString } = ingestion;
  sendTelemetryTo(await openTelemetry({ kind: 'azure-monitor', connectionString, identity: undefined }));
});
afterEach(() => {
  ingestion.envelopes.length = 0;
});
afterAll(async () => {
  sendTelemetryTo(undefined);
  setDefaultCACertificates([...trusted]);
  await ingestion.stop();
});

const sent = async (): Promise<Envelope[]> => {
  await telemetry.flush();
  return ingestion.envelopes;
};
const spanNamed = (name: string, envelopes: readonly Envelope[]): Envelope | undefined =>
  envelopes.find(({ data }) => data.baseType === 'RemoteDependencyData' && data.baseData.name === name);
const measured = (name: string, envelopes: readonly Envelope[]) =>
  envelopes
    .filter(({ data }) => data.baseData.metrics?.[0]?.name === name)
    .map(({ data }) => ({ value: data.baseData.metrics?.[0]?.value, ...data.baseData.properties }));

/** An installation in memory with one mailbox, whose server has one email. */
async function postroomWithMail(): Promise<{ deps: ShardDeps; folder: MemoryFolder }> {
  const tables = new MemoryTables(openSeam);
  const mailboxes = createMailboxStore(tables);
  const folder = new MemoryFolder();
  const mailbox = mailboxOf({ kind: 'mark-seen' });
  await mailboxes.save(mailbox);
  const raw = `From: kim@customer.example\r\nTo: ${mailbox.address}\r\nSubject: ${CANARY}\r\nMessage-ID: <1@customer.example>\r\n\r\n${CANARY}\r\n`;
  folder.deliver(Buffer.from(raw), '2026-11-24T10:00:00.000Z');
  const deps: ShardDeps = {
    seam: openSeam,
    tables,
    blobs: new MemoryBlobs(openSeam),
    ledger: createLedgerStore(tables),
    quarantine: createQuarantineStore({ tables }),
    parser: parserHere,
    ticketIdOf,
    accessTokens: { get: async () => ({ kind: 'token', token: new Secret(CANARY) }) },
    openInbox: () => openMemoryInbox(folder, openSeam),
    saveCursor: mailboxes.saveCursor,
    mailboxes,
    activity: createActivityStore(tables),
  };
  return { deps, folder };
}

/** As the host calls a handler. */
const invocation = (functionName: string, extra: object = {}) =>
  ({
    functionName,
    invocationId: 'i-1',
    traceContext: { traceParent: HOST_TRACE },
    ...extra,
  }) as unknown as Parameters<ReturnType<typeof backgroundHandler>>[1];

describe('from the timer to the ticket', () => {
  test('one trace leads, over the queue, past the mailbox, to the ticket; no address and no text is in it', async () => {
    const { deps } = await postroomWithMail();
    const queue: Shard[] = [];
    const queues = { send: async (_name: string, message: unknown) => void queue.push(message as Shard) };
    const timer = backgroundHandler(async () => async () => {
      await queueDueMailboxes({ mailboxes: deps.mailboxes, queues }, Date.now());
    });
    await timer({}, invocation('fetchMail'));
    const [message] = queue;
    expect(message).toMatchObject({ shard: 0, traceparent: expect.stringContaining('a'.repeat(32)) });
    const worker = backgroundHandler(async () => async (trigger) => {
      await fetchShard(deps, trigger as Shard);
    });
    const triggerMetadata = { insertionTime: new Date(Date.now() - 7000).toISOString() };
    await worker(
      JSON.parse(JSON.stringify(message)),
      invocation('fetchShard', {
        triggerMetadata,
        traceContext: { traceParent: HOST_TRACE.replaceAll('a', 'c') },
      }),
    );
    const envelopes = await sent();
    const chain = ['fetchMail', 'fetchShard', 'fetch mailbox', 'file batch'].map((name) =>
      spanNamed(name, envelopes),
    );
    const parents = chain.map((span) => span?.tags['ai.operation.parentId']);
    expect(parents).toEqual(['b'.repeat(16), ...chain.slice(0, 3).map((span) => span?.data.baseData.id)]);
    expect(new Set(chain.map((span) => span?.tags['ai.operation.id']))).toEqual(new Set(['a'.repeat(32)]));
    const ticket = envelopes.find(({ data }) => data.baseData.message === 'ticket');
    expect(ticket?.tags['ai.operation.id']).toBe('a'.repeat(32));
    expect(ticket?.data.baseData.properties).toMatchObject({ number: '1' });
    expect(measured(metrics.emails.name, envelopes)).toEqual([{ value: 1, outcome: 'ticket' }]);
    expect(measured(metrics.fetchDuration.name, envelopes)).toMatchObject([{ result: 'fetched' }]);
    const [waited] = measured(metrics.queueAge.name, envelopes);
    expect(waited).toMatchObject({ function: 'fetchShard' });
    expect(waited?.value).toBeGreaterThanOrEqual(7);
    for (const hidden of [CANARY, 'kim@', 'support@']) expect(ingestion.said()).not.toContain(hidden);
  });

  test('a minute without mail leaves no span of the mailbox', async () => {
    const { deps, folder } = await postroomWithMail();
    folder.mails.length = 0;
    await fetchShard(deps, { shard: 0, mailboxIds: ['support'] });
    const envelopes = await sent();
    expect(spanNamed('fetch mailbox', envelopes)).toBeUndefined();
    expect(measured(metrics.fetchDuration.name, envelopes)).toMatchObject([{ result: 'nothing-new' }]);
  });
});

test('failed work is a failed span with our own message, and the error reaches the host', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  const failing = backgroundHandler(async () => () => Promise.reject(new Error('storage is away')));
  await expect(failing({}, invocation('monitor'))).rejects.toThrow('storage is away');
  expect(spanNamed('monitor', await sent())?.data.baseData.success).toBe(false);
  vi.restoreAllMocks();
});

const infra = (file: string): string => readFileSync(join(import.meta.dirname, '../../infra', file), 'utf8');
const queriesIn = (text: string): string[] =>
  [...text.matchAll(/query"?: (['"])(.+)\1/g)].map(([, , query = '']) => query);
const metricsIn = (text: string): string[] => [
  ...new Set([...text.matchAll(/(['"])(postroom\.[\w.]+)\1/g)].map(([, , name = '']) => name)),
];

test('a gauge arrives as a single value, and queries of a gauge read no other column', async () => {
  telemetry.measure('poisonSize', 3, { queue: 'fetch-shard' });
  const points = (await sent()).flatMap(({ data }) => data.baseData.metrics ?? []);
  expect(points).toEqual([{ name: metrics.poisonSize.name, value: 3, count: 1, kind: 'Aggregation' }]);
  const gauges: string[] = Object.values(metrics)
    .filter(({ kind }) => kind === 'gauge')
    .map(({ name }) => name);
  const asking = [...queriesIn(infra('workbook.json')), ...queriesIn(infra('modules/alerts.bicep'))].filter(
    (query) => metricsIn(query).some((name) => gauges.includes(name)),
  );
  expect(new Set(asking.flatMap(metricsIn))).toEqual(new Set(gauges));
  for (const query of asking) expect(query).not.toMatch(/valueM(ax|in)|valueCount/);
});

test('without telemetry the work is still done', async () => {
  sendTelemetryTo(undefined);
  const done = await telemetry.span('work', {}, async (span) => {
    span.event('something');
    telemetry.measure('emails', 1, { outcome: 'ticket' });
    return telemetry.traceparent() ?? 'done';
  });
  expect(done).toBe('done');
});

test('the workbook queries every metric by its name, and no other', () => {
  expect(metricsIn(infra('workbook.json')).sort()).toEqual(
    Object.values(metrics)
      .map(({ name }) => name)
      .sort(),
  );
});

test('the alerts for abandoned work and for refused requests query their metrics', () => {
  expect(metricsIn(infra('modules/alerts.bicep'))).toEqual([metrics.poisonSize.name, 'postroom.refusals']);
});
