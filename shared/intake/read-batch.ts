import type { MessageRef } from '../mailboxes/message-ref.ts';
import { SECOND_PARSER } from '../mime/parsed-message.ts';
import { mapLimited } from '../platform/concurrency.ts';
import { whyAbandoned } from './abandon-batch.ts';
import type { BatchContext, IntakeDeps, Work } from './batch.ts';
import { type ReadOutcome, readMail } from './read-message.ts';

const READ_AT_ONCE = 8;
/** Total size of emails read at once; each is in memory about three times: whole, in parts, in the parser. */
const READ_BYTES = 12 * 1024 * 1024;

export interface ReadWork {
  work: Work[];
  /** In the same order. */
  outcomes: ReadOutcome[];
}

/**
 * Reads the claimed emails of a batch, several at once, in their order. A slow one is left for a later run,
 * which reads it alone. An email whose earlier runs all crashed is not read again.
 * @param alone the email is the only one of its attempt, and may take all its time
 * @returns in `waiting` the slow ones
 */
export async function readBatch(
  deps: IntakeDeps,
  { mailbox, slow }: Pick<BatchContext, 'mailbox' | 'slow'>,
  claimed: readonly Work[],
  { alone }: { alone: boolean },
): Promise<ReadWork & { waiting: MessageRef[] }> {
  const read = { work: [] as Work[], outcomes: [] as ReadOutcome[], waiting: [] as MessageRef[] };
  const largest = Math.max(1, ...claimed.map(({ stored }) => stored.size));
  const atOnce = Math.max(1, Math.min(READ_AT_ONCE, Math.floor(READ_BYTES / largest)));
  const all = await mapLimited(claimed, atOnce, async ({ stored, mail }) => {
    const reason = whyAbandoned(mail);
    if (reason !== undefined) return quarantined(reason);
    const outcome = await readMail(deps, mailbox, stored, alone ? undefined : slow.patienceMs);
    // The blob has the bytes; two batches of them would be most of the memory.
    stored.raw = undefined;
    if (outcome.kind === 'slow' || (alone && wasDifficult(outcome))) slow.spend();
    return outcome;
  });
  for (const [index, each] of claimed.entries()) {
    const outcome = all[index];
    if (outcome === undefined || outcome.kind === 'slow') read.waiting.push(each.stored.ref);
    else {
      read.work.push(each);
      read.outcomes.push(outcome);
    }
  }
  return read;
}

const quarantined = (reason: string): ReadOutcome => ({
  kind: 'quarantine',
  reason,
  from: undefined,
  subject: undefined,
});

const wasDifficult = (outcome: ReadOutcome): boolean =>
  outcome.kind === 'quarantine' || (outcome.kind === 'message' && outcome.mail.notes.includes(SECOND_PARSER));
