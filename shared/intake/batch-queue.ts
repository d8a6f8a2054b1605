import type { MessageMeta, MessageRef } from '../mailboxes/message-ref.ts';
import { inPieces } from './fetch-session.ts';
import { type Batch, messagesOf, planBatches } from './plan-batches.ts';

/** The batches of a fetch that are still to come. A message at which sessions break off is sought, then asked for alone. */
export class BatchQueue {
  readonly #batches: Batch[];
  /** Asked for alone, because the session broke off when they were asked for with others. */
  readonly #suspects = new Set<MessageRef>();

  constructor(first: readonly MessageMeta[], last: readonly MessageMeta[]) {
    this.#batches = [...planBatches(first), ...planBatches(last)];
  }

  next(): Batch | undefined {
    return this.#batches.shift();
  }

  /** As the next one. */
  putBack(metas: readonly MessageMeta[]): void {
    this.#batches.unshift(...planBatches(metas));
  }

  /** Whether the message is asked for alone, to find out whether it is the one at fault. */
  isSuspect({ ref }: MessageMeta): boolean {
    return this.#suspects.has(ref);
  }

  /** The session broke off over a batch of several, and these of it did not come. */
  isolateCulprit(batch: Batch, missing: readonly MessageMeta[]): void {
    const [first, ...others] = missing;
    if (first === undefined) return;
    if (missing.length === messagesOf(batch).length) {
      this.#batches.unshift(...inPieces(missing).flatMap(planBatches));
      return;
    }
    // Servers answer in order: the first that did not come is the most likely one.
    this.#suspects.add(first.ref);
    this.#batches.unshift(...planBatches(others));
    this.#batches.push(...planBatches([first]));
  }

  /** What was not come to. */
  get rest(): MessageRef[] {
    return this.#batches.flatMap(messagesOf).map(({ ref }) => ref);
  }
}
