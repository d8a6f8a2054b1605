/** Every queue of the product. The infrastructure creates the same list. */
export const queueNames = ['fetch-shard', 'vault-events'] as const;
export type QueueName = (typeof queueNames)[number];

export interface Queues {
  /** Sends a value as JSON, in the base64 that the Functions host expects. It vanishes unread after `ttlSeconds`. */
  send(name: QueueName, value: unknown, ttlSeconds: number): Promise<void>;
  /** What the Functions host gave up: messages of `<name>-poison`, about how many, and when the first of them came (ISO). */
  poison(name: QueueName): Promise<{ count: number; since: string | undefined }>;
  /** Throws away what was given up. */
  clearPoison(name: QueueName): Promise<void>;
}
