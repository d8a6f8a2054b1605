import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { currentThread, deadlineOf, processorTime } from '../../shared/mime/parse-deadline.ts';

describe('the time limit of an email', () => {
  it.each([
    [0, 3_000],
    [100 * 1024, 3_000],
    [1024 * 1024, 4_083],
    [24 * 1024 * 1024, 30_000],
  ])('gives %i bytes %i ms', (bytes, ms) => {
    expect(deadlineOf(bytes)).toBe(ms);
  });
});

/** Uses the processor for this long, however busy the machine is. */
function work(ms: number): void {
  const before = process.threadCpuUsage();
  for (let used = 0; used < ms; ) {
    const { user, system } = process.threadCpuUsage(before);
    used = (user + system) / 1_000;
  }
}

describe.runIf(process.platform === 'linux')('the CPU time of a thread', () => {
  it('grows while the thread works, and not while another one does', async () => {
    const worker = new Worker(
      `const { readlinkSync } = require('node:fs');
       const { parentPort } = require('node:worker_threads');
       parentPort.postMessage(readlinkSync('/proc/thread-self'));
       parentPort.on('message', () => {});`,
      { eval: true },
    );
    try {
      const idle = await new Promise<string>((resolve) => worker.once('message', resolve));
      const before = [processorTime(currentThread()), processorTime(idle)].map(Number);
      work(400);
      const after = [processorTime(currentThread()), processorTime(idle)].map(Number);
      expect((after[0] ?? 0) - (before[0] ?? 0)).toBeGreaterThanOrEqual(300);
      expect((after[1] ?? 0) - (before[1] ?? 0)).toBeLessThan(100);
    } finally {
      await worker.terminate();
    }
  });

  it('is unknown for a thread that has ended, and on a system that does not name threads', () => {
    expect(processorTime(`${process.pid}/task/1`)).toBeUndefined();
    expect(processorTime(undefined)).toBeUndefined();
  });
});
