import type { Cursor } from '../mailboxes/cursor.ts';
import type { InboxError } from '../mailboxes/inbox.ts';
import { folderKeyOf, type Mailbox } from '../mailboxes/mailbox.ts';
import type { MessageIdentity, MessageMeta, MessageRef } from '../mailboxes/message-ref.ts';
import { fingerprintOf } from '../mailboxes/message-ref.ts';
import { describeError, isCausedByContent } from '../platform/errors.ts';
import { log } from '../platform/log.ts';
import { releaseBuffers } from '../platform/small-heap.ts';
import type { BatchReport, FoundMessages, ProcessedMessages } from './batch.ts';
import { BatchQueue } from './batch-queue.ts';
import type { FetchDeps } from './fetch-mailbox.ts';
import type { FetchSession } from './fetch-session.ts';
import { placeOf, type RefScope } from './ledger.ts';
import { ServerMarker } from './mark-on-server.ts';
import { nextCursor, roomForUnfetched } from './next-cursor.ts';
import { type Batch, limits, messagesOf } from './plan-batches.ts';
import { processBatch } from './process-batch.ts';
import { SlowBudget } from './slow-budget.ts';
import { UnfetchedList } from './unfetched.ts';

/** Two batches. */
const RELEASED_BYTES = 2 * limits.batchBytes;

interface Running {
  batch: Batch;
  report: Promise<BatchReport>;
}

/**
 * Imports the found messages batch by batch, marks them, and saves how far the folder was read. If the server
 * drops the session at a message, another session continues with the others, and the message is requested
 * alone.
 * @param start the cursor of the previous fetch
 */
export async function processMessages(
  deps: FetchDeps,
  mailbox: Mailbox,
  session: FetchSession,
  found: FoundMessages,
  start: Cursor,
  mayGoOn: () => boolean,
): Promise<ProcessedMessages> {
  const run = new BatchLoop(deps, mailbox, session, found, start);
  try {
    await run.processAll(mayGoOn);
  } finally {
    // Nothing may keep running after an error: the connection and the lease are released next.
    await run.stopped();
  }
  // Another run may have the mailbox by now.
  if (session.isDestroyed && run.ended !== undefined) throw run.ended;
  return run.finish();
}

class BatchLoop {
  readonly #deps: FetchDeps;
  readonly #mailbox: Mailbox;
  readonly #session: FetchSession;
  readonly #found: FoundMessages;
  readonly #start: Cursor;
  readonly #scope: RefScope;
  readonly #known: ReadonlyMap<MessageRef, MessageMeta>;
  readonly #present: ReadonlySet<string>;
  readonly #marker: ServerMarker;
  readonly #unfetched: UnfetchedList;
  readonly #queue: BatchQueue;
  readonly #slow = new SlowBudget();
  readonly #total = { opened: 0, replies: 0, quarantined: 0, skipped: 0 };
  readonly #handled = new Set<MessageRef>();
  readonly #waiting = new Set<MessageRef>();
  readonly #left: MessageIdentity[];
  #lastMailAt: string;
  #unreleasedBytes = 0;
  #running: Running | undefined;
  #ended: InboxError | undefined;
  #isStopped = false;

  constructor(deps: FetchDeps, mailbox: Mailbox, session: FetchSession, found: FoundMessages, start: Cursor) {
    const { metas, missing, digest } = found;
    this.#deps = deps;
    this.#mailbox = mailbox;
    this.#session = session;
    this.#found = found;
    this.#start = start;
    this.#scope = { folderKey: folderKeyOf(mailbox), validity: session.validity };
    this.#known = new Map(metas.map((each) => [each.ref, each]));
    this.#present = new Set(metas.map((each) => placeOf(this.#scope, each)));
    this.#marker = new ServerMarker(mailbox, start.refusal, digest, deps.seam.now);
    this.#unfetched = new UnfetchedList(start.unfetched ?? []);
    this.#left = [...start.left];
    this.#lastMailAt = start.lastMailAt ?? '';
    // Messages that failed before come last, so the others do not wait for them.
    const [first, again] = [
      metas.filter((each) => !this.#unfetched.has(each)),
      metas.filter((each) => this.#unfetched.has(each) && !this.#unfetched.isSpent(each)),
    ];
    this.#queue = new BatchQueue(first, again);
    // Listed by the server, but without metadata.
    for (const ref of missing) this.#unfetched.count({ ref }, 'download', this.#now());
  }

  /** Why the fetch ended early, if the server became unavailable. */
  get ended(): InboxError | undefined {
    return this.#ended;
  }

  /** One batch is read while the previous one is applied: at most two are in memory. */
  async processAll(mayGoOn: () => boolean): Promise<void> {
    for (;;) {
      const before = this.#running;
      const next = !this.#isStopped && mayGoOn() ? this.#queue.next() : undefined;
      const suspect = next === undefined ? undefined : this.#suspectOf(next);
      if (next !== undefined && suspect !== undefined && before !== undefined) {
        // Nothing runs beside a message that may end the session.
        this.#queue.putBack([suspect]);
        this.#running = undefined;
      } else if (next === undefined) this.#running = undefined;
      else {
        if (suspect !== undefined) await this.#countBefore(suspect);
        this.#running = this.#begin(next, before);
      }
      if (before !== undefined) await this.#end(before);
      else if (next === undefined) break;
    }
    if (!this.#isStopped) await this.#markRest();
  }

  /** Waits until the running batch has ended, successful or not. */
  async stopped(): Promise<void> {
    await this.#running?.report.catch(() => {});
  }

  async finish(): Promise<ProcessedMessages> {
    if (this.#ended === undefined) await this.#quarantineSpent();
    const open = [...new Set([...this.#queue.rest, ...this.#found.unasked])];
    const remaining = open.filter((ref) => !this.#handled.has(ref));
    const more = remaining.length > 0;
    await this.#deps.saveCursor(
      this.#mailbox.id,
      nextCursor(
        {
          ...this.#start,
          first: this.#found.first,
          refusal: this.#marker.refusal,
          lastMailAt: this.#lastMailAt || undefined,
        },
        this.#found.position,
        {
          read: [...this.#handled],
          deleted: this.#marker.deleted,
          isComplete: !more,
          remaining,
          waiting: this.#waiting,
          unfetched: this.#unfetched.list,
          left: this.#left,
          known: this.#found.metas,
        },
      ),
    );
    return { ...this.#total, more, ended: this.#ended };
  }

  #now(): string {
    return new Date(this.#deps.seam.now()).toISOString();
  }

  #begin(batch: Batch, before: Running | undefined): Running {
    const context = {
      mailbox: this.#mailbox,
      inbox: this.#session.inbox,
      scope: this.#scope,
      present: this.#present,
      after: before?.report ?? Promise.resolve(),
      slow: this.#slow,
      markLater: this.#marker.add.bind(this.#marker),
    };
    const report = processBatch(this.#deps, context, batch);
    // The rejection is handled when the report is awaited.
    report.catch(() => {});
    return { batch, report };
  }

  async #end({ batch, report: promise }: Running): Promise<void> {
    const report = await promise;
    this.#tally(batch, report);
    this.#releaseBuffers(batch);
    if (report.broken === undefined) {
      for (const each of report.missing) this.#unfetched.count(each, 'download', this.#now());
      await this.#mark(() => this.#marker.markMany(this.#session.inbox));
      return;
    }
    const isRenewed = await this.#recover(report.broken);
    if (isRenewed) this.#isolateCulprit(batch, report);
    else this.#requeueAll(batch, report);
    if (isRenewed) await this.#markRest();
  }

  #tally(batch: Batch, report: BatchReport): void {
    for (const name of ['opened', 'replies', 'quarantined', 'skipped'] as const)
      this.#total[name] += report[name];
    for (const { meta, problem } of report.refused)
      this.#unfetched.count(meta, 'storage', this.#now(), problem);
    const open = [...report.missing, ...report.unasked, ...report.refused.map(({ meta }) => meta)];
    const isOpen = new Set(open.map(({ ref }) => ref));
    for (const { ref, receivedAt } of messagesOf(batch)) {
      if (isOpen.has(ref)) continue;
      this.#handled.add(ref);
      this.#unfetched.forget(ref);
      if (receivedAt > this.#lastMailAt) this.#lastMailAt = receivedAt;
    }
    for (const ref of report.waiting) this.#waiting.add(ref);
    for (const ref of report.left) {
      const meta = this.#known.get(ref);
      if (meta !== undefined) this.#left.push({ ref, fingerprint: fingerprintOf(meta) });
    }
    if (report.unasked.length > 0) this.#queue.putBack(report.unasked);
  }

  /** Releases the memory of raw messages now stored as blobs. */
  #releaseBuffers(batch: Batch): void {
    this.#unreleasedBytes += messagesOf(batch).reduce((sum, { size }) => sum + size, 0);
    if (this.#unreleasedBytes < RELEASED_BYTES) return;
    this.#unreleasedBytes = 0;
    releaseBuffers();
  }

  #markRest(): Promise<void> {
    return this.#mark(() => this.#marker.markAll(this.#session.inbox));
  }

  async #mark(marking: () => Promise<InboxError | undefined>): Promise<void> {
    const broken = await marking();
    if (broken === undefined) return;
    if (await this.#recover(broken)) await this.#markRest();
  }

  /**
   * Replaces a failed session with a new one, if the server is reachable. Messages requested over the old
   * session meanwhile are requested again.
   */
  async #recover(broken: InboxError): Promise<boolean> {
    const meanwhile = this.#running;
    this.#running = undefined;
    if (meanwhile !== undefined) {
      const report = await meanwhile.report;
      this.#tally(meanwhile.batch, report);
      this.#queue.putBack(report.missing);
    }
    const renewed = await this.#session.renew(broken);
    if (renewed === 'renewed') return true;
    this.#isStopped = true;
    if (renewed === 'away') this.#ended = broken;
    return false;
  }

  /** In an outage no message is at fault. */
  #requeueAll(batch: Batch, { missing }: BatchReport): void {
    for (const each of messagesOf(batch)) this.#unfetched.revert(each);
    this.#queue.putBack(missing);
  }

  /** The session failed while these were requested: one of them may be the culprit. */
  #isolateCulprit(batch: Batch, { missing }: BatchReport): void {
    const [first] = missing;
    if (first !== undefined && messagesOf(batch).length === 1)
      this.#unfetched.count(first, 'download', this.#now());
    else this.#queue.isolateCulprit(batch, missing);
  }

  #suspectOf(batch: Batch): MessageMeta | undefined {
    const [only, ...others] = messagesOf(batch);
    if (only === undefined || others.length > 0) return undefined;
    return this.#queue.isSuspect(only) || this.#unfetched.has(only) ? only : undefined;
  }

  /** Counts before the download, so that a message that kills the process counts, too. */
  async #countBefore(meta: MessageMeta): Promise<void> {
    this.#unfetched.count(meta, 'download', this.#now());
    const { list } = this.#unfetched;
    const unfetched = list.slice(0, roomForUnfetched(list));
    await this.#deps.saveCursor(this.#mailbox.id, { ...this.#start, unfetched });
  }

  /** Moves messages that have used up their attempts to quarantine. On the server they stay unchanged. */
  async #quarantineSpent(): Promise<void> {
    for (const { left, entry } of this.#unfetched.spent(this.#scope, this.#known)) {
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
      this.#handled.add(left.ref);
      this.#unfetched.forget(left.ref);
    }
  }
}
