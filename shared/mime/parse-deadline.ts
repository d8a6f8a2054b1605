import type { Worker } from 'node:worker_threads';
import { withinTime } from '../platform/concurrency.ts';

const SMALL_BYTES = 100 * 1024;
const SMALL_MS = 3_000;
const MS_PER_BYTE = 1_200 / (1024 * 1024);
/** For the largest emails, and for a machine that does not schedule the thread. */
export const LONGEST_MS = 30_000;

/**
 * How long a library may take for an email of this size: three seconds
 * for most emails, plus about one per megabyte.
 */
export const deadlineOf = (bytes: number): number =>
  Math.min(LONGEST_MS, Math.round(SMALL_MS + Math.max(0, bytes - SMALL_BYTES) * MS_PER_BYTE));

/** Time limit for the response of a busy thread. */
const ASKED_MS = 100;

/** CPU time of a thread in milliseconds; undefined if it does not respond quickly. */
export async function processorTime(worker: Worker): Promise<number | undefined> {
  const asked = worker.cpuUsage().then(
    ({ user, system }) => (user + system) / 1000,
    () => undefined,
  );
  return (await withinTime(asked, ASKED_MS)) === 'late' ? undefined : asked;
}
