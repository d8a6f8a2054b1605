import type { QueueName, Queues } from '../../../shared/platform/queues.ts';
import type { Seam } from '../../../shared/platform/seam.ts';

/** Queues in memory; sent messages stay available to a test. */
export class MemoryQueues implements Queues {
  readonly sent: { name: QueueName; value: unknown; delaySeconds?: number }[] = [];
  /** Times (ISO) at which messages became poison messages, by queue. */
  readonly abandoned = new Map<QueueName, string[]>();
  readonly #seam: Seam;

  constructor(seam: Seam) {
    this.#seam = seam;
  }

  send(name: QueueName, value: unknown, _ttlSeconds: number, delaySeconds?: number): Promise<void> {
    return this.#seam.call('queue.send', async () => {
      this.sent.push({ name, value, ...(delaySeconds !== undefined && { delaySeconds }) });
    });
  }

  poison(name: QueueName): Promise<{ count: number; since: string | undefined }> {
    return this.#seam.call('queue.poison', async () => {
      const times = this.abandoned.get(name) ?? [];
      return { count: times.length, since: times[0] };
    });
  }

  clearPoison(name: QueueName): Promise<void> {
    return this.#seam.call('queue.clear', async () => {
      this.abandoned.delete(name);
    });
  }
}
