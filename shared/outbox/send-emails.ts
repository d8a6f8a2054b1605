import { randomUUID } from 'node:crypto';
import type { ActivityStore } from '../activity/activity-store.ts';
import type { Blobs } from '../platform/blobs.ts';
import { mapLimited } from '../platform/concurrency.ts';
import type { Seam } from '../platform/seam.ts';
import { deliverInTime } from './deliver-in-time.ts';
import {
  afterAttempt,
  afterSearch,
  claimed,
  type Delivery,
  type DeliveryOutcome,
  type DeliveryProblem,
  dueOf,
  needsPerson,
  nextStep,
} from './delivery.ts';
import { lastingRefusal } from './lasting-refusal.ts';
import { loadMail } from './load-mail.ts';
import type { OutboxMessage } from './outbox-message.ts';
import { type DueEmail, partsOfDueKey } from './outbox-records.ts';
import type { OutboxJob, OutboxStore } from './outbox-store.ts';
import { recipientsOf } from './outgoing-mail.ts';
import { runActivity, type SendReport } from './send-report.ts';
import { BURST_MS } from './sending-limits.ts';
import type { SendingRefusal } from './sending-refusal.ts';
import type { SendingUsage } from './sending-usage.ts';
import { SentCopies } from './sent-copies.ts';
import type { SentFolder } from './sent-folder.ts';
import type { WayOut } from './way-out.ts';

export interface SendDeps {
  seam: Seam;
  outbox: OutboxStore;
  usage: SendingUsage;
  activity: Pick<ActivityStore, 'note'>;
  blobs: Pick<Blobs, 'read'>;
  /** How a mailbox sends; undefined if it can't. */
  wayOutOf(mailboxId: string): Promise<WayOut | undefined>;
  /** Opens the Sent folder of a mailbox. */
  openSentFolder(mailboxId: string): Promise<SentFolder>;
  /** Hears why a mailbox cannot send until a person acts, or until its server answers again. */
  cannotSend(mailboxId: string, refusal: SendingRefusal): Promise<void>;
  /** Hears that an email left which could not leave before. */
  sendsAgain(mailboxId: string): Promise<void>;
  /** Hears of a reply that a person has to deal with, perhaps more than once. */
  replyNeedsPerson(message: OutboxMessage): Promise<void>;
}

/** An email that a run works on, with the entry of the timetable that led to it. */
interface Email {
  key: string;
  message: OutboxMessage;
  etag: string;
}

const READS = 8;
const TRIES = 5;
/** An entry whose email does not exist belongs to a transaction that failed, once it is this old. */
const ORPHAN_MS = 60 * 60_000;

const noWayOut: DeliveryOutcome = {
  kind: 'not-started',
  why: { code: 'no-way-out', reason: 'This mailbox has no server for outgoing mail.', isVerdict: false },
  permanent: true,
};
const incomplete: DeliveryOutcome = {
  kind: 'refused',
  why: {
    code: 'email-incomplete',
    reason: 'A text or an attachment of this email is missing in storage.',
    isVerdict: false,
  },
  permanent: true,
  isOfWayOut: false,
};

/**
 * Sends the emails of a job that are due, and looks for those of which it is not known whether they left.
 * Each email is claimed before its connection is opened; whoever does not get the claim does not send it.
 * Any number of processes may run the same job.
 * @throws PostroomError when storage is unavailable; the job is then repeated
 */
export async function sendEmails(deps: SendDeps, job: OutboxJob): Promise<SendReport> {
  return new SendRun(deps, job.mailboxId).process(job.due);
}

class SendRun {
  readonly #deps: SendDeps;
  readonly #mailboxId: string;
  readonly #outdated: string[] = [];
  readonly #copies: SentCopies;
  readonly #report: SendReport = { sent: 0, retrying: 0, failed: 0, unknown: 0 };

  constructor(deps: SendDeps, mailboxId: string) {
    this.#deps = deps;
    this.#mailboxId = mailboxId;
    this.#copies = new SentCopies(mailboxId, (id) => deps.openSentFolder(id));
  }

  async process(keys: readonly string[]): Promise<SendReport> {
    const found = await mapLimited(keys, READS, (key) => this.#read(key));
    const emails = found.filter((email) => email !== undefined);
    const toSearch: Email[] = [];
    const toSend: Email[] = [];
    try {
      for (const email of emails) {
        const step = nextStep(email.message.kind, email.message.delivery, this.#now());
        if (step.kind === 'finished') await this.#finish(email);
        if (step.kind === 'wait') await this.#correct(email);
        if (step.kind === 'record') await this.#record(email, step.delivery);
        if (step.kind === 'search') toSearch.push(email);
        if (step.kind === 'send') toSend.push(email);
      }
      if (toSearch.length > 0) await this.#search(toSearch);
      if (toSend.length > 0) await this.#send(toSend);
    } finally {
      // Entries of finished emails; if this fails, the next run removes them.
      await this.#deps.outbox.reschedule([], this.#outdated);
    }
    return this.#report;
  }

  #now(): number {
    return this.#deps.seam.now();
  }

  async #read(key: string): Promise<Email | undefined> {
    const parts = partsOfDueKey(key);
    if (parts === undefined) return undefined;
    const stored = await this.#deps.outbox.get(parts);
    if (stored !== undefined) return { key, message: stored.record, etag: stored.etag };
    const entry = await this.#deps.outbox.entry(key);
    if (entry !== undefined && this.#now() - Date.parse(entry.announcedAt) > ORPHAN_MS)
      this.#outdated.push(key);
    return undefined;
  }

  async #finish({ key, message }: Email): Promise<void> {
    if (isHeld(message)) await this.#deps.outbox.hold(message);
    await this.#tell(message);
    this.#outdated.push(key);
  }

  /** The entry is of an earlier time, left by a process that ended before it removed it. */
  async #correct({ key, message }: Email): Promise<void> {
    const due = dueOf(message.delivery);
    if (due !== undefined && partsOfDueKey(key)?.due !== due)
      await this.#deps.outbox.reschedule([this.#entryAt(message, due)], [key]);
  }

  #entryAt({ ticketId, id, mailboxId }: OutboxMessage, due: string): DueEmail {
    return { due, ticketId, id, mailboxId, announcedAt: new Date(this.#now()).toISOString() };
  }

  /**
   * Writes a new state. Its entry of the timetable comes first: a process that ends in between leaves an
   * entry too many, never one too few.
   */
  async #record(email: Email, delivery: Delivery): Promise<void> {
    const { outbox } = this.#deps;
    const message = { ...email.message, delivery };
    const due = dueOf(delivery);
    if (due !== undefined) await outbox.reschedule([this.#entryAt(message, due)], [email.key]);
    if (isHeld(message)) await outbox.hold(message);
    if ((await this.#replaceOwn(email, message)) && due === undefined) {
      // The entry is removed later: a process that ends here leaves it, and the next run tells.
      await this.#tell(message);
      this.#outdated.push(email.key);
    }
    this.#count(delivery);
  }

  async #tell(message: OutboxMessage): Promise<void> {
    if (needsPerson(message.kind, message.delivery)) await this.#deps.replyNeedsPerson(message);
  }

  /**
   * Writes unless another process has decided meanwhile. One that has only recorded that this attempt's
   * process is gone knows less than the attempt itself.
   */
  async #replaceOwn(email: Email, message: OutboxMessage): Promise<boolean> {
    const { outbox } = this.#deps;
    let { etag } = email;
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      if ((await outbox.replace(message, etag)) !== undefined) return true;
      const stored = await outbox.get(message);
      if (stored === undefined) return false;
      const { status, attempts } = stored.record.delivery;
      const isSameAttempt = attempts === message.delivery.attempts;
      const mayReplace = status.state === 'sending' || (status.state === 'unknown' && isKnown(message));
      if (!isSameAttempt || !mayReplace) return false;
      etag = stored.etag;
    }
    return false;
  }

  #count({ status: { state } }: Delivery): void {
    if (state === 'sent' || state === 'retrying' || state === 'failed' || state === 'unknown')
      this.#report[state] += 1;
  }

  async #search(emails: readonly Email[]): Promise<void> {
    const folder = await this.#deps.openSentFolder(this.#mailboxId);
    try {
      for (const email of emails) {
        const found = await folder.has(email.message.messageId);
        await this.#record(email, afterSearch(email.message.delivery, found, this.#now()));
      }
    } finally {
      await folder.close();
    }
  }

  async #send(emails: readonly Email[]): Promise<void> {
    const way = await this.#deps.wayOutOf(this.#mailboxId);
    if (way === undefined) {
      for (const email of emails) await this.#record(email, this.#after(email, noWayOut));
      return;
    }
    const began = this.#now();
    try {
      await this.#sendBy(way, emails);
    } finally {
      await this.#note(way, began);
      await this.#copies.close();
    }
  }

  /** One entry for the run: an entry an email would cost as much as the rest of sending it. */
  async #note({ about }: WayOut, began: number): Promise<void> {
    const activity = runActivity(this.#report, this.#now());
    if (activity === undefined) return;
    const ms = this.#now() - began;
    await this.#deps.activity.note([{ ...activity, aboutId: about.id, about: about.name, ms }]);
  }

  async #sendBy(way: WayOut, emails: readonly Email[]): Promise<void> {
    const { sender, limits } = way;
    const { usage } = this.#deps;
    const id = randomUUID();
    const recipients = emails.map(({ message }) => recipientsOf(message).length);
    const reservation = await usage.reserve(sender, limits, { id, recipients, now: this.#now() });
    // The monitor queues the others again.
    if (reservation.kind === 'busy') return;
    const handedOver: { at: number; recipients: number }[] = [];
    let pause: { until: string; why: DeliveryProblem } | undefined;
    try {
      pause = await this.#deliverAll(way, emails.slice(0, reservation.emails), (email) =>
        handedOver.push({ at: this.#now(), recipients: recipientsOf(email.message).length }),
      );
    } finally {
      await usage.release(sender, id, handedOver, this.#now(), pause);
    }
  }

  /** Stops when the way out is closed: the other emails would meet the same. */
  async #deliverAll(
    way: WayOut,
    emails: readonly Email[],
    handedOver: (email: Email) => void,
  ): Promise<{ until: string; why: DeliveryProblem } | undefined> {
    const until = this.#now() + BURST_MS;
    for (const email of emails) {
      if (this.#now() > until) return undefined;
      const mail = await loadMail(this.#deps.blobs, email.message);
      if (mail === undefined) {
        await this.#record(email, this.#after(email, incomplete));
        continue;
      }
      const own = await this.#claim(email);
      if (own === undefined) continue;
      const outcome = await deliverInTime(way, mail);
      if (outcome.kind !== 'not-started') handedOver(own);
      const needsCopy = outcome.kind === 'accepted' && !way.keepsCopies && own.message.kind === 'reply';
      // Beside the record, which it must not delay: if the record is lost, the copy tells later that the email left.
      const copy = needsCopy ? this.#copies.keep(mail) : undefined;
      try {
        await this.#record(own, this.#after(own, outcome));
      } finally {
        await copy;
      }
      const refusal = lastingRefusal(outcome, own.message.delivery.attempts);
      if (refusal !== undefined) await this.#deps.cannotSend(this.#mailboxId, refusal);
      if (outcome.kind === 'accepted' && own.message.delivery.attempts > 1)
        await this.#deps.sendsAgain(this.#mailboxId);
      if (outcome.kind === 'not-started') return undefined;
      if (outcome.kind === 'refused' && outcome.isOfWayOut)
        return outcome.retryAt === undefined ? undefined : { until: outcome.retryAt, why: outcome.why };
    }
    return undefined;
  }

  /** Undefined when another process has it, or it was withdrawn. */
  async #claim(email: Email): Promise<Email | undefined> {
    const message = { ...email.message, delivery: claimed(email.message.delivery, this.#now()) };
    const etag = await this.#deps.outbox.replace(message, email.etag);
    return etag === undefined ? undefined : { ...email, message, etag };
  }

  #after({ message }: Email, outcome: DeliveryOutcome): Delivery {
    return afterAttempt(message.kind, message.delivery, outcome, this.#now());
  }
}

const isKnown = ({ delivery }: OutboxMessage): boolean => delivery.status.state !== 'unknown';

/** A person's answer leaves by itself once its way out is repaired. An automatic one would come too late. */
const isHeld = ({ kind, delivery: { status } }: OutboxMessage): boolean =>
  kind === 'reply' && status.state === 'failed' && status.isOfWayOut;
