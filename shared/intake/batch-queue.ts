import type { MessageMeta, MessageRef } from '../mailboxes/message-ref.ts';
import { inPieces } from './fetch-session.ts';
import { type Batch, messagesOf, planBatches } from './plan-batches.ts';

/**
 * The remaining batches of a fetch. Isolates a message that makes sessions fail, so that it is fetched alone.
 */
export class BatchQueue {
  readonly #batches: Batch[];
  /** Fetched alone, because the session failed when they were fetched with others. */
  readonly #suspects = new Set<MessageRef>();

  constructor(first: readonly MessageMeta[], last: readonly MessageMeta[]) {
    this.#batches = [...planBatches(first), ...planBatches(last)];
  }

  next(): Batch | undefined {
    return this.#batches.shift();
  }

  /** Puts the messages at the front of the queue. */
  putBack(metas: readonly MessageMeta[]): void {
    this.#batches.unshift(...planBatches(metas));
  }

  /** Whether the message is fetched alone to find out if it is the one that makes sessions fail. */
  isSuspect({ ref }: MessageMeta): boolean {
    return this.#suspects.has(ref);
  }

  /** Splits a batch of several messages over which the session failed. `missing` were not received. */
  isolateCulprit(batch: Batch, missing: readonly MessageMeta[]): void {
    const [first, ...others] = missing;
    if (first === undefined) return;
    if (missing.length === messagesOf(batch).length) {
      this.#batches.unshift(...inPieces(missing).flatMap(planBatches));
      return;
    }
    // Servers respond in order, so the first missing message is the most likely culprit.
    this.#suspects.add(first.ref);
    this.#batches.unshift(...planBatches(others));
    this.#batches.push(...planBatches([first]));
  }

  /** The messages that were not reached. */
  get rest(): MessageRef[] {
    return this.#batches.flatMap(messagesOf).map(({ ref }) => ref);
  }
}
