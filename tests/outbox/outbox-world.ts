import { decideAcknowledgement } from '../../shared/acknowledgements/decide-acknowledgement.ts';
import { createActivityStore } from '../../shared/activity/activity-store.ts';
import type { TokenSource } from '../../shared/mailboxes/connect-inbox.ts';
import type { AutomaticMarks } from '../../shared/mime/parsed-message.ts';
import { isFinished } from '../../shared/outbox/delivery.ts';
import type { OutboxMessage } from '../../shared/outbox/outbox-message.ts';
import { outboxKind } from '../../shared/outbox/outbox-records.ts';
import { createOutboxStore, type OutboxJob } from '../../shared/outbox/outbox-store.ts';
import { queueDueEmails } from '../../shared/outbox/queue-due-emails.ts';
import { type SendDeps, sendEmails } from '../../shared/outbox/send-emails.ts';
import type { MailSender, SendingRoute } from '../../shared/outbox/send-mail.ts';
import { exchangeLimits } from '../../shared/outbox/sending-limits.ts';
import { createSendingUsage } from '../../shared/outbox/sending-usage.ts';
import { openSentFolder } from '../../shared/outbox/sent-folder.ts';
import { wayOutOver } from '../../shared/outbox/way-out.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { appendMessages } from '../../shared/tickets/append-messages.ts';
import type { NewMessage } from '../../shared/tickets/message-records.ts';
import { FaultySeam, type FaultySeamOptions } from '../harness/memory/faulty-seam.ts';
import { MemoryBlobs } from '../harness/memory/memory-blobs.ts';
import { MemoryFolder, openMemoryInbox } from '../harness/memory/memory-inbox.ts';
import { MemoryQueues } from '../harness/memory/memory-queues.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { email, MAILBOX, sendingMailbox } from '../harness/memory/outbox-emails.ts';

/** How the product is put together for a run, or with a deliberate mistake. */
export interface Design {
  /** Changes what `sendEmails` works with. */
  sending?: (deps: SendDeps) => SendDeps;
  mayAcknowledge?: (message: NewMessage) => boolean;
}

export interface WorldOptions {
  design?: Design;
  /** False: the server keeps no copies of sent email. */
  savesSent?: boolean;
  /** The mailbox sends over the relay, which knows no Sent folder. */
  overRelay?: boolean;
}

export type RunOptions = Omit<FaultySeamOptions, 'now' | 'afterEffect'>;

export interface RunEnd {
  seam: FaultySeam;
  error: unknown;
}

const START = Date.parse('2026-11-24T10:00:00.000Z');
const iso = (ms: number): string => new Date(ms).toISOString();
const owner = 'support@contoso.example';

/** The emails that open two tickets: one of a person, one of a machine. */
const question = incoming('question', { from: { name: 'Kim', address: 'kim@customer.example' } });
const bounce = incoming('bounce', {
  from: { name: undefined, address: 'mailer-daemon@customer.example' },
  messageClass: 'bounce',
});
const opened = [
  { ticketId: 'kim', number: 1, message: question },
  { ticketId: 'daemon', number: 2, message: bounce },
];
/** What an agent writes on the first ticket. */
const replies = [
  email('first', { ticketId: 'kim', kind: 'reply' }),
  email('second', { ticketId: 'kim', kind: 'reply' }),
];

/**
 * One mailbox that receives a question and a bounce, an agent who replies twice, and processes that send. In
 * one process everything happens that triggers and pages do, so that a fault can hit any of it.
 */
export class OutboxWorld {
  readonly tables = new MemoryTables(openSeam);
  readonly blobs = new MemoryBlobs({ ...openSeam, now: () => this.now });
  readonly queued: OutboxJob[] = [];
  readonly sentFolder = new MemoryFolder();
  /** Message-IDs in the order in which the server accepted them. */
  readonly accepted: string[] = [];
  readonly violations = new Set<string>();
  now = START;
  readonly #options: WorldOptions;

  constructor(options: WorldOptions = {}) {
    this.#options = options;
  }

  /** One process: fetches, serves the agent, sends, monitors. */
  async run(options: RunOptions = {}): Promise<RunEnd> {
    const seam = new FaultySeam({ ...options, now: () => this.now });
    const process = this.#process(seam);
    for (const step of [
      () => process.fetch(),
      () => process.reply(),
      () => process.send(),
      () => process.monitor(),
      () => process.send(),
    ])
      try {
        await step();
      } catch (error) {
        // Each trigger and each request of a page fails alone, until the process is dead.
        if (seam.dead || !isOutage(error)) return { seam, error };
      }
    return { seam, error: undefined };
  }

  /** Runs without faults until every email has reached its end. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 60; turn += 1) {
      const { error } = await this.run();
      if (error !== undefined) this.violations.add(`a run without faults ended with ${String(error)}`);
      if (turn > 0 && this.rows().every(({ delivery }) => isFinished(delivery)) && this.#due() === 0) return;
      this.now += 5 * 60_000;
    }
    this.violations.add('sixty runs without faults, and an email still waits');
  }

  rows(): OutboxMessage[] {
    const rows = this.tables.dump('Tickets').filter(({ rowKey }) => rowKey.startsWith('o|'));
    return rows.map((row) => outboxKind.fromRow(row));
  }

  /** Message-IDs of the copies in the Sent folder. */
  sentMessageIds(): string[] {
    return this.sentFolder.mails.map(
      ({ raw }) => /^message-id:\s*(\S+)/im.exec(Buffer.from(raw).toString('latin1'))?.[1] ?? '',
    );
  }

  /** What must hold once nothing is in progress. */
  violationsAtTheEnd(): string[] {
    const violations = [...this.violations];
    const rows = this.rows();
    const timesOf = ({ messageId }: OutboxMessage): number =>
      this.accepted.filter((each) => each === messageId).length;
    const own = (ticketId: string, kind: OutboxMessage['kind']): OutboxMessage[] =>
      rows.filter((row) => row.ticketId === ticketId && row.kind === kind);
    if (own('kim', 'acknowledgement').length !== 1)
      violations.push('P4: the question has no acknowledgement');
    if (rows.some(({ ticketId }) => ticketId === 'daemon'))
      violations.push('P4: a machine got an acknowledgement');
    if (own('kim', 'reply').length !== replies.length) violations.push('P4: a reply is lost');
    for (const row of rows) {
      const { status, sentAgainAt } = row.delivery;
      const times = timesOf(row);
      const name = `${row.kind} ${row.id}`;
      if (row.kind === 'acknowledgement' && times > 1) violations.push(`P4: ${name} was sent ${times} times`);
      if (row.kind === 'reply' && times > (sentAgainAt === undefined ? 1 : 2))
        violations.push(`P4: ${name} was sent ${times} times, and its row does not say so`);
      if (status.state === 'sent' && times === 0) violations.push(`P4: ${name} is called sent and was not`);
      if (status.state === 'failed') violations.push(`P4: ${name} failed: ${status.why.code}`);
    }
    if (this.#due() > 0) violations.push('an entry of the timetable is left');
    return violations;
  }

  #due(): number {
    return this.tables.dump('OutboxDue').filter(({ partitionKey }) => partitionKey === 'due').length;
  }

  #process(seam: FaultySeam) {
    const tables = this.tables.behind(seam);
    const queues = new MemoryQueues(seam);
    const outbox = createOutboxStore({ tables, queues, seam });
    const { design = {}, overRelay = false, savesSent = !overRelay } = this.#options;
    const mayAcknowledge = design.mayAcknowledge ?? isAcknowledged;
    const mailbox = sendingMailbox({ host: 'localhost', port: 1 });
    const accessTokens: TokenSource = {
      get: () => Promise.resolve({ kind: 'token', token: new Secret('unused') }),
    };
    const sender = this.#sender(seam, savesSent);
    const deps: SendDeps = {
      seam,
      outbox,
      usage: createSendingUsage(tables),
      activity: createActivityStore(tables),
      blobs: this.blobs.behind(seam),
      wayOutOf: () =>
        Promise.resolve(wayOutOver(sender, overRelay ? { kind: 'relay' } : route, exchangeLimits)),
      openSentFolder: () =>
        openSentFolder({ accessTokens, openInbox: () => openMemoryInbox(this.sentFolder, seam) }, mailbox),
      cannotSend: () => Promise.resolve(),
      sendsAgain: () => Promise.resolve(),
      replyNeedsPerson: () => Promise.resolve(),
    };
    const sending = design.sending?.(deps) ?? deps;
    const collect = (): void => {
      for (const { value } of queues.sent.splice(0)) {
        const { mailboxId, due } = value as OutboxJob;
        this.queued.push({ mailboxId, due });
      }
    };
    const collected = async (work: () => Promise<unknown>): Promise<void> => {
      try {
        await work();
      } finally {
        collect();
      }
    };
    return {
      /** As the intake does for each new ticket. */
      fetch: () =>
        collected(async () => {
          for (const { ticketId, number, message } of opened) {
            const answers = mayAcknowledge(message)
              ? [email('ack', { ticketId, kind: 'acknowledgement' })]
              : [];
            await outbox.announce(answers);
            const rows = answers.map((answer) => outboxKind.toRow(answer));
            await appendMessages(tables, {
              ticketId,
              number,
              mailboxId: MAILBOX,
              follows: undefined,
              opens: true,
              messages: [message],
              beside: new Map([[message.key, rows]]),
            });
            await outbox.enqueue(answers);
          }
        }),
      /** As the page does; the agent presses "Send" again after an error. */
      reply: () =>
        collected(async () => {
          for (const reply of replies) await outbox.queue(reply);
        }),
      /** As the host does: what fails is delivered again. */
      send: async () => {
        for (const job of this.queued.splice(0))
          try {
            await sendEmails(sending, job);
          } catch (error) {
            this.queued.push(job);
            throw error;
          }
      },
      monitor: () => collected(() => queueDueEmails({ outbox, queues })),
    };
  }

  /** A mail server that keeps a copy of what it accepts, as Exchange does. */
  #sender(seam: FaultySeam, savesSent: boolean): Pick<MailSender, 'send'> {
    return {
      send: async (_route, mail) => {
        await seam.call('smtp.connect', async () => {});
        await seam.call('smtp.sign-in', async () => {});
        return seam.call('smtp.send', async () => {
          this.accepted.push(mail.messageId);
          const raw = Buffer.from(`Message-ID: ${mail.messageId}\r\nSubject: x\r\n\r\n`);
          if (savesSent) this.sentFolder.deliver(raw, iso(this.now));
          return { kind: 'sent', answer: '250 OK', refusedRecipients: [] };
        });
      },
    };
  }
}

const route: SendingRoute = {
  kind: 'mailbox',
  host: 'localhost',
  port: 1,
  user: owner,
  account: { providerId: 'p', accountId: 'a' },
};

const isAcknowledged = ({
  messageClass = 'person',
  from: { name, address },
  subject,
  at,
}: NewMessage): boolean =>
  decideAcknowledgement(
    {
      from: address === undefined ? undefined : { name, address },
      replyTo: [],
      subject,
      automatic: { returnPathEmpty: false, isReport: false } as AutomaticMarks,
      messageClass,
      receivedAt: at,
      opensTicket: true,
      failsAuthentication: false,
      isOwn: false,
      isFirstFetch: false,
    },
    { acknowledges: true, ownAddresses: new Set([owner]) },
    Date.parse(at),
  ).kind === 'send';

const isOutage = (error: unknown): boolean =>
  error instanceof Error && error.message.startsWith('no answer to');

function incoming(key: string, wish: Partial<NewMessage>): NewMessage {
  return {
    key,
    at: iso(START),
    sentAt: undefined,
    from: { name: undefined, address: undefined },
    to: [{ name: undefined, address: owner }],
    cc: [],
    subject: key,
    messageId: `<${key}@customer.example>`,
    notes: [],
    rawBlob: `raw/${key}`,
    attachments: [],
    text: { kind: 'inline', text: key },
    html: undefined,
    preview: key,
    manifestBlob: undefined,
    ...wish,
  };
}
