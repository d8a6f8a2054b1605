import type { QueueClient, QueueServiceClient } from '@azure/storage-queue';
import type { StorageSettings } from './config.ts';
import { appCredential } from './credential.ts';
import { retryOnce, storageRetries, withDeadline } from './deadline.ts';
import { PostroomError } from './errors.ts';
import type { Queues } from './queues.ts';
import { statusOf } from './sdk-error.ts';
import type { Seam } from './seam.ts';

/** Queue Storage, by connection string locally and by managed identity in Azure. The SDK is loaded at the first call. */
export function azureQueues(settings: StorageSettings, seam: Seam): Queues {
  let service: Promise<QueueServiceClient> | undefined;
  return {
    async send(name, value, ttlSeconds, delaySeconds = 0) {
      service ??= connect(settings);
      const queue = (await service).getQueueClient(name);
      const text = Buffer.from(JSON.stringify(value)).toString('base64');
      await seam.call('queue.send', async () => {
        try {
          await sendTo(queue, text, ttlSeconds, delaySeconds);
        } catch (error) {
          if (!(error instanceof Error && 'code' in error && error.code === 'QueueNotFound'))
            throw new PostroomError('queue-storage', `Queue Storage did not accept a message for ${name}`, {
              cause: error,
            });
          await withDeadline(({ signal: abortSignal }) => queue.createIfNotExists({ abortSignal }));
          await sendTo(queue, text, ttlSeconds, delaySeconds);
        }
      });
    },
    async poison(name) {
      service ??= connect(settings);
      const queue = (await service).getQueueClient(`${name}-poison`);
      return seam.call('queue.poison', async () => {
        try {
          return await retryOnce(async ({ signal: abortSignal }) => {
            const { approximateMessagesCount: count = 0 } = await queue.getProperties({ abortSignal });
            const first =
              count === 0 ? undefined : (await queue.peekMessages({ abortSignal })).peekedMessageItems[0];
            return { count, since: first?.insertedOn?.toISOString() };
          });
        } catch (error) {
          if (statusOf(error) === 404) return { count: 0, since: undefined };
          throw new PostroomError(
            'queue-storage',
            `Queue Storage did not count the failed messages of ${name}`,
            {
              cause: error,
            },
          );
        }
      });
    },
    async clearPoison(name) {
      service ??= connect(settings);
      const queue = (await service).getQueueClient(`${name}-poison`);
      await seam.call('queue.clear', async () => {
        try {
          await withDeadline(({ signal: abortSignal }) => queue.clearMessages({ abortSignal }));
        } catch (error) {
          throw new PostroomError('queue-storage', `Queue Storage did not clear ${name}-poison`, {
            cause: error,
          });
        }
      });
    },
  };
}

const sendTo = (
  queue: QueueClient,
  text: string,
  messageTimeToLive: number,
  visibilityTimeout: number,
): Promise<unknown> =>
  withDeadline(({ signal: abortSignal }) =>
    queue.sendMessage(text, { messageTimeToLive, visibilityTimeout, abortSignal }),
  );

async function connect(settings: StorageSettings): Promise<QueueServiceClient> {
  const { QueueServiceClient } = await import('@azure/storage-queue');
  const options = { retryOptions: storageRetries };
  if (settings.kind === 'connection-string')
    return QueueServiceClient.fromConnectionString(settings.connectionString, options);
  return new QueueServiceClient(settings.queues, await appCredential(settings.clientId), options);
}
