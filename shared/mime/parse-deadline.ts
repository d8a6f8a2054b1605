import { readFileSync, readlinkSync } from 'node:fs';

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

/**
 * The calling thread in Linux's list of threads, `PID/task/TID`; undefined on other systems.
 * https://man7.org/linux/man-pages/man5/proc_thread-self.5.html
 */
export function currentThread(): string | undefined {
  try {
    return readlinkSync('/proc/thread-self');
  } catch {
    return undefined;
  }
}

/** Linux counts in hundredths of a second here, whatever the kernel's own clock is. */
const MS_PER_TICK = 10;

/**
 * CPU time of a thread in milliseconds, user and system; undefined if it has ended, or the system does not
 * say. Not `Worker.cpuUsage()`: a process was seen to crash (SIGSEGV, Node 24.21) when a busy thread was
 * terminated that had not answered such a request.
 * https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 * @param thread from `currentThread`
 */
export function processorTime(thread: string | undefined): number | undefined {
  if (thread === undefined) return undefined;
  try {
    const stat = readFileSync(`/proc/${thread}/stat`, 'latin1');
    // The name of the thread, in parentheses, may contain spaces. The 12th and 13th fields after it are utime and stime.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    return Number.isFinite(ticks) ? ticks * MS_PER_TICK : undefined;
  } catch {
    return undefined;
  }
}
