/** Every queue of the product. The infrastructure templates create the same list. */
export const queueNames = ['fetch-shard', 'outbox', 'vault-events'] as const;
export type QueueName = (typeof queueNames)[number];

export interface Queues {
  /**
   * Sends a value as JSON, base64-encoded as the Functions host expects. The message expires after
   * `ttlSeconds`; until `delaySeconds` have passed, no one receives it.
   */
  send(name: QueueName, value: unknown, ttlSeconds: number, delaySeconds?: number): Promise<void>;
  /**
   * The poison queue `<name>-poison`: its approximate message count and when its oldest message arrived
   * (ISO).
   */
  poison(name: QueueName): Promise<{ count: number; since: string | undefined }>;
  /** Deletes all messages of the poison queue. */
  clearPoison(name: QueueName): Promise<void>;
}
