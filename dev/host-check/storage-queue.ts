import { QueueServiceClient } from '@azure/storage-queue';

export interface CheckedQueue {
  /** Base64, as the Functions host expects it. */
  put(text: string): Promise<void>;
  /** Peeks the texts on a queue; a queue that does not exist has none. */
  texts(): Promise<string[]>;
}

export function storageQueue(connectionString: string, name: string): CheckedQueue {
  const queue = QueueServiceClient.fromConnectionString(connectionString).getQueueClient(name);
  return {
    async put(text) {
      await queue.createIfNotExists();
      await queue.sendMessage(Buffer.from(text).toString('base64'));
    },
    async texts() {
      if (!(await queue.exists())) return [];
      const { peekedMessageItems } = await queue.peekMessages({ numberOfMessages: 32 });
      return peekedMessageItems.map(({ messageText }) => Buffer.from(messageText, 'base64').toString());
    },
  };
}
