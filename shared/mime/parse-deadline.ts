import type { Worker } from 'node:worker_threads';
import { withinTime } from '../platform/concurrency.ts';

const SMALL_BYTES = 100 * 1024;
const SMALL_MS = 3_000;
const MS_PER_BYTE = 1_200 / (1024 * 1024);
/** For the largest emails, and for a machine that gives a thread no turn. */
export const LONGEST_MS = 30_000;

/** How long a library may take over so many bytes: three seconds for most emails, and about one for each megabyte more. */
export const deadlineOf = (bytes: number): number =>
  Math.min(LONGEST_MS, Math.round(SMALL_MS + Math.max(0, bytes - SMALL_BYTES) * MS_PER_BYTE));

/** For the answer of a thread that is busy. */
const ASKED_MS = 100;

/** Milliseconds of processor that a thread has used; undefined where it cannot say so at once. */
export async function processorTime(worker: Worker): Promise<number | undefined> {
  const asked = worker.cpuUsage().then(
    ({ user, system }) => (user + system) / 1000,
    () => undefined,
  );
  return (await withinTime(asked, ASKED_MS)) === 'late' ? undefined : asked;
}
