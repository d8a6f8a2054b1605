import type { MessageMeta, MessageRef } from '../mailboxes/message-ref.ts';
import { mapLimited } from '../platform/concurrency.ts';
import { describeError, isCausedByContent } from '../platform/errors.ts';
import { log } from '../platform/log.ts';
import { abandoned, forceQuarantine } from './abandon-batch.ts';
import { applyDecisions } from './apply-decisions.ts';
import { type BatchContext, type BatchReport, emptyReport, type IntakeDeps, type Work } from './batch.ts';
import { decideBatch } from './decide-batch.ts';
import { type LedgerMail, placeOf, refOfPlace } from './ledger.ts';
import { type Batch, limits, messagesOf } from './plan-batches.ts';
import type { Claim } from './plan-claim.ts';
import { type ReadWork, readBatch } from './read-batch.ts';
import type { ReadOutcome } from './read-message.ts';
import { type KnownCopy, skipDuplicates } from './skip-duplicates.ts';
import { type StoredMail, storeRaw } from './store-raw.ts';

/**
 * Imports one batch of messages. The order of `BatchRun.#runSteps` ensures that nothing is lost or
 * duplicated (docs/decisions/0003). Messages that an earlier run started and never completed are processed
 * alone, so that an email that kills its run kills no other.
 */
export async function processBatch(
  deps: IntakeDeps,
  context: BatchContext,
  batch: Batch,
): Promise<BatchReport> {
  const { mailbox, scope, present } = context;
  const run = new BatchRun(deps, context, batch.kind);
  const all = messagesOf(batch);
  const places = await deps.ledger.lookUp(mailbox.id, scope, all);
  const emails = await deps.ledger.emails(
    mailbox.id,
    [...places.values()].map(({ key }) => key),
  );
  const copies: KnownCopy[] = [];
  let fresh: MessageMeta[] = [];
  for (const meta of all) {
    const place = places.get(meta.ref);
    const mail = place && emails.get(place.key);
    // The original of a copy may have been removed from the server before
    // it was stored: then the copy replaces it.
    const orphan = mail !== undefined && mail.state !== 'done' && !present.has(mail.place);
    if (place === undefined) fresh.push(meta);
    else if (place.copy && !orphan) copies.push({ meta, copy: place });
    else if (mail?.state === 'done')
      run.markOnServer([meta.ref], { isSpared: mail.decision?.disposition === 'skip' });
    else if (mail?.state === 'received' && context.slow.isSpent) run.report.waiting.push(meta.ref);
    else {
      await run.process(fresh, { alone: false });
      fresh = [];
      await run.process([meta], { alone: true });
    }
  }
  await run.process(fresh, { alone: false });
  await run.skipDuplicates(copies, { again: true });
  return run.report;
}

/** The progress of the messages of one attempt. */
interface Attempt {
  readonly metas: readonly MessageMeta[];
  readonly alone: boolean;
  stored?: readonly StoredMail[];
  claim?: Claim;
  work?: readonly Work[];
}

class BatchRun {
  readonly report = emptyReport();
  readonly #deps: IntakeDeps;
  readonly #context: BatchContext;
  readonly #kind: Batch['kind'];
  readonly #mailboxId: string;

  constructor(deps: IntakeDeps, context: BatchContext, kind: Batch['kind']) {
    this.#deps = deps;
    this.#context = context;
    this.#kind = kind;
    this.#mailboxId = context.mailbox.id;
  }

  async process(metas: readonly MessageMeta[], { alone }: { alone: boolean }): Promise<void> {
    if (metas.length === 0) return;
    if (this.report.broken !== undefined) {
      this.report.unasked.push(...metas);
      return;
    }
    if (alone) await this.#context.after;
    const attempt: Attempt = { metas, alone };
    try {
      await this.#runSteps(attempt);
    } catch (error) {
      if (!isCausedByContent(error)) {
        await this.#release(attempt.claim?.mine ?? []);
        throw error;
      }
      await (attempt.claim === undefined
        ? this.#storeEachAlone(attempt, error)
        : this.#processEachAlone(attempt, error));
    }
    if (attempt.claim !== undefined) await this.#finishClaim(attempt.claim, metas);
  }

  /** The seven steps. Each is idempotent, and its writes are durable before the next one starts. */
  async #runSteps(attempt: Attempt): Promise<void> {
    const stored = await this.#storeRaw(attempt);
    const claimed = await this.#claim(attempt, stored);
    const { work, outcomes } = await this.#read(attempt, claimed);
    const decided = await this.#decide(work, outcomes);
    await this.#apply(work, outcomes, decided);
    await this.#complete(decided);
    this.#markDecided(work, decided);
  }

  /** 1. Stores the raw message as a blob. */
  async #storeRaw(attempt: Attempt): Promise<readonly StoredMail[]> {
    const { inbox, scope } = this.#context;
    const place = { blobs: this.#deps.blobs, inbox, mailboxId: this.#mailboxId, scope };
    const { stored, missing, broken } = await storeRaw(place, this.#kind, attempt.metas);
    this.report.missing.push(...missing);
    this.report.broken ??= broken;
    attempt.stored = stored;
    return stored;
  }

  /** 2. Records in the ledger that this run works on it. */
  async #claim(attempt: Attempt, stored: readonly StoredMail[]): Promise<readonly Work[]> {
    const { alone } = attempt;
    const claim = await this.#deps.ledger.claim(this.#mailboxId, stored, {
      alone,
      present: this.#context.present,
    });
    attempt.claim = claim;
    const byKey = new Map(stored.toReversed().map((each) => [each.key, each]));
    const work = claim.mine.flatMap((mail): Work[] => {
      const each = byKey.get(mail.key);
      // Time and raw blob are those of the first place, even if a copy
      // takes over: every run writes the same rows.
      const { receivedAt, rawBlob } = mail;
      return each === undefined ? [] : [{ stored: Object.assign(each, { receivedAt, rawBlob }), mail }];
    });
    attempt.work = work;
    if (!alone) return work;
    return mapLimited(work, 1, (each) => abandoned(this.#deps, this.#mailboxId, each));
  }

  /** 3. Reads the emails; stores attachments and bodies as blobs. */
  async #read({ alone }: Attempt, claimed: readonly Work[]): Promise<ReadWork> {
    const { waiting, ...read } = await readBatch(this.#deps, this.#context, claimed, { alone });
    this.report.waiting.push(...waiting);
    return read;
  }

  /** 4. Stores the decisions in the ledger. They are final from then on. */
  async #decide(work: readonly Work[], outcomes: readonly ReadOutcome[]): Promise<LedgerMail[]> {
    if (work.length === 0) return [];
    await this.#context.after;
    return decideBatch(this.#deps, this.#context.mailbox, work, outcomes);
  }

  /** 5. Writes tickets, messages, their indexes and quarantine entries as rows. */
  async #apply(
    work: readonly Work[],
    outcomes: readonly ReadOutcome[],
    decided: readonly LedgerMail[],
  ): Promise<void> {
    if (work.length > 0) await applyDecisions(this.#deps, this.#context.mailbox, work, outcomes, decided);
  }

  /** 6. Records in the ledger that everything is stored. */
  async #complete(decided: readonly LedgerMail[]): Promise<void> {
    if (decided.length > 0) await this.#deps.ledger.complete(this.#mailboxId, decided);
    for (const { decision } of decided) {
      if (decision?.disposition === 'quarantine') this.report.quarantined += 1;
      else if (decision?.disposition === 'skip') this.report.skipped += 1;
      else if (decision?.opens === true) this.report.opened += 1;
      else this.report.replies += 1;
    }
  }

  /** 7. Marks only completed messages on the server, unless the server has the only copy. */
  markOnServer(refs: readonly MessageRef[], { isSpared }: { isSpared: boolean }): void {
    if (this.#kind === 'oversized') this.report.left.push(...refs);
    else if (refs.length > 0) this.#context.markLater(refs, { isSpared });
  }

  #markDecided(work: readonly Work[], decided: readonly LedgerMail[]): void {
    const dispositions = new Map(decided.map(({ key, decision }) => [key, decision?.disposition]));
    for (const isSpared of [false, true]) {
      const those = work.filter(({ mail }) => (dispositions.get(mail.key) === 'skip') === isSpared);
      this.markOnServer(
        those.map(({ stored }) => stored.ref),
        { isSpared },
      );
    }
  }

  /**
   * Handles the rest of the claim: messages of earlier runs, copies,
   * and emails that may have killed their run.
   */
  async #finishClaim(claim: Claim, metas: readonly MessageMeta[]): Promise<void> {
    for (const place of claim.completed)
      this.markOnServer([refOfPlace(place)], { isSpared: claim.spared.includes(place) });
    const metaOf = new Map(metas.map((each) => [placeOf(this.#context.scope, each), each]));
    await this.skipDuplicates(
      claim.copies.flatMap((copy) => {
        const meta = metaOf.get(copy.place);
        return meta === undefined ? [] : [{ meta, copy }];
      }),
      { again: false },
    );
    for (const { ref } of claim.suspects) await this.process(metasOf(metas, [ref]), { alone: true });
  }

  async skipDuplicates(copies: readonly KnownCopy[], { again }: { again: boolean }): Promise<void> {
    if (copies.length === 0) return;
    await this.#context.after;
    const { completed, waiting, skipped } = await skipDuplicates(this.#deps, this.#mailboxId, copies, {
      again,
    });
    this.markOnServer(completed, { isSpared: false });
    this.report.waiting.push(...waiting);
    this.report.skipped += skipped;
  }

  /** Storage refuses the bytes or rows of some messages before they are claimed: each is retried alone. */
  async #storeEachAlone({ metas, stored, alone }: Attempt, error: unknown): Promise<void> {
    log.error('email not stored', error, { mailbox: this.#mailboxId, emails: metas.length, alone });
    const concerned =
      stored === undefined
        ? metas
        : metasOf(
            metas,
            stored.map(({ ref }) => ref),
          );
    const [only, ...others] = concerned;
    if (only !== undefined && others.length === 0)
      this.report.refused.push({ meta: only, problem: describeError(error) });
    else for (const each of concerned) await this.process([each], { alone: true });
  }

  /**
   * Some message of the batch cannot be stored: each is retried alone, so that only the culprit remains. Its
   * attempts increase with every run until it goes to quarantine.
   */
  async #processEachAlone({ metas, work = [], alone }: Attempt, error: unknown): Promise<void> {
    log.error('email not imported', error, { mailbox: this.#mailboxId, emails: work.length, alone });
    const [only, ...others] = work;
    if (only === undefined) return;
    if (others.length > 0) {
      for (const { stored } of work) await this.process(metasOf(metas, [stored.ref]), { alone: true });
      return;
    }
    this.report.waiting.push(only.stored.ref);
    if (only.mail.attempts > limits.attempts)
      await forceQuarantine(
        this.#deps,
        this.#mailboxId,
        only,
        `it could not be stored: ${describeError(error)}`,
      );
  }

  /**
   * An outage is not the emails' fault: only deaths of a run count as
   * attempts. Best effort, since storage may be down.
   */
  async #release(emails: readonly LedgerMail[]): Promise<void> {
    if (emails.length === 0) return;
    try {
      await this.#deps.ledger.release(this.#mailboxId, emails);
    } catch (error) {
      log.warn('attempts not reverted', { mailbox: this.#mailboxId, error: describeError(error) });
    }
  }
}

const metasOf = (metas: readonly MessageMeta[], refs: readonly MessageRef[]): MessageMeta[] =>
  metas.filter(({ ref }) => refs.includes(ref));
