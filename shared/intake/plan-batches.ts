import type { MessageMeta } from '../mailboxes/message-ref.ts';

export const limits = {
  batchMessages: 50,
  /** Two batches are in memory at a time; larger batches would be too much for an instance with 512 MB. */
  batchBytes: 8 * 1024 * 1024,
  /**
   * An email up to this size is read into memory; a larger one is streamed in chunks, alone. Twice the chunk
   * size: below that, three round trips to the mail server, block upload and download again cost more than
   * the memory they save, which `batchBytes` bounds. Messages with a few photographs or a slide deck, 5 to 8
   * MB when encoded, stay below it.
   */
  inMemoryBytes: 8 * 1024 * 1024,
  /** A larger email stays on the server and goes to quarantine with its headers. */
  rawBytes: 100 * 1024 * 1024,
  /** Number of runs that may die over an email before it goes to quarantine. */
  attempts: 3,
} as const;

export type Batch =
  | { kind: 'in-memory'; messages: readonly MessageMeta[] }
  | { kind: 'large'; message: MessageMeta }
  | { kind: 'oversized'; message: MessageMeta };

export const messagesOf = (batch: Batch): readonly MessageMeta[] =>
  batch.kind === 'in-memory' ? batch.messages : [batch.message];

/** Splits the messages to fetch into batches, in the order given. Pure. */
export function planBatches(metas: readonly MessageMeta[]): Batch[] {
  const batches: Batch[] = [];
  let inMemory: MessageMeta[] = [];
  let bytes = 0;
  const flush = (): void => {
    if (inMemory.length > 0) batches.push({ kind: 'in-memory', messages: inMemory });
    inMemory = [];
    bytes = 0;
  };
  for (const message of metas) {
    if (message.size > limits.inMemoryBytes) {
      flush();
      batches.push({ kind: message.size > limits.rawBytes ? 'oversized' : 'large', message });
      continue;
    }
    if (inMemory.length >= limits.batchMessages || bytes + message.size > limits.batchBytes) flush();
    inMemory.push(message);
    bytes += message.size;
  }
  flush();
  return batches;
}
