import type { Inbox, InboxError, MessageMeta } from '../mailboxes/inbox.ts';
import type { Mailbox } from '../mailboxes/mailbox.ts';
import type { Blobs } from '../platform/blobs.ts';
import { mapLimited } from '../platform/concurrency.ts';
import { describeError, isCausedByContent } from '../platform/errors.ts';
import { log } from '../platform/log.ts';
import type { Tables } from '../platform/tables.ts';
import { decideBatch } from './decide-batch.ts';
import { applyDecisions } from './apply-decisions.ts';
import { abandoned, forceQuarantine, whyAbandoned } from './abandon-batch.ts';
import { type Download, type StoredMail, storeRaw } from './store-raw.ts';
import { type Decision, type LedgerMail, type UidScope, placeOf, uidOfPlace } from './ledger.ts';
import type { Claim, LedgerStore } from './ledger-store.ts';
import type { ParserPool } from './parser-pool.ts';
import { skipDuplicates, type StandingCopy } from './skip-duplicates.ts';
import { type Batch, limits } from './plan-batches.ts';
import type { QuarantineStore } from './quarantine-store.ts';
import { type ReadDeps, type ReadOutcome, readMail } from './read-message.ts';

export interface IntakeDeps extends Pick<ReadDeps, 'senderRules'> {
  tables: Tables;
  blobs: Blobs;
  ledger: LedgerStore;
  quarantine: QuarantineStore;
  parser: ParserPool;
  /** Ticket that an email opens, made from the mail alone, so that every repetition means the same one. */
  ticketIdOf: (mailboxId: string, key: string) => string;
  /** True for the Message-ID of an email that "Test connection" sent to its own mailbox; absent: there are none. */
  isOwnTest?: ((messageId: string) => Promise<boolean>) | undefined;
}

export interface BatchReport {
  opened: number;
  replies: number;
  quarantined: number;
  skipped: number;
  /** UIDs whose mail is settled: to be marked, moved or deleted on the server. */
  settled: number[];
  /** Those of them that never became a ticket on purpose: they are not deleted. */
  spared: number[];
  /** UIDs settled but left as they are, because the server has the only copy. */
  left: number[];
  /** UIDs that a later run has to come back to. */
  waiting: number[];
  /** Asked for and not handed out. */
  missing: MessageMeta[];
  /** Not asked for, because the session had ended. */
  unasked: MessageMeta[];
  /** Whose rows or bytes storage refuses, each with the reason. */
  refused: { facts: MessageMeta; problem: string }[];
  /** Why the session ended before its time, if it did. */
  broken: InboxError | undefined;
}

export interface BatchPlace {
  mailbox: Mailbox;
  inbox: Inbox;
  numbering: UidScope;
  /** Places of all mail of the fetch. */
  present: ReadonlySet<string>;
  /**
   * The batch before this one. Mail is kept, claimed and read while that one is still filed; decisions wait for it, since
   * a reply may answer its mail. An email that may kill its run waits before it is even claimed: no other then dies with it.
   */
  after: Promise<unknown>;
}

/** What an email is worked on with. */
export interface Work {
  kept: StoredMail;
  mail: LedgerMail;
}

/**
 * Takes one batch of mail into storage. The order loses nothing and doubles nothing (docs/decisions/0003):
 * 1 raw blobs, 2 claim, 3 read, 4 decide, 5 file, 6 done; marking on the server (7) is the caller's, afterwards.
 * Mail that an earlier run began and never settled is taken alone, so that an email that kills its run kills no other.
 */
export async function processBatch(deps: IntakeDeps, place: BatchPlace, batch: Batch): Promise<BatchReport> {
  const { mailbox, numbering, present } = place;
  const run = new BatchRun(deps, place, batch.kind);
  const all = batch.kind === 'in-memory' ? batch.mails : [batch.mail];
  const places = await deps.ledger.lookUp(mailbox.id, numbering, all);
  const mails = await deps.ledger.mails(
    mailbox.id,
    [...places.values()].map(({ key }) => key),
  );
  const copies: StandingCopy[] = [];
  let fresh: MessageMeta[] = [];
  for (const facts of all) {
    const place = places.get(facts.uid);
    const mail = place && mails.get(place.key);
    // What a copy is a copy of may have gone from the server before it was stored: then the copy takes its place.
    const orphan = mail !== undefined && mail.state !== 'done' && !present.has(mail.place);
    if (place === undefined) fresh.push(facts);
    else if (place.copy && !orphan) copies.push({ facts, copy: place });
    else if (mail?.state === 'done') run.markDone(facts.uid, mail.decision);
    else {
      await run.take(fresh, { alone: false });
      fresh = [];
      await run.take([facts], { alone: true });
    }
  }
  await run.take(fresh, { alone: false });
  await run.skipDuplicates(copies, { again: true });
  return run.report;
}

class BatchRun {
  readonly report: BatchReport = {
    opened: 0,
    replies: 0,
    quarantined: 0,
    skipped: 0,
    settled: [],
    spared: [],
    left: [],
    waiting: [],
    missing: [],
    unasked: [],
    refused: [],
    broken: undefined,
  };
  readonly #deps: IntakeDeps;
  readonly #mailbox: Mailbox;
  readonly #place: BatchPlace;
  readonly #kind: Batch['kind'];

  constructor(deps: IntakeDeps, place: BatchPlace, kind: Batch['kind']) {
    this.#deps = deps;
    this.#mailbox = place.mailbox;
    this.#place = place;
    this.#kind = kind;
  }

  markDone(uid: number, decision?: Decision): void {
    if (decision?.fate === 'skip') this.report.spared.push(uid);
    (this.#kind === 'oversized' ? this.report.left : this.report.settled).push(uid);
  }

  async take(facts: readonly MessageMeta[], { alone }: { alone: boolean }): Promise<void> {
    if (facts.length === 0) return;
    if (this.report.broken !== undefined) {
      this.report.unasked.push(...facts);
      return;
    }
    if (alone) await this.#place.after;
    const { kept, missing, broken } = await this.#keep(facts, { alone });
    this.report.missing.push(...missing);
    this.report.broken ??= broken;
    const claim = await this.#claim(facts, kept, { alone });
    if (claim !== undefined) await this.#carryOn(facts, kept, claim, { alone });
  }

  async #keep(facts: readonly MessageMeta[], { alone }: { alone: boolean }): Promise<Download> {
    const { inbox, numbering } = this.#place;
    const place = { blobs: this.#deps.blobs, inbox, mailboxId: this.#mailbox.id, numbering };
    try {
      return await storeRaw(place, this.#kind, facts);
    } catch (error) {
      await this.#goRoundRefused(facts, error, { alone });
      return { kept: [], missing: [], broken: undefined };
    }
  }

  async #claim(
    facts: readonly MessageMeta[],
    kept: readonly StoredMail[],
    { alone }: { alone: boolean },
  ): Promise<Claim | undefined> {
    const { present } = this.#place;
    try {
      return await this.#deps.ledger.claim(this.#mailbox.id, kept, { alone, present });
    } catch (error) {
      const uids = new Set(kept.map(({ uid }) => uid));
      await this.#goRoundRefused(
        facts.filter(({ uid }) => uids.has(uid)),
        error,
        { alone },
      );
      return undefined;
    }
  }

  /** Storage refuses bytes or rows of some mail before it is even begun: each is tried alone. */
  async #goRoundRefused(
    facts: readonly MessageMeta[],
    error: unknown,
    { alone }: { alone: boolean },
  ): Promise<void> {
    if (!isCausedByContent(error)) throw error;
    log.error('mail not begun', error, { mailbox: this.#mailbox.id, mails: facts.length, alone });
    const [only, ...others] = facts;
    if (only !== undefined && others.length === 0)
      this.report.refused.push({ facts: only, problem: describeError(error) });
    else for (const each of facts) await this.take([each], { alone: true });
  }

  /** What was kept and claimed, from the reading to the end. */
  async #carryOn(
    facts: readonly MessageMeta[],
    kept: readonly StoredMail[],
    claim: Claim,
    { alone }: { alone: boolean },
  ): Promise<void> {
    const mailboxId = this.#mailbox.id;
    const { numbering } = this.#place;
    const keptByKey = new Map(kept.toReversed().map((each) => [each.key, each]));
    const work = claim.mine.flatMap((mail): Work[] => {
      const each = keptByKey.get(mail.key);
      // Time and raw blob are those of the first place, also where a copy takes over: every run writes the same rows.
      const { receivedAt, rawBlob } = mail;
      return each === undefined ? [] : [{ kept: { ...each, receivedAt, rawBlob }, mail }];
    });
    try {
      await this.#work(
        alone ? await mapLimited(work, 1, (each) => abandoned(this.#deps, this.#mailbox.id, each)) : work,
      );
    } catch (error) {
      if (!isCausedByContent(error)) {
        await this.#release(claim.mine);
        throw error;
      }
      log.error('mail not taken in', error, { mailbox: mailboxId, mails: work.length, alone });
      await this.#goRoundContent(work, facts, describeError(error));
    }
    for (const place of claim.settled) this.markDone(uidOfPlace(place));
    const factsByPlace = new Map(facts.map((each) => [placeOf(numbering, each), each]));
    await this.skipDuplicates(
      claim.copies.flatMap((copy) => {
        const each = factsByPlace.get(copy.place);
        return each === undefined ? [] : [{ facts: each, copy }];
      }),
      { again: false },
    );
    for (const { uid } of claim.suspects) {
      const suspect = facts.filter((each) => each.uid === uid);
      await this.take(suspect, { alone: true });
    }
  }

  /**
   * Some mail of the batch cannot be stored as it is: each is tried alone, so that only the culprit stays behind. Its
   * attempts grow with every run until it goes to quarantine.
   */
  async #goRoundContent(
    work: readonly Work[],
    facts: readonly MessageMeta[],
    problem: string,
  ): Promise<void> {
    const [only, ...others] = work;
    if (only === undefined) return;
    if (others.length > 0) {
      for (const { kept } of work)
        await this.take(
          facts.filter(({ uid }) => uid === kept.uid),
          { alone: true },
        );
      return;
    }
    this.report.waiting.push(only.kept.uid);
    if (only.mail.attempts > limits.attempts)
      await forceQuarantine(this.#deps, this.#mailbox.id, only, `it could not be stored: ${problem}`);
  }

  async skipDuplicates(copies: readonly StandingCopy[], { again }: { again: boolean }): Promise<void> {
    if (copies.length === 0) return;
    await this.#place.after;
    const { settled, waiting, skipped } = await skipDuplicates(this.#deps, this.#mailbox.id, copies, {
      again,
    });
    for (const uid of settled) this.markDone(uid);
    this.report.waiting.push(...waiting);
    this.report.skipped += skipped;
  }

  async #work(work: readonly Work[]): Promise<void> {
    if (work.length === 0) return;
    const outcomes = await mapLimited(work, 12, (each) => this.#read(each));
    await this.#place.after;
    const decided = await decideBatch(this.#deps, this.#mailbox.id, work, outcomes);
    await applyDecisions(this.#deps, this.#mailbox.id, work, outcomes, decided);
    await this.#deps.ledger.complete(this.#mailbox.id, decided);
    for (const { decision } of decided) {
      if (decision?.fate === 'quarantine') this.report.quarantined += 1;
      else if (decision?.fate === 'skip') this.report.skipped += 1;
      else if (decision?.opens === true) this.report.opened += 1;
      else this.report.replies += 1;
    }
    const decisions = new Map(decided.map(({ key, decision }) => [key, decision]));
    for (const { kept, mail } of work) this.markDone(kept.uid, decisions.get(mail.key));
  }

  #read({ kept, mail }: Work): Promise<ReadOutcome> {
    const reason = whyAbandoned(mail);
    if (reason !== undefined)
      return Promise.resolve({ kind: 'quarantine', reason, from: undefined, subject: undefined });
    return readMail(this.#deps, this.#mailbox, kept);
  }

  /** An outage is no fault of the emails: their attempts count deaths only. Best effort, storage may be what is out. */
  async #release(mails: readonly LedgerMail[]): Promise<void> {
    try {
      await this.#deps.ledger.release(this.#mailbox.id, mails);
    } catch (error) {
      log.warn('attempts not taken back', { mailbox: this.#mailbox.id, error: describeError(error) });
    }
  }
}
