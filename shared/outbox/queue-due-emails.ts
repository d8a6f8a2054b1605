import type { Queues } from '../platform/queues.ts';
import { jobsOf, type OutboxJob, type OutboxStore, sendJob } from './outbox-store.ts';

/** Entries of the timetable that are read in a minute: ten requests, and one if fewer than 900 are due. */
const MOST_READ = 9_000;
/** Jobs that are queued in a minute; the rest is queued the minute after. */
const MOST_JOBS = 200;

/**
 * Queues the emails that are due, or were claimed by a process that is gone; returns their number. The queue
 * message that an email was sent with may be lost or may have come too early. Every mailbox gets its first job before
 * any gets a second one: the emails that one cannot send must not delay those of others.
 */
export async function queueDueEmails(deps: {
  outbox: Pick<OutboxStore, 'due'>;
  queues: Pick<Queues, 'send'>;
}): Promise<number> {
  const jobs = inTurn(jobsOf(await deps.outbox.due(MOST_READ))).slice(0, MOST_JOBS);
  for (const job of jobs) await sendJob(deps.queues, job);
  return jobs.reduce((sum, { due }) => sum + due.length, 0);
}

/** The first job of each mailbox, then the second ones, and so on. Pure. */
function inTurn(jobs: readonly OutboxJob[]): OutboxJob[] {
  const counts = new Map<string, number>();
  const rounds = Map.groupBy(jobs, ({ mailboxId }) => {
    const round = counts.get(mailboxId) ?? 0;
    counts.set(mailboxId, round + 1);
    return round;
  });
  return [...rounds].toSorted(([one], [other]) => one - other).flatMap(([, of]) => of);
}
