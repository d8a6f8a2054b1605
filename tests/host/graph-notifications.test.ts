import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildApp } from '../../dev/build.ts';
import { type RunningAzurite, startAzurite } from '../../dev/emulators/storage/azurite.ts';
import { type HostProcess, startHostProcess } from '../../dev/host/host-process.ts';
import { demoPeople } from '../../dev/host/options.ts';
import { azureTables } from '../../shared/platform/azure-tables.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { hashOf, newClientState } from '../../shared/push/client-state.ts';
import { createPushStore, type PushStore } from '../../shared/push/push-records.ts';
import { bestOfThree } from '../harness/measure-time.ts';

let folder: string;
let azurite: RunningAzurite;
/** Two instances of the built app over one storage. */
let hosts: HostProcess[];
let push: PushStore;
let mailboxId: string;
let ours: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postroom-push-'));
  azurite = await startAzurite();
  const { outDir } = await buildApp({ outDir: join(folder, 'app') });
  hosts = await Promise.all(
    ['one', 'two'].map((name) =>
      startHostProcess(
        {
          appDir: outDir,
          port: 0,
          stateDir: join(folder, name),
          people: demoPeople,
          background: false,
          settings: {
            POSTROOM_LOCAL: 'true',
            DataStorage: azurite.connectionString,
            KEY_VAULT_URI: 'https://localhost:1',
          },
        },
        join(folder, `${name}.log`),
      ),
    ),
  );
  const { connectionString } = azurite;
  push = createPushStore(azureTables({ kind: 'connection-string', connectionString }, openSeam));
});
afterAll(async () => {
  await Promise.all((hosts ?? []).map((host) => host.stop()));
  await azurite?.stop();
  await rm(folder, { recursive: true, force: true });
});

let made = 0;
beforeEach(async () => {
  made += 1;
  mailboxId = `${'abcdefghij'[made]}`.padEnd(26, 'm');
  ours = newClientState(mailboxId).expose();
  const at = new Date().toISOString();
  await push.save({
    mailboxId,
    state: 'living',
    since: at,
    clientStates: [hashOf(ours)],
    settings: '',
    failures: 0,
    nextAt: at,
  });
  await queue()
    .clearMessages()
    .catch(() => {});
});

const queue = () =>
  QueueServiceClient.fromConnectionString(azurite.connectionString).getQueueClient('fetch-shard');
const queued = async (): Promise<number> =>
  (
    await queue()
      .getProperties()
      .catch(() => undefined)
  )?.approximateMessagesCount ?? 0;

const at = (index = 0): string => `${hosts[index % 2]?.url}/graph/notifications`;
const eventsBody = (clientState: string, more: object = {}): string =>
  JSON.stringify({ value: [{ subscriptionId: 's', clientState, changeType: 'created', ...more }] });
const post = (body: string, index = 0): Promise<Response> =>
  fetch(at(index), { method: 'POST', headers: { 'content-type': 'application/json' }, body });

describe('the validation request', () => {
  test.each([
    'Validation: Testing client application reachability for subscription',
    '<script>alert(1)</script>',
    '',
  ])('is answered with its token as plain text: %j', async (token) => {
    const reply = await fetch(`${at()}?validationToken=${encodeURIComponent(token)}`, { method: 'POST' });
    expect([reply.status, await reply.text()]).toEqual([200, token]);
    expect(reply.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(reply.headers.get('x-content-type-options')).toBe('nosniff');
    expect(reply.headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  test('with an endless token is refused', async () => {
    const reply = await fetch(`${at()}?validationToken=${'a'.repeat(4097)}`, { method: 'POST' });
    expect([reply.status, await reply.text()]).toEqual([400, '']);
  });
});

describe('a request with events', () => {
  test('of ours is answered with 202, without a body, and queues one fetch', async () => {
    const reply = await post(eventsBody(ours));
    expect([reply.status, await reply.text()]).toEqual([202, '']);
    expect(await queued()).toBe(1);
    const [message] = (await queue().peekMessages()).peekedMessageItems;
    expect(JSON.parse(Buffer.from(message?.messageText ?? '', 'base64').toString())).toEqual({
      shard: 0,
      mailboxIds: [mailboxId],
      task: { kind: 'new-mail' },
    });
  });

  test.each<[string, () => string]>([
    ['a forged value', () => eventsBody(newClientState(mailboxId).expose())],
    ['another mailbox', () => eventsBody(ours.replace(mailboxId, 'z'.repeat(26)))],
    ['no JSON', () => '{"value":['],
    ['nothing', () => ''],
    ['more than 64 KB, also of ours', () => eventsBody(ours, { resource: 'x'.repeat(70_000) })],
    ['bytes that are no text', () => Buffer.from([0xff, 0xfe, 0x00]).toString('latin1')],
  ])('with %s gets the same response within a second, and queues nothing', async (_name, body) => {
    await post(eventsBody('warm'));
    const ms = await bestOfThree(1_000, async () => {
      const reply = await post(body());
      expect([reply.status, await reply.text()]).toEqual([202, '']);
    });
    expect(ms).toBeLessThan(1_000);
    expect(await queued()).toBe(0);
  });

  test.each(['GET', 'PUT', 'DELETE'])('by %s reaches no handler', async (method) => {
    const reply = await fetch(at(), { method, redirect: 'manual' });
    expect([302, 403, 404, 405]).toContain(reply.status);
    expect(await queued()).toBe(0);
  });

  test('a thousand times, on two instances, queues few fetches and answers each', async () => {
    const began = performance.now();
    const statuses: number[] = [];
    for (let round = 0; round < 40; round += 1) {
      const replies = await Promise.all(
        Array.from({ length: 25 }, (_, index) => post(eventsBody(ours), index)),
      );
      statuses.push(...replies.map(({ status }) => status));
    }
    expect(new Set(statuses)).toEqual(new Set([202]));
    expect(await queued()).toBeGreaterThan(0);
    // One at once, one for the next five seconds, and each further one up to a second early (join-events.ts).
    expect(await queued()).toBeLessThanOrEqual(2 + (performance.now() - began + 1_000) / 5_000);
  });
});
