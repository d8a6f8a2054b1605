import { performance } from 'node:perf_hooks';
import { parentPort, workerData } from 'node:worker_threads';
import { describeError } from '../platform/errors.ts';
import { currentThread } from './parse-deadline.ts';
import { loadLibraries, type MailLibrary, parseMessage } from './parse-message.ts';
import type { ParseLimits, ParseOutcome } from './parsed-message.ts';

/**
 * The thread that reads email; `parser-pool.ts` kills it when it hangs. It makes no network or storage calls,
 * so killing it leaves nothing half done. It reads one email at a time, in order, so the pool always knows
 * which one caused a failure.
 */
export interface ParseTask {
  id: number;
  raw: Uint8Array;
  parser: MailLibrary;
  nonce: string | undefined;
}

export type ParseReply =
  /** The thread is ready and starts reading this email. `thread`: see `currentThread`. */
  | { id: number; begun: true; thread: string | undefined }
  | { id: number; outcome: ParseOutcome }
  | { id: number; failure: string }
  /** The library is waiting for something that never happens. */
  | { id: number; hangs: true };

/** A library that is idle for two of these intervals in a row hangs: it already has all of its input. */
const IDLE_MS = 250;

let last: Promise<void> = Promise.resolve();

parentPort?.on('message', (task: ParseTask) => {
  last = last.then(() => answer(task));
});

async function answer({ id, raw, parser, nonce }: ParseTask): Promise<void> {
  const limits: ParseLimits = workerData;
  try {
    // Before the clock starts: a slow disk is not the email's fault.
    await loadLibraries();
    reply({ id, begun: true, thread: currentThread() }, []);
    const parsing = parseMessage(raw, { parser, limits, ...(nonce === undefined ? {} : { nonce }) });
    const outcome = await Promise.race([parsing, idleForLong()]);
    if (outcome === 'idle') {
      parsing.catch(() => {});
      reply({ id, hangs: true }, []);
      return;
    }
    const buffers = outcome.kind === 'mail' ? ownBuffers(outcome.mail.attachments) : [];
    reply({ id, outcome }, buffers);
  } catch (error) {
    reply({ id, failure: describeError(error) }, []);
  } finally {
    clearInterval(clock);
  }
}

let clock: NodeJS.Timeout | undefined;

function idleForLong(): Promise<'idle'> {
  return new Promise((resolve) => {
    let idle = 0;
    let before = performance.eventLoopUtilization();
    clock = setInterval(() => {
      const now = performance.eventLoopUtilization();
      const { active, idle: waited } = performance.eventLoopUtilization(now, before);
      before = now;
      idle = waited > IDLE_MS / 2 && active < IDLE_MS / 10 ? idle + 1 : 0;
      if (idle === 2) resolve('idle');
    }, IDLE_MS);
  });
}

function reply(message: ParseReply, buffers: ArrayBuffer[]): void {
  parentPort?.postMessage(message, buffers);
}

/**
 * A small Buffer shares its memory with others and cannot be
 * transferred, so such content gets a buffer of its own.
 */
function ownBuffers(attachments: { content: Uint8Array | undefined }[]): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const attachment of attachments) {
    const { content } = attachment;
    if (content === undefined) continue;
    const { buffer } = content;
    if (buffer instanceof ArrayBuffer && buffer.byteLength === content.byteLength) buffers.add(buffer);
    else {
      const own = new Uint8Array(content);
      attachment.content = own;
      buffers.add(own.buffer);
    }
  }
  return [...buffers];
}
