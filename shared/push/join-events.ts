import { queueTask } from '../intake/fetch-again.ts';
import { PostroomError } from '../platform/errors.ts';
import type { Queues } from '../platform/queues.ts';
import type { Seam } from '../platform/seam.ts';
import { isFromFuture } from '../platform/trusted-time.ts';
import type { PushStore } from './push-records.ts';
import type { Wake } from './subscription.ts';

/** Events of one mailbox within this time are answered with one fetch (docs/decisions/0022). */
export const JOIN_MS = 5_000;
/** Clocks of two instances may differ: a fetch that starts this soon may already have started. */
const CLOCK_MS = 1_000;
const TRIES = 10;

/**
 * When the fetch for an event at `now` may start, in milliseconds; undefined if a fetch that has not started
 * yet will see its email. So an event during a fetch always causes another one. Pure.
 */
export function fetchTimeFor(last: Wake | undefined, now: number): number | undefined {
  if (last === undefined || isFromFuture(last.fetchAt, now)) return now;
  const fetchAt = Date.parse(last.fetchAt);
  if (fetchAt > now + CLOCK_MS) return undefined;
  return Math.max(now, fetchAt + JOIN_MS);
}

export interface JoinDeps {
  push: Pick<PushStore, 'getWake' | 'claimWake' | 'saveWake'>;
  queues: Pick<Queues, 'send'>;
  seam: Pick<Seam, 'now'>;
}

/**
 * Answers an event with a fetch of its mailbox, or leaves it to one that is queued and not visible yet. The row
 * is claimed before the message is sent, so that of many instances one sends. If the process dies in between,
 * up to five seconds of events are lost, like events that never came: the next look finds their email.
 * @throws PostroomError if storage is unavailable; then Graph has to send the event again
 */
export async function queueFetchFor(deps: JoinDeps, mailboxId: string): Promise<void> {
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const now = deps.seam.now();
    const stored = await deps.push.getWake(mailboxId);
    const at = fetchTimeFor(stored?.record, now);
    if (at === undefined) return;
    const wake = { mailboxId, eventAt: iso(now), fetchAt: iso(at) };
    if (!(await deps.push.claimWake(wake, stored?.etag))) continue;
    try {
      await queueTask(deps.queues, mailboxId, { kind: 'new-mail' }, Math.ceil((at - now) / 1000));
    } catch (error) {
      // Otherwise later events would rely on a fetch that is not queued.
      await deps.push.saveWake({ ...wake, fetchAt: iso(now) }).catch(() => {});
      throw error;
    }
    return;
  }
  throw new PostroomError(
    'table-storage',
    'The row of the last event was changed by others at every attempt',
  );
}

const iso = (ms: number): string => new Date(ms).toISOString();

/**
 * Runs `work` for a key once at a time. Callers during a run share the next one, which starts after all of
 * them, so that a thousand simultaneous events cost two runs. Only saves work: correctness does not depend on
 * it, since other processes share nothing.
 */
export function shareRuns<T>(work: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const running = new Map<string, Promise<T>>();
  const waiting = new Map<string, Promise<T>>();
  const start = (key: string): Promise<T> => {
    const run = work(key).finally(() => {
      if (running.get(key) === run) running.delete(key);
    });
    running.set(key, run);
    return run;
  };
  return (key) => {
    const current = running.get(key);
    if (current === undefined) return start(key);
    const next = waiting.get(key);
    if (next !== undefined) return next;
    const queued = current
      .catch(() => {})
      .then(() => {
        waiting.delete(key);
        return start(key);
      });
    waiting.set(key, queued);
    return queued;
  };
}
