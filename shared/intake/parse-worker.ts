import { parentPort, workerData } from 'node:worker_threads';
import { describeError } from '../platform/errors.ts';
import { type MailLibrary, parseMessage } from './parse-message.ts';
import type { ParseLimits, ParseOutcome } from './parsed-message.ts';

/**
 * The thread that reads mail; `parser-pool.ts` kills it when it hangs. It makes no network or storage call, so nothing
 * is left half done. One mail at a time, in order, so that the pool always knows which one is at fault.
 */
export interface ParseTask {
  id: number;
  raw: Uint8Array;
  parser: MailLibrary;
  nonce: string | undefined;
}

export type ParseReply = { id: number; outcome: ParseOutcome } | { id: number; failure: string };

let last: Promise<void> = Promise.resolve();

parentPort?.on('message', (task: ParseTask) => {
  last = last.then(() => answer(task));
});

async function answer({ id, raw, parser, nonce }: ParseTask): Promise<void> {
  const limits: ParseLimits = workerData;
  try {
    const outcome = await parseMessage(raw, { parser, limits, ...(nonce === undefined ? {} : { nonce }) });
    const buffers = outcome.kind === 'mail' ? ownBuffers(outcome.mail.attachments) : [];
    reply({ id, outcome }, buffers);
  } catch (error) {
    reply({ id, failure: describeError(error) }, []);
  }
}

function reply(message: ParseReply, buffers: ArrayBuffer[]): void {
  parentPort?.postMessage(message, buffers);
}

/** A small Buffer shares its memory with others and cannot be handed over, so each content gets its own. */
function ownBuffers(attachments: { content: Uint8Array | undefined }[]): ArrayBuffer[] {
  return attachments.flatMap((attachment) => {
    if (attachment.content === undefined) return [];
    const own = new Uint8Array(attachment.content);
    attachment.content = own;
    return [own.buffer];
  });
}
