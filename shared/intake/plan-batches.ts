import type { MessageMeta } from '../mailboxes/inbox.ts';

export const limits = {
  batchMails: 50,
  batchBytes: 32 * 1024 * 1024,
  /**
   * Up to here an email is inMemory in memory; over it, it flows in pieces, alone. Twice the size of a piece: below that, three
   * round trips to the mail server, blocks up and pieces down again cost more than the memory they save, which
   * `batchBytes` bounds. Mails with a few photographs or a deck of slides, 5 to 8 MB as they travel, stay on this side.
   */
  inMemoryBytes: 8 * 1024 * 1024,
  /** Over this an email stays on the server and goes to quarantine with its headers. */
  rawBytes: 100 * 1024 * 1024,
  /** Runs that may die over an email before it goes to quarantine. */
  attempts: 3,
} as const;

export type Batch =
  | { kind: 'in-memory'; mails: readonly MessageMeta[] }
  | { kind: 'large'; mail: MessageMeta }
  | { kind: 'oversized'; mail: MessageMeta };

/** Cuts what is to be fetched into batches, in UID order. Pure. */
export function planBatches(facts: readonly MessageMeta[]): Batch[] {
  const batches: Batch[] = [];
  let inMemory: MessageMeta[] = [];
  let bytes = 0;
  const flush = (): void => {
    if (inMemory.length > 0) batches.push({ kind: 'in-memory', mails: inMemory });
    inMemory = [];
    bytes = 0;
  };
  for (const mail of facts) {
    if (mail.size > limits.inMemoryBytes) {
      flush();
      batches.push({ kind: mail.size > limits.rawBytes ? 'oversized' : 'large', mail });
      continue;
    }
    if (inMemory.length >= limits.batchMails || bytes + mail.size > limits.batchBytes) flush();
    inMemory.push(mail);
    bytes += mail.size;
  }
  flush();
  return batches;
}
