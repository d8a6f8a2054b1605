import type { MessageMeta } from '../mailboxes/message-ref.ts';

export const limits = {
  batchMessages: 50,
  /** Two batches are in memory at a time; with more in each, an instance of 512 MB would not do. */
  batchBytes: 8 * 1024 * 1024,
  /**
   * Up to here an email is held in memory; over it, it flows in pieces, alone. Twice the size of a piece: below that, three
   * round trips to the mail server, blocks up and pieces down again cost more than the memory they save, which
   * `batchBytes` bounds. Messages with a few photographs or a deck of slides, 5 to 8 MB as they travel, stay on this side.
   */
  inMemoryBytes: 8 * 1024 * 1024,
  /** Over this an email stays on the server and goes to quarantine with its headers. */
  rawBytes: 100 * 1024 * 1024,
  /** Runs that may die over an email before it goes to quarantine. */
  attempts: 3,
} as const;

export type Batch =
  | { kind: 'in-memory'; messages: readonly MessageMeta[] }
  | { kind: 'large'; message: MessageMeta }
  | { kind: 'oversized'; message: MessageMeta };

export const messagesOf = (batch: Batch): readonly MessageMeta[] =>
  batch.kind === 'in-memory' ? batch.messages : [batch.message];

/** Cuts what is to be fetched into batches, in the order given. Pure. */
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
