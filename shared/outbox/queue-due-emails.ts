import type { Queues } from '../platform/queues.ts';
import { jobsOf, type OutboxStore, sendJob } from './outbox-store.ts';

/** More than the queue works off in a minute; the rest is queued the minute after. */
const AT_MOST = 900;

/**
 * Queues every email that is due, or was claimed by a process that is gone; returns their number. The queue
 * message that an email was sent with may be lost or may have come too early.
 */
export async function queueDueEmails(deps: {
  outbox: Pick<OutboxStore, 'due'>;
  queues: Pick<Queues, 'send'>;
}): Promise<number> {
  const due = await deps.outbox.due(AT_MOST);
  for (const job of jobsOf(due)) await sendJob(deps.queues, job);
  return due.length;
}
