import { queueDueMailboxes } from '../../shared/intake/queue-due-mailboxes.ts';
import { log } from '../../shared/platform/log.ts';
import { services } from '../services.ts';

/** Every minute: puts due mailboxes on the queue `fetch-shard`. */
export async function fetchMail(): Promise<void> {
  const { mailboxes, queues, seam, heartbeats } = services();
  const queued = await queueDueMailboxes({ mailboxes, queues }, seam.now());
  if (queued > 0) log.info('mailboxes queued', { queued });
  await heartbeats.beat('fetchMail', seam.now());
}
