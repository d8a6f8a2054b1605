import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { type QueueClient, QueueServiceClient } from '@azure/storage-queue';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type RunningAzurite, startAzurite } from '../../dev/emulators/storage/azurite.ts';
import type { RunningHost } from '../../dev/host/host.ts';
import { type SampleHost, sampleHost } from '../harness/stack/host-fixture.ts';

let azurite: RunningAzurite;
let sample: SampleHost;
let queue: QueueClient;
let poison: QueueClient;
let host: RunningHost;

beforeAll(async () => {
  azurite = await startAzurite();
  const service = QueueServiceClient.fromConnectionString(azurite.connectionString);
  queue = service.getQueueClient('sample-work');
  poison = service.getQueueClient('sample-work-poison');
  sample = await sampleHost({ DataStorage: azurite.connectionString, SAMPLE_SCHEDULE: '0 0 0 1 1 *' });
});
afterEach(async () => {
  await host.stop();
  await queue.deleteIfExists();
  await poison.deleteIfExists();
  await writeFile(notesFile(), '');
});
afterAll(async () => {
  await sample[Symbol.asyncDispose]();
  await azurite.stop();
});

const notesFile = (): string => sample.options.settings['SAMPLE_NOTES'] ?? '';
const notes = async (): Promise<string[]> =>
  (await readFile(notesFile(), 'utf8')).split('\n').filter(Boolean);
const send = async (text: string): Promise<void> => {
  await queue.createIfNotExists();
  await queue.sendMessage(Buffer.from(text).toString('base64'));
};
const left = async (client: QueueClient): Promise<number> =>
  (await client.getProperties()).approximateMessagesCount ?? 0;

const byHand = (name: string, body: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${host.url}/admin/functions/${name}`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  });

describe('timers', () => {
  test('on a schedule of every second never overlap a run that takes longer', async () => {
    host = await sample.start({
      background: true,
      settings: { ...sample.options.settings, SAMPLE_SCHEDULE: '* * * * * *' },
    });
    await vi.waitFor(async () => expect((await notes()).length).toBeGreaterThanOrEqual(4), {
      timeout: 60_000,
    });
    await host.stop();
    const lines = (await notes()).filter((line) => line.startsWith('tick'));
    for (const [index, line] of lines.entries())
      expect(line).toBe(index % 2 === 0 ? 'tick began string' : 'tick ended');
    expect(lines.length % 2).toBe(0);
  });

  test('without a schedule are rejected by name', async () => {
    host = await sample.start();
    await expect(
      sample.start({ background: true, settings: { ...sample.options.settings, SAMPLE_SCHEDULE: '' } }),
    ).rejects.toThrow('The setting SAMPLE_SCHEDULE is missing: the timer tick needs it.');
  });
});

describe('queues', () => {
  test('deliver a message parsed and remove it', async () => {
    host = await sample.start({ background: true });
    await send('{"shard":1}');
    await vi.waitFor(async () => expect(await notes()).toContain('work {"shard":1} 1'), { timeout: 60_000 });
    await vi.waitFor(async () => expect(await left(queue)).toBe(0), { timeout: 60_000 });
  });

  test('move a message to the poison queue after five failed attempts', async () => {
    host = await sample.start({ background: true });
    await send('fail');
    await vi.waitFor(async () => expect(await left(poison)).toBe(1), { timeout: 60_000 });
    expect(await notes()).toEqual([1, 2, 3, 4, 5].map((count) => `work "fail" ${count}`));
    expect(await left(queue)).toBe(0);
    const [message] = (await poison.receiveMessages()).receivedMessageItems;
    expect(Buffer.from(message?.messageText ?? '', 'base64').toString()).toBe('fail');
  });

  test('give work that exceeds its lease to no other worker, and stopping waits for it', async () => {
    host = await sample.start({ background: true, queues: { leaseSeconds: 3 } });
    await send('slow');
    await vi.waitFor(async () => expect(await notes()).toContain('work "slow" 1'), { timeout: 60_000 });
    // The work takes 3.5 s, and its lease is renewed every 1.5 s: a busy machine has time for it.
    await pause(3_100);
    expect((await queue.peekMessages()).peekedMessageItems).toEqual([]);
    await host.stop();
    expect(await notes()).toEqual(['work "slow" 1', 'terminated']);
    expect(await left(queue)).toBe(0);
  });
});

describe('POST /admin/functions/NAME', () => {
  test('starts a timer or a queue function and returns 202 at once', async () => {
    host = await sample.start();
    expect((await byHand('tick', '{}')).status).toBe(202);
    expect((await byHand('work', JSON.stringify({ input: '{"shard":2}' }))).status).toBe(202);
    await vi.waitFor(
      async () =>
        expect(await notes()).toEqual(expect.arrayContaining(['tick began string', 'work {"shard":2} 1'])),
      { timeout: 60_000 },
    );
  });

  test('rejects HTTP functions, unknown names and forms of other sites', async () => {
    host = await sample.start();
    expect((await byHand('bytes', '{}')).status).toBe(404);
    expect((await byHand('nothing', '{}')).status).toBe(404);
    expect((await byHand('tick', 'not json')).status).toBe(400);
    expect((await byHand('tick', '{}', { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await byHand('tick', '{}', { origin: 'http://localhost:1' })).status).toBe(403);
    expect((await byHand('tick', '{}', { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect(await notes()).toEqual([]);
  });
});
