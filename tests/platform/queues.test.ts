import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type RunningAzurite, startAzurite } from '../../dev/emulators/storage/azurite.ts';
import { azureQueues } from '../../shared/platform/azure-queues.ts';
import { openSeam } from '../../shared/platform/seam.ts';

let azurite: RunningAzurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

test('abandoned messages are counted, dated and deleted; a queue that does not exist is empty', async () => {
  const { connectionString } = azurite;
  const queues = azureQueues({ kind: 'connection-string', connectionString }, openSeam);
  expect(await queues.poison('vault-events')).toEqual({ count: 0, since: undefined });
  const poison =
    QueueServiceClient.fromConnectionString(connectionString).getQueueClient('vault-events-poison');
  await poison.create();
  expect(await queues.poison('vault-events')).toEqual({ count: 0, since: undefined });
  const { insertedOn } = await poison.sendMessage('a');
  await poison.sendMessage('b');
  expect(await queues.poison('vault-events')).toEqual({ count: 2, since: insertedOn.toISOString() });
  await queues.clearPoison('vault-events');
  expect((await queues.poison('vault-events')).count).toBe(0);
});

test('a queue that denies access is an error with the code of storage', async () => {
  const server = createServer((_request, response) => response.writeHead(403).end());
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => new Promise<void>((closed) => server.close(() => closed())));
  const { port } = server.address() as AddressInfo;
  const closed = azurite.connectionString.replaceAll(/:\d+\/devstoreaccount1/g, `:${port}/devstoreaccount1`);
  const queues = azureQueues({ kind: 'connection-string', connectionString: closed }, openSeam);
  await expect(queues.poison('vault-events')).rejects.toMatchObject({ code: 'queue-storage' });
  await expect(queues.clearPoison('vault-events')).rejects.toMatchObject({ code: 'queue-storage' });
});

test('a delayed message is not received before its time', async () => {
  const { connectionString } = azurite;
  const queues = azureQueues({ kind: 'connection-string', connectionString }, openSeam);
  const queue = QueueServiceClient.fromConnectionString(connectionString).getQueueClient('vault-events');
  const received = async (): Promise<string[]> =>
    (await queue.receiveMessages()).receivedMessageItems.map(({ messageText }) =>
      Buffer.from(messageText, 'base64').toString(),
    );
  await queues.send('vault-events', { after: 'an hour' }, 7_200, 3_600);
  expect(await received()).toEqual([]);
  await queues.send('vault-events', { after: 'a second' }, 60, 1);
  await expect.poll(received).toEqual(['{"after":"a second"}']);
});
