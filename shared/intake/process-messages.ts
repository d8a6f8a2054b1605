import type { Cursor, LeftMessage } from '../mailboxes/cursor.ts';
import type { InboxError, MessageMeta } from '../mailboxes/inbox.ts';
import { folderKeyOf, type Mailbox } from '../mailboxes/mailbox.ts';
import { describeError, isCausedByContent } from '../platform/errors.ts';
import { log } from '../platform/log.ts';
import type { FetchDeps } from './fetch-mailbox.ts';
import { type FetchSession, type FoundFacts, inPieces } from './fetch-session.ts';
import { fingerprintOf, type UidScope, placeOf } from './ledger.ts';
import { ServerMarker } from './mark-on-server.ts';
import { MAX_UNFETCHED, nextCursor } from './next-cursor.ts';
import { type Batch, planBatches } from './plan-batches.ts';
import { type BatchReport, processBatch } from './process-batch.ts';
import { UnfetchedList } from './unfetched.ts';

export interface Taken {
  opened: number;
  replies: number;
  quarantined: number;
  skipped: number;
  more: boolean;
  /** Why the fetch ended early, if the server is away; what was stored until then counts. */
  ended: InboxError | undefined;
}

interface Running {
  batch: Batch;
  report: Promise<BatchReport>;
}

const mailsOf = (batch: Batch): readonly MessageMeta[] =>
  batch.kind === 'in-memory' ? batch.mails : [batch.mail];

/**
 * Takes in what a search found, batch by batch, marks it, and saves how far the folder was read. Where the server breaks
 * off at a message, another session goes on with the others, and the message is asked for alone.
 */
export async function processMessages(
  deps: FetchDeps,
  mailbox: Mailbox,
  session: FetchSession,
  { facts, missing, unasked, listed, first }: FoundFacts & { listed: string; first?: Cursor['first'] },
  start: Cursor,
  mayGoOn: () => boolean,
): Promise<Taken> {
  const taker = new MessageTaker(deps, mailbox, session, { facts, listed }, start);
  for (const uid of missing) taker.missed(uid);
  try {
    await taker.takeAll(mayGoOn);
  } finally {
    // Nothing goes on behind an error: the connection and the lease are given back next.
    await taker.settled();
  }
  // Another run may have the mailbox by now.
  if (session.isDropped && taker.ended !== undefined) throw taker.ended;
  return taker.finish(unasked, first);
}

class MessageTaker {
  readonly #deps: FetchDeps;
  readonly #mailbox: Mailbox;
  readonly #session: FetchSession;
  readonly #start: Cursor;
  readonly #numbering: UidScope;
  readonly #told: ReadonlyMap<number, MessageMeta>;
  readonly #present: ReadonlySet<string>;
  readonly #marker: ServerMarker;
  readonly #unfetched: UnfetchedList;
  readonly #total = { opened: 0, replies: 0, quarantined: 0, skipped: 0 };
  readonly #handled = new Set<number>();
  readonly #waiting = new Set<number>();
  readonly #left: LeftMessage[];
  /** Asked for alone, because the session broke off when they were asked for with others. */
  readonly #suspects = new Set<number>();
  readonly #queue: Batch[];
  #lastMailAt: string;
  #running: Running | undefined;
  #ended: InboxError | undefined;
  #stopped = false;

  constructor(
    deps: FetchDeps,
    mailbox: Mailbox,
    session: FetchSession,
    { facts, listed }: { facts: readonly MessageMeta[]; listed: string },
    start: Cursor,
  ) {
    this.#deps = deps;
    this.#mailbox = mailbox;
    this.#session = session;
    this.#start = start;
    this.#numbering = { folderKey: folderKeyOf(mailbox), uidValidity: session.uidValidity };
    this.#told = new Map(facts.map((each) => [each.uid, each]));
    this.#present = new Set(facts.map((each) => placeOf(this.#numbering, each)));
    this.#marker = new ServerMarker(mailbox, start.refusal, listed, deps.seam.now);
    this.#unfetched = new UnfetchedList(start.unfetched ?? []);
    this.#left = [...start.left];
    this.#lastMailAt = start.lastMailAt ?? '';
    // What failed before comes last: the others do not wait for it.
    const again = facts.filter((each) => this.#unfetched.has(each));
    this.#queue = [
      ...planBatches(facts.filter((each) => !again.includes(each))),
      ...planBatches(again.filter((each) => !this.#unfetched.isSpent(each))),
    ];
  }

  /** Why the fetch ended before its time, if the server went away. */
  get ended(): InboxError | undefined {
    return this.#ended;
  }

  /** The server lists it, and tells nothing of it. */
  missed(uid: number): void {
    this.#unfetched.count({ uid }, 'download', this.#now());
  }

  /** One batch is read while the one before it is filed: two at most are in memory. */
  async takeAll(mayGoOn: () => boolean): Promise<void> {
    for (;;) {
      const before = this.#running;
      const next = !this.#stopped && mayGoOn() ? this.#queue.shift() : undefined;
      const suspect = next === undefined ? undefined : this.#suspectOf(next);
      if (next !== undefined && suspect !== undefined && before !== undefined) {
        this.#queue.unshift(next);
        this.#running = undefined;
      } else if (next === undefined) this.#running = undefined;
      else {
        if (suspect !== undefined) await this.#countBefore(suspect);
        this.#running = this.#begin(next, before);
      }
      if (before !== undefined) await this.#end(before);
      else if (next === undefined) break;
    }
    if (!this.#stopped) await this.#mark([]);
  }

  /** Waits for what still runs, whatever comes of it. */
  async settled(): Promise<void> {
    await this.#running?.report.catch(() => {});
  }

  /** @param first how the first fetch of the mailbox stands after this: what was not come to waits with the rest */
  async finish(unasked: readonly number[], first: Cursor['first']): Promise<Taken> {
    if (this.#ended === undefined) await this.#giveUpSpent();
    const rest = this.#queue.flatMap(mailsOf).map(({ uid }) => uid);
    const remaining = [...new Set([...rest, ...unasked])].filter((uid) => !this.#handled.has(uid));
    const more = remaining.length > 0;
    await this.#deps.saveCursor(
      this.#mailbox.id,
      nextCursor(
        { ...this.#start, first, refusal: this.#marker.refusal, lastMailAt: this.#lastMailAt || undefined },
        {
          // All that stands in the folder was found: what is above has yet to come.
          read: more ? [...this.#handled] : [...this.#told.keys(), this.#session.uidNext - 1],
          remaining,
          waiting: this.#waiting,
          unfetched: this.#unfetched.list,
          left: this.#left,
          told: this.#told.values(),
        },
      ),
    );
    return { ...this.#total, more, ended: this.#ended };
  }

  #now(): string {
    return new Date(this.#deps.seam.now()).toISOString();
  }

  #begin(batch: Batch, before: Running | undefined): Running {
    const { inbox } = this.#session;
    const after = before?.report ?? Promise.resolve();
    const place = {
      mailbox: this.#mailbox,
      inbox,
      numbering: this.#numbering,
      present: this.#present,
      after,
    };
    const report = processBatch(this.#deps, place, batch);
    // Its failure is heard when its turn comes.
    report.catch(() => {});
    return { batch, report };
  }

  async #end({ batch, report: promise }: Running): Promise<void> {
    const report = await promise;
    this.#tally(batch, report);
    if (report.broken === undefined) {
      for (const each of report.missing) this.#unfetched.count(each, 'download', this.#now());
      await this.#mark(report.settled);
      return;
    }
    this.#marker.hold(report.settled);
    const renewed = await this.#recover(report.broken);
    if (renewed) this.#blame(batch, report);
    else this.#acquit(batch, report);
    if (renewed) await this.#mark([]);
  }

  #tally(batch: Batch, report: BatchReport): void {
    for (const name of ['opened', 'replies', 'quarantined', 'skipped'] as const)
      this.#total[name] += report[name];
    for (const { facts, problem } of report.refused)
      this.#unfetched.count(facts, 'storage', this.#now(), problem);
    const not = new Set(
      [...report.missing, ...report.unasked, ...report.refused.map(({ facts }) => facts)].map(
        ({ uid }) => uid,
      ),
    );
    for (const { uid, receivedAt } of mailsOf(batch)) {
      if (not.has(uid)) continue;
      this.#handled.add(uid);
      this.#unfetched.forget(uid);
      if (receivedAt > this.#lastMailAt) this.#lastMailAt = receivedAt;
    }
    this.#marker.spare(report.spared);
    for (const uid of report.waiting) this.#waiting.add(uid);
    for (const uid of report.left) {
      const facts = this.#told.get(uid);
      if (facts !== undefined) this.#left.push({ uid, fingerprint: fingerprintOf(facts) });
    }
    if (report.unasked.length > 0) this.#queue.unshift(...planBatches(report.unasked));
  }

  async #mark(uids: readonly number[]): Promise<void> {
    const { inbox } = this.#session;
    const broken = await (uids.length > 0 ? this.#marker.add(uids, inbox) : this.#marker.flush(inbox));
    if (broken === undefined) return;
    if (await this.#recover(broken)) await this.#mark([]);
  }

  /**
   * A session is over; another one follows, if the server is there. What was asked for over the same one meanwhile is asked
   * for again.
   */
  async #recover(broken: InboxError): Promise<boolean> {
    const meanwhile = this.#running;
    this.#running = undefined;
    if (meanwhile !== undefined) {
      const report = await meanwhile.report;
      this.#tally(meanwhile.batch, report);
      this.#marker.hold(report.settled);
      this.#queue.unshift(...planBatches(report.missing));
    }
    const renewed = await this.#session.renew();
    if (renewed === 'renewed') return true;
    this.#stopped = true;
    if (renewed === 'away') this.#ended = broken;
    return false;
  }

  /** In an outage no message is at fault. */
  #acquit(batch: Batch, { missing }: BatchReport): void {
    for (const each of mailsOf(batch)) this.#unfetched.takeBack(each);
    this.#queue.unshift(...planBatches(missing));
  }

  /** The session broke off while these were asked for. The one at fault is sought, then asked for alone. */
  #blame(batch: Batch, { missing }: BatchReport): void {
    const [first, ...others] = missing;
    if (first === undefined) return;
    const asked = mailsOf(batch);
    if (asked.length === 1) {
      this.#unfetched.count(first, 'download', this.#now());
      return;
    }
    if (missing.length === asked.length) {
      this.#queue.unshift(...inPieces(missing).flatMap(planBatches));
      return;
    }
    // Servers answer in order: the first that did not come is the most likely one.
    this.#suspects.add(first.uid);
    this.#queue.unshift(...planBatches(others));
    this.#queue.push(...planBatches([first]));
  }

  #suspectOf(batch: Batch): MessageMeta | undefined {
    const [only, ...others] = mailsOf(batch);
    if (only === undefined || others.length > 0) return undefined;
    return this.#suspects.has(only.uid) || this.#unfetched.has(only) ? only : undefined;
  }

  /** Before the download, so that a message that ends the process counts, too. */
  async #countBefore(facts: MessageMeta): Promise<void> {
    this.#unfetched.count(facts, 'download', this.#now());
    await this.#deps.saveCursor(this.#mailbox.id, {
      ...this.#start,
      unfetched: this.#unfetched.list.slice(0, MAX_UNFETCHED),
    });
  }

  /** What was tried often enough stands in quarantine from now on, and is left where it is on the server. */
  async #giveUpSpent(): Promise<void> {
    for (const { left, entry } of this.#unfetched.spent(this.#numbering, this.#told)) {
      try {
        const fresh = await this.#deps.quarantine.missing(this.#mailbox.id, [entry]);
        await this.#deps.quarantine.put(this.#mailbox.id, fresh);
        this.#total.quarantined += fresh.length;
      } catch (error) {
        if (!isCausedByContent(error)) throw error;
        log.error('quarantine not written', error, {
          mailbox: this.#mailbox.id,
          problem: describeError(error),
        });
        continue;
      }
      this.#left.push(left);
      this.#handled.add(left.uid);
      this.#unfetched.forget(left.uid);
    }
  }
}
