/** A whole installation in memory that fetches, acknowledges and sends: what it sends is handed to a test. */
import { sendAgentMail } from '../../../functions/use-cases/alert-agents.ts';
import { createActivityStore } from '../../../shared/activity/activity-store.ts';
import { createAgentQueueStore } from '../../../shared/agent-alerts/agent-queue-store.ts';
import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import { createMailboxStore } from '../../../shared/mailboxes/mailbox-store.ts';
import { createMessageIds, type MessageIds } from '../../../shared/outbox/message-id.ts';
import { createOutboxStore, jobsOf } from '../../../shared/outbox/outbox-store.ts';
import type { OutgoingMail } from '../../../shared/outbox/outgoing-mail.ts';
import { sendEmails } from '../../../shared/outbox/send-emails.ts';
import { otherLimits } from '../../../shared/outbox/sending-limits.ts';
import { createSendingUsage } from '../../../shared/outbox/sending-usage.ts';
import { noSentFolder } from '../../../shared/outbox/sent-folder.ts';
import { openSeam } from '../../../shared/platform/seam.ts';
import type { Row } from '../../../shared/platform/tables.ts';
import { type MessageRecord, messageKind } from '../../../shared/tickets/message-records.ts';
import { createTicketStore } from '../../../shared/tickets/ticket-store.ts';
import { answering } from './answering.ts';
import { type Design, IntakeWorld } from './intake-world.ts';
import { MemoryQueues } from './memory-queues.ts';
import { MemoryVault } from './memory-vault.ts';

export class MemoryInstallation {
  readonly vault = new MemoryVault(openSeam);
  readonly world: IntakeWorld;
  readonly messageIds: MessageIds;
  /** Everything that left, oldest first. */
  readonly sent: OutgoingMail[] = [];

  constructor(address: string, answers: Mailbox['answers'], design: Design = answering(this.vault)) {
    this.world = new IntakeWorld({ design, answers, address });
    this.messageIds = createMessageIds(this.vault, openSeam);
  }

  /** Delivers emails to the mailbox and fetches until nothing is left. */
  async receive(...raws: readonly Buffer[]): Promise<void> {
    this.world.deliver(
      raws.map((raw, index) => ({ name: `${this.world.mails.length + index}`, raw, disposition: 'ticket' })),
    );
    await this.world.runUntilQuiet();
  }

  /** Sends what is due; returns it. */
  async send(): Promise<OutgoingMail[]> {
    const { tables, blobs } = this.world;
    const seam = { ...openSeam, now: () => this.world.now };
    const outbox = createOutboxStore({ tables, queues: new MemoryQueues(seam), seam });
    const before = this.sent.length;
    for (const job of jobsOf(await outbox.due(1000)))
      await sendEmails(
        {
          seam,
          outbox,
          blobs,
          usage: createSendingUsage(tables),
          activity: createActivityStore(tables),
          cannotSend: () => Promise.resolve(),
          sendsAgain: () => Promise.resolve(),
          replyNeedsPerson: () => Promise.resolve(),
          openSentFolder: () => Promise.resolve(noSentFolder),
          wayOutOf: () =>
            Promise.resolve({
              about: { id: 'relay', name: 'relay' },
              sender: 'relay',
              limits: otherLimits,
              keepsCopies: true,
              deliver: (mail) => {
                this.sent.push(mail);
                return Promise.resolve({ kind: 'accepted', answer: '250 OK', refused: [] });
              },
            }),
        },
        job,
      );
    return this.sent.slice(before);
  }

  /** What the monitor does each minute. */
  tellAgents(): Promise<number> {
    const { tables, blobs } = this.world;
    const seam = { ...openSeam, now: () => this.world.now };
    return sendAgentMail({
      seam,
      blobs,
      config: { publicUrl: 'https://desk.example' },
      messageIds: this.messageIds,
      agentQueues: createAgentQueueStore(tables),
      mailboxes: createMailboxStore(tables),
      tickets: createTicketStore({ tables, blobs }),
      outbox: createOutboxStore({ tables, queues: new MemoryQueues(seam), seam }),
    });
  }

  rows(prefix: string): Row[] {
    return this.world.tables.dump('Tickets').filter(({ rowKey }) => rowKey.startsWith(prefix));
  }

  messages(): MessageRecord[] {
    return this.rows('m|').map((row) => messageKind.fromRow(row));
  }

  tickets(): { number: unknown; status: unknown }[] {
    return this.rows('head').map(({ number, status }) => ({ number, status }));
  }
}

/** An email as it arrives elsewhere. @param drops whether a header gets lost on the way */
export function rawOf(mail: OutgoingMail, drops: (header: string) => boolean = () => false): Buffer {
  const headers: [string, string][] = [
    ['From', mail.from.address],
    ['To', mail.to.join(', ')],
    ['Subject', mail.subject],
    ['Message-ID', mail.messageId],
    ['In-Reply-To', mail.references?.at(-1) ?? ''],
    ['References', (mail.references ?? []).join(' ')],
    ...Object.entries(mail.headers ?? {}),
  ];
  const kept = headers.filter(([name, value]) => value !== '' && !drops(name));
  return Buffer.from([...kept.map(([name, value]) => `${name}: ${value}`), '', mail.text].join('\r\n'));
}

/** An email of a person. */
export function letter(fields: Readonly<Record<string, string>>, text = 'Hello'): Buffer {
  const all = {
    From: 'Kim <kim@customer.example>',
    To: 'support@contoso.example',
    Subject: 'Lamp',
    ...fields,
  };
  return Buffer.from(
    [...Object.entries(all).map(([name, value]) => `${name}: ${value}`), '', text].join('\r\n'),
  );
}
