/** Emails of conversations, imported in batches of any size, and their tickets. */
import { answersOf } from '../../shared/intake/answers-of.ts';
import { applyDecisions } from '../../shared/intake/apply-decisions.ts';
import { ticketIdOf } from '../../shared/intake/content-key.ts';
import { decideBatch } from '../../shared/intake/decide-batch.ts';
import type { ThreadRules } from '../../shared/intake/decide-messages.ts';
import { placeOf } from '../../shared/intake/ledger.ts';
import { createLedgerStore } from '../../shared/intake/ledger-store.ts';
import { createQuarantineStore } from '../../shared/intake/quarantine-store.ts';
import type { ReadOutcome } from '../../shared/intake/read-message.ts';
import { uidRef } from '../../shared/mailboxes/imap-position.ts';
import type { ParsedMessage } from '../../shared/mime/parsed-message.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { createTicketStore, type TicketStore } from '../../shared/tickets/ticket-store.ts';
import { mailboxOf } from '../harness/memory/intake-world.ts';
import { MemoryBlobs } from '../harness/memory/memory-blobs.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

const BOX = 'box';

/** The fields of an email that threads depend on. Addresses are plain; IDs are without brackets. */
export interface ThreadMail {
  key: string;
  from: string;
  to?: readonly string[];
  id?: string;
  /** The last one is the message it replies to. */
  references?: readonly string[];
  subject?: string;
  isForged?: boolean;
  /** An absence note, which the mailbox folds. */
  isAbsence?: boolean;
  /** The address that a bounce reports on, and the Message-ID of the returned message. */
  bounceOf?: { recipient: string; id: string };
}

/** A mailbox and its tickets. */
export class ThreadWorld {
  readonly tables = new MemoryTables(openSeam);
  readonly tickets: TicketStore = createTicketStore({
    tables: this.tables,
    blobs: new MemoryBlobs(openSeam),
  });
  readonly #ledger = createLedgerStore(this.tables);
  readonly #mailbox: { id: string; address: string } & ThreadRules;
  #taken = 0;

  constructor(rules: ThreadRules = {}) {
    this.#mailbox = { id: BOX, address: 'box@contoso.example', ...rules };
  }

  /** Imports emails, this many per batch. */
  async take(mails: readonly ThreadMail[], batchSize = mails.length): Promise<void> {
    for (let start = 0; start < mails.length; start += batchSize)
      await this.#takeBatch(mails.slice(start, start + batchSize));
  }

  async #takeBatch(mails: readonly ThreadMail[]): Promise<void> {
    const found = mails.map(({ key }) => {
      this.#taken += 1;
      const receivedAt = new Date(Date.UTC(2026, 10, 24) + this.#taken * 60_000).toISOString();
      const meta = { ref: uidRef(this.#taken), receivedAt, size: 100, messageId: '' };
      const place = placeOf({ folderKey: 'f', validity: '1' }, meta);
      return { ...meta, place, key, rawBlob: `raw/${key}` };
    });
    const { mine } = await this.#ledger.claim(BOX, found, { alone: false, present: new Set() });
    const work = mine.map((mail, index) => ({
      mail,
      stored: { ...mail, ref: found[index]?.ref ?? uidRef(1), raw: undefined, oversized: false, notes: [] },
    }));
    const outcomes = mails.map((mail, index) => outcomeOf(mail, found[index]?.receivedAt ?? ''));
    const deps = {
      tables: this.tables,
      ledger: this.#ledger,
      quarantine: createQuarantineStore({ tables: this.tables }),
      ticketIdOf,
    };
    const decided = await decideBatch(deps, this.#mailbox, work, outcomes);
    await applyDecisions(deps, { ...mailboxOf({ kind: 'mark-seen' }), id: BOX }, work, outcomes, decided);
    await this.#ledger.complete(BOX, decided);
  }

  /** The status of each ticket, by number. */
  statuses(): Record<number, string> {
    const heads = this.tables.dump('Tickets').filter(({ rowKey }) => rowKey === 'head');
    return Object.fromEntries(heads.map((head) => [Number(head['number']), String(head['status'])]));
  }

  /** Keys of the emails of each ticket, by number. */
  threads(): Record<number, string[]> {
    const rows = this.tables.dump('Tickets');
    const heads = rows.filter(({ rowKey }) => rowKey === 'head');
    return Object.fromEntries(
      heads.map((head) => [
        Number(head['number']),
        rows
          .filter(({ partitionKey, rowKey }) => partitionKey === head.partitionKey && rowKey.startsWith('m|'))
          .map((row) => String(row['key']))
          .toReversed(),
      ]),
    );
  }

  /** Number of the ticket that each ticket follows, by number. */
  follows(): Record<number, number> {
    const heads = this.tables.dump('Tickets').filter(({ rowKey }) => rowKey === 'head');
    return Object.fromEntries(
      heads.flatMap((head) => {
        const follows = head['follows'];
        if (typeof follows !== 'string') return [];
        return [[Number(head['number']), (JSON.parse(follows) as { number: number }).number]];
      }),
    );
  }
}

function outcomeOf(wish: ThreadMail, at: string): ReadOutcome {
  const person = (address: string) => ({ name: undefined, address });
  const references = (wish.references ?? []).map((id) => `<${id}>`);
  const mail: ParsedMessage = {
    from: person(wish.from),
    fromSource: 'from',
    fromName: undefined,
    replyTo: [],
    to: (wish.to ?? ['support@contoso.example']).map(person),
    cc: [],
    subject: wish.subject ?? 'Lamp',
    messageId: `<${wish.id ?? wish.key}>`,
    inReplyTo: references.slice(-1),
    references,
    date: undefined,
    text: '',
    html: undefined,
    attachments: [],
    automatic: {
      returnPathEmpty: false,
      isReport: false,
      ...(wish.bounceOf !== undefined && {
        report: {
          kind: 'delivery',
          isSuccess: false,
          recipients: [wish.bounceOf.recipient],
          messageIds: [`<${wish.bounceOf.id}>`],
        },
      }),
    },
    authentication: [],
    notes: [],
  };
  const { from, to, cc, subject, messageId } = mail;
  return {
    kind: 'message',
    ...((wish.isAbsence === true || wish.bounceOf !== undefined) && {
      treatment: { kind: 'fold', reason: 'Automatic.' },
    }),
    mail,
    message: {
      ...{ key: wish.key, at, sentAt: undefined, to, cc, subject, messageId, notes: [], rawBlob: '' },
      from: from ?? { name: undefined, address: undefined },
      messageClass:
        wish.bounceOf !== undefined ? 'bounce' : wish.isAbsence === true ? 'out-of-office' : 'person',
      answers: answersOf(mail),
      attachments: [],
      text: { kind: 'inline', text: '' },
      html: undefined,
      preview: '',
      manifestBlob: undefined,
      authentication: { spf: undefined, dkim: undefined, dmarc: undefined, fails: wish.isForged === true },
    },
  };
}
