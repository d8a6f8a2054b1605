import type { QueueServiceClient } from '@azure/storage-queue';
import type { StorageSettings } from './config.ts';
import { appCredential } from './credential.ts';
import { PostroomError } from './errors.ts';
import type { Queues } from './queues.ts';
import { statusOf } from './sdk-error.ts';
import type { Seam } from './seam.ts';

/** Queue Storage, by connection string locally and by managed identity in Azure. The SDK is loaded at the first call. */
export function azureQueues(settings: StorageSettings, seam: Seam): Queues {
  let service: Promise<QueueServiceClient> | undefined;
  return {
    async send(name, value, ttlSeconds) {
      service ??= connect(settings);
      const queue = (await service).getQueueClient(name);
      const text = Buffer.from(JSON.stringify(value)).toString('base64');
      await seam.call('queue.send', async () => {
        try {
          await queue.sendMessage(text, { messageTimeToLive: ttlSeconds });
        } catch (error) {
          if (!(error instanceof Error && 'code' in error && error.code === 'QueueNotFound'))
            throw new PostroomError('queue-storage', `Queue Storage did not take a message for ${name}`, {
              cause: error,
            });
          await queue.createIfNotExists();
          await queue.sendMessage(text, { messageTimeToLive: ttlSeconds });
        }
      });
    },
    async poison(name) {
      service ??= connect(settings);
      const queue = (await service).getQueueClient(`${name}-poison`);
      return seam.call('queue.poison', async () => {
        try {
          const { approximateMessagesCount: count = 0 } = await queue.getProperties();
          const first = count === 0 ? undefined : (await queue.peekMessages()).peekedMessageItems[0];
          return { count, since: first?.insertedOn?.toISOString() };
        } catch (error) {
          if (statusOf(error) === 404) return { count: 0, since: undefined };
          throw new PostroomError('queue-storage', `Queue Storage did not count what ${name} gave up`, {
            cause: error,
          });
        }
      });
    },
    async clearPoison(name) {
      service ??= connect(settings);
      const queue = (await service).getQueueClient(`${name}-poison`);
      await seam.call('queue.clear', async () => {
        try {
          await queue.clearMessages();
        } catch (error) {
          throw new PostroomError('queue-storage', `Queue Storage did not clear ${name}-poison`, {
            cause: error,
          });
        }
      });
    },
  };
}

async function connect(settings: StorageSettings): Promise<QueueServiceClient> {
  const { QueueServiceClient } = await import('@azure/storage-queue');
  if (settings.kind === 'connection-string')
    return QueueServiceClient.fromConnectionString(settings.connectionString);
  return new QueueServiceClient(settings.queues, await appCredential(settings.clientId));
}
