/** How a limit on time is measured, so that other programs on the machine cannot fail a test. */
import { readdirSync, readFileSync } from 'node:fs';

/** Milliseconds for which the processor computed in this thread during `work`: what an input costs. */
export async function processorTime(work: () => unknown): Promise<number> {
  const before = process.threadCpuUsage();
  await work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}

/**
 * Milliseconds that `work` takes by the clock, less those for which threads of this process were ready and waited for a
 * processor. The best of up to three runs, because other processes that take part wait too; none follows one under the limit.
 */
export async function bestOfThree(limitMs: number, work: () => Promise<unknown>): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 3 && best >= limitMs; run += 1) {
    const [began, waited] = [performance.now(), waits()];
    await work();
    let ms = performance.now() - began;
    for (const [thread, wait] of waits()) ms -= Math.max(0, wait - (waited.get(thread) ?? 0));
    best = Math.min(best, ms);
  }
  return best;
}

/**
 * How many milliseconds each thread of this process has waited for a processor so far; empty where the system does not say.
 * https://docs.kernel.org/scheduler/sched-stats.html
 */
function waits(): Map<string, number> {
  const threads = process.platform === 'linux' ? readdirSync('/proc/self/task') : [];
  return new Map(threads.map((thread) => [thread, waitOf(thread)]));
}

function waitOf(thread: string): number {
  try {
    const [, nanoseconds] = readFileSync(`/proc/self/task/${thread}/schedstat`, 'latin1').split(' ');
    return Number(nanoseconds) / 1e6;
  } catch {
    // The thread has ended.
    return 0;
  }
}
