import { describeError, PostroomError } from '../platform/errors.ts';
import { log } from '../platform/log.ts';
import { openRecords, type Stored } from '../platform/open-records.ts';
import type { Queues } from '../platform/queues.ts';
import type { Seam } from '../platform/seam.ts';
import type { Change, Committed, Tables } from '../platform/tables.ts';
import { telemetry } from '../platform/telemetry.ts';
import { type Delivery, dueOf, requeued, withdrawn } from './delivery.ts';
import type { OutboxMessage, OutboxRef } from './outbox-message.ts';
import {
  DUE,
  type DueEmail,
  dueKind,
  dueRowKey,
  HELD,
  type HeldEmail,
  heldKind,
  heldOf,
  heldRowKey,
  OUTBOX,
  outboxKind,
  outboxRowKey,
} from './outbox-records.ts';

/** A message of the queue `outbox`: emails of one mailbox, by the keys of their entries in OutboxDue. */
export interface OutboxJob {
  mailboxId: string;
  due: string[];
}

/**
 * Emails that are to leave. To queue one: `announce` it, commit `changeOf` in the transaction on its ticket
 * that causes it, then `enqueue` it. `queue` does all three for an email that needs no other change.
 */
export interface OutboxStore {
  /**
   * Writes the entries of the timetable, which come before the transaction: an email without an entry would
   * never leave. Idempotent; an entry without an email is removed later.
   */
  announce(messages: readonly OutboxMessage[]): Promise<void>;
  /** The change that belongs into the transaction on the ticket. Refused as `exists` if it was queued before. */
  changeOf(message: OutboxMessage): Change;
  /** Starts sending at once, or when it is due. If this is lost, the monitor does it within two minutes. */
  enqueue(messages: readonly OutboxMessage[]): Promise<void>;
  /**
   * Announces, commits and enqueues one email.
   * @param more further changes of the same ticket; if one is refused, nothing is sent
   */
  queue(message: OutboxMessage, more?: readonly Change[]): Promise<Committed>;
  /** The emails of a ticket in the order in which they were written. */
  list(ticketId: string): Promise<OutboxMessage[]>;
  get(ref: OutboxRef): Promise<Stored<OutboxMessage> | undefined>;
  /** The new etag; undefined when the row has changed since it was read. */
  replace(message: OutboxMessage, etag: string): Promise<string | undefined>;
  /** Keeps an email that waits from leaving, as long as no process has claimed it. */
  withdraw(ref: OutboxRef): Promise<'withdrawn' | 'too-late' | 'missing'>;
  /** Sends an email again that failed, or a reply of which nothing more can be found out. */
  sendAgain(ref: OutboxRef): Promise<'queued' | 'not-failed' | 'missing'>;
  /** Entries of the timetable up to now, the most overdue first. */
  due(limit: number): Promise<DueEmail[]>;
  /** One entry, if it still exists. */
  entry(dueKey: string): Promise<DueEmail | undefined>;
  /** Replaces outdated entries of the timetable. */
  reschedule(after: readonly DueEmail[], outdated: readonly string[]): Promise<void>;
  /** Records that an email waits until its mailbox can send again. */
  hold(message: OutboxMessage): Promise<void>;
  /** The mailboxes for which replies wait, and the replies that have waited for a week and do not leave any more. */
  held(): Promise<{ mailboxIds: ReadonlySet<string>; expired: readonly HeldEmail[] }>;
  /** A reply no longer waits. */
  forgetHeld(email: HeldEmail): Promise<void>;
  /** Sends the replies that wait for this mailbox, written within the last week; returns their number. */
  releaseHeld(mailboxId: string): Promise<number>;
}

/** A job that no instance received is useless once the monitor has queued it again. */
const TTL_SECONDS = 150;
const ROWS_AT_ONCE = 100;
/** Of the timetable; a request returns 1,000 rows, and one more tells whether there are others. */
const PAGE = 900;
/** Emails of one job; the server's limits are per minute. */
const EMAILS_A_JOB = 25;
const HELD_MS = 7 * 24 * 60 * 60_000;

export function createOutboxStore(deps: {
  tables: Tables;
  queues: Pick<Queues, 'send'>;
  seam: Pick<Seam, 'now'>;
}): OutboxStore {
  const { tables, queues, seam } = deps;
  const emails = openRecords(tables, outboxKind);
  const timetable = openRecords(tables, dueKind);
  const held = openRecords(tables, heldKind);
  const table = tables.open('OutboxDue');
  const tickets = tables.open('Tickets');
  const iso = (): string => new Date(seam.now()).toISOString();

  const entriesOf = (messages: readonly OutboxMessage[]): DueEmail[] =>
    messages.flatMap(({ ticketId, id, mailboxId, delivery }) => {
      const due = dueOf(delivery);
      return due === undefined ? [] : [{ due, ticketId, id, mailboxId, announcedAt: iso() }];
    });

  const store: OutboxStore = {
    async announce(messages) {
      const rows = entriesOf(messages).map((entry) => dueKind.toRow(entry));
      for (let from = 0; from < rows.length; from += ROWS_AT_ONCE)
        await table.commit(
          DUE,
          rows.slice(from, from + ROWS_AT_ONCE).map((row) => ({ kind: 'put', row })),
        );
    },
    changeOf: (message) => ({ kind: 'insert', row: outboxKind.toRow(message) }),
    async enqueue(messages) {
      const now = seam.now();
      const entries = entriesOf(messages);
      const latest = Math.max(now, ...entries.map(({ due }) => Date.parse(due)));
      try {
        for (const job of jobsOf(entries)) await sendJob(queues, job, Math.ceil((latest - now) / 1000));
      } catch (error) {
        if (!(error instanceof PostroomError)) throw error;
        log.warn('emails not queued, the monitor does it', { problem: describeError(error) });
      }
    },
    async queue(message, more = []) {
      await store.announce([message]);
      const written = await tickets.commit(message.ticketId, [store.changeOf(message), ...more]);
      if (written.ok) await store.enqueue([message]);
      return written;
    },
    async list(ticketId) {
      const found = await emails.list(ticketId, { prefix: OUTBOX });
      return found.sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
    },
    get: ({ ticketId, id }) => emails.get(ticketId, outboxRowKey(id)),
    async replace(message, etag) {
      const row = outboxKind.toRow(message);
      const written = await tickets.commit(message.ticketId, [{ kind: 'replace', row, etag }]);
      return written.ok ? written.etags[0] : undefined;
    },
    withdraw: (ref) =>
      change(ref, ({ delivery }) => withdrawn(delivery, seam.now()), 'withdrawn', 'too-late'),
    sendAgain: (ref) =>
      change(ref, ({ kind, delivery }) => requeued(kind, delivery, seam.now()), 'queued', 'not-failed'),
    async due(limit) {
      const to = `${iso()}~`;
      const found: DueEmail[] = [];
      let after: string | undefined;
      do {
        const page = await timetable.page([DUE], { to, after, limit: Math.min(limit - found.length, PAGE) });
        found.push(...page.records);
        after = page.next;
      } while (after !== undefined && found.length < limit);
      return found;
    },
    entry: (dueKey) => timetable.find(DUE, dueKey),
    async reschedule(after, outdated) {
      const keys = new Set(after.map(dueRowKey));
      const changes: Change[] = [
        ...after.map((entry): Change => ({ kind: 'put', row: dueKind.toRow(entry) })),
        ...outdated.filter((key) => !keys.has(key)).map((rowKey): Change => ({ kind: 'remove', rowKey })),
      ];
      if (changes.length === 0) return;
      if (changes.length <= ROWS_AT_ONCE && (await table.commit(DUE, changes)).ok) return;
      // Another process removed one of them.
      for (const each of changes) await table.commit(DUE, [each]);
    },
    async hold({ ticketId, id, mailboxId, createdAt }) {
      await held.put({ ticketId, id, mailboxId, writtenAt: createdAt });
    },
    async held() {
      const all = await held.list(HELD);
      const waiting = all.filter(({ writtenAt }) => !isOld(writtenAt));
      return {
        mailboxIds: new Set(waiting.map(({ mailboxId }) => mailboxId)),
        expired: all.filter(({ writtenAt }) => isOld(writtenAt)),
      };
    },
    async forgetHeld(email) {
      await held.remove(HELD, heldRowKey(email));
    },
    async releaseHeld(mailboxId) {
      let released = 0;
      for (const email of await held.list(HELD, { prefix: heldOf(mailboxId) })) {
        if (isOld(email.writtenAt)) continue;
        if ((await store.sendAgain(email)) === 'queued') released += 1;
        await store.forgetHeld(email);
      }
      return released;
    },
  };

  /** Writes a change of the delivery, and before it the entry of the timetable that it needs. */
  async function change<Done extends string, Refused extends string>(
    ref: OutboxRef,
    how: (message: OutboxMessage) => Delivery | undefined,
    done: Done,
    refusedAs: Refused,
  ): Promise<Done | Refused | 'missing'> {
    for (;;) {
      const stored = await store.get(ref);
      if (stored === undefined) return 'missing';
      const delivery = how(stored.record);
      if (delivery === undefined) return refusedAs;
      const message = { ...stored.record, delivery };
      await store.announce([message]);
      if ((await store.replace(message, stored.etag)) === undefined) continue;
      await store.enqueue([message]);
      return done;
    }
  }

  const isOld = (time: string): boolean => seam.now() - Date.parse(time) >= HELD_MS;

  return store;
}

/** Jobs of at most 25 emails of one mailbox each. Pure. */
export function jobsOf(entries: readonly DueEmail[]): OutboxJob[] {
  const jobs: OutboxJob[] = [];
  for (const [mailboxId, own] of Map.groupBy(entries, (entry) => entry.mailboxId))
    for (let from = 0; from < own.length; from += EMAILS_A_JOB)
      jobs.push({ mailboxId, due: own.slice(from, from + EMAILS_A_JOB).map(dueRowKey) });
  return jobs;
}

export const sendJob = (queues: Pick<Queues, 'send'>, job: OutboxJob, delaySeconds = 0): Promise<void> =>
  queues.send(
    'outbox',
    { ...job, traceparent: telemetry.traceparent() },
    TTL_SECONDS + delaySeconds,
    delaySeconds,
  );
