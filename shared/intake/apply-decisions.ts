import type { Mailbox } from '../mailboxes/mailbox.ts';
import type { ParsedMessage } from '../mime/parsed-message.ts';
import { mapLimited } from '../platform/concurrency.ts';
import { telemetry } from '../platform/telemetry.ts';
import { appendMessages, type Filing } from '../tickets/append-messages.ts';
import type { NewMessage } from '../tickets/message-records.ts';
import type { Ticket } from '../tickets/ticket.ts';
import { writeIndexes } from '../tickets/ticket-indexes.ts';
import { noAcknowledgements, type OpenedTicket } from './acknowledgements.ts';
import type { ArrivedMessage } from './agent-news.ts';
import type { IntakeDeps, Work } from './batch.ts';
import type { Decision, LedgerMail } from './ledger.ts';
import type { NewEntry } from './quarantine-store.ts';
import type { ReadOutcome } from './read-message.ts';
import type { StoredMail } from './store-raw.ts';

const TICKETS_AT_ONCE = 16;

/** Step 5: applies the decisions, one transaction per ticket, then writes the derived rows. Idempotent. */
export async function applyDecisions(
  deps: Pick<IntakeDeps, 'tables' | 'quarantine' | 'acknowledgements' | 'agentNews'>,
  mailbox: Mailbox,
  work: readonly Work[],
  outcomes: readonly ReadOutcome[],
  decided: readonly LedgerMail[],
): Promise<void> {
  const mailboxId = mailbox.id;
  const decisions = new Map(decided.map((mail) => [mail.key, mail.decision]));
  const filings = new Map<string, Filing & { messages: NewMessage[]; quiet: Set<string> }>();
  const opened: OpenedTicket[] = [];
  const entries: NewEntry[] = [];
  for (const [index, { stored, mail }] of work.entries()) {
    const decision = decisions.get(mail.key);
    const outcome = outcomes[index];
    if (decision === undefined || outcome === undefined) continue;
    const message: NewMessage = { ...messageOf(stored, outcome), folded: decision.folded };
    if (decision.disposition === 'ticket') addTo(filings, mailboxId, mail, decision, message);
    else entries.push(entryOf(stored, mail, decision, outcome));
    const { ticketId, number, opens } = decision;
    if (opens && ticketId !== undefined && number !== undefined && outcome.kind === 'message')
      opened.push({ ticketId, number, message, mail: outcome.mail });
  }
  const fields = { mailbox: mailboxId, emails: work.length };
  await telemetry.span('file batch', { fields }, async (span) => {
    const { rows, silences, send } = await (deps.acknowledgements?.prepare(mailbox, opened) ??
      noAcknowledgements);
    const filed = await mapLimited([...filings.values()], TICKETS_AT_ONCE, async (filing) => {
      const messages = filing.messages.map((each) => ({ ...each, silence: silences.get(each.key) }));
      const done = await appendMessages(deps.tables, { ...filing, messages, beside: rows });
      span.event('ticket', { ticket: filing.ticketId, number: filing.number });
      return done;
    });
    await Promise.all([
      writeIndexes(deps.tables, mailboxId, filed),
      entries.length === 0 ? undefined : deps.quarantine.put(mailboxId, entries),
    ]);
    await send();
    const tickets = new Map(filed.map(({ ticket }) => [ticket.id, ticket]));
    await deps.agentNews?.tell(mailbox, arrivedIn(filings.values(), tickets));
  });
}

const arrivedIn = (filings: Iterable<Filing>, tickets: ReadonlyMap<string, Ticket>): ArrivedMessage[] =>
  [...filings].flatMap(({ ticketId, opens, messages }) =>
    messages.flatMap((message, index) => {
      const ticket = tickets.get(ticketId);
      return ticket === undefined ? [] : [{ ticket, message, opensTicket: opens && index === 0 }];
    }),
  );

function addTo(
  filings: Map<string, Filing & { messages: NewMessage[]; quiet: Set<string> }>,
  mailboxId: string,
  { attempts }: LedgerMail,
  decision: Decision,
  message: NewMessage,
): void {
  const { ticketId, number, opens, follows } = decision;
  if (ticketId === undefined || number === undefined) return;
  const filing = filings.get(ticketId) ?? {
    ticketId,
    number,
    mailboxId,
    follows: undefined,
    opens: false,
    messages: [],
    quiet: new Set<string>(),
  };
  if (decision.quiet === true) filing.quiet.add(message.key);
  filing.begunBefore ||= attempts > 1;
  filings.set(
    ticketId,
    opens
      ? { ...filing, opens, follows, messages: [message, ...filing.messages] }
      : { ...filing, messages: [...filing.messages, message] },
  );
}

/**
 * The message for an email that was readable when it was decided but no longer is. It keeps its place in the
 * ticket, with a remark and a link to the original.
 */
function messageOf(stored: StoredMail, outcome: ReadOutcome): NewMessage {
  if (outcome.kind === 'message') return outcome.message;
  const remark = `This email could not be read again: ${outcome.reason}. Download it to see it.`;
  return {
    key: stored.key,
    at: stored.receivedAt,
    sentAt: undefined,
    from: { name: undefined, address: undefined },
    to: [],
    cc: [],
    subject: '',
    messageId: undefined,
    notes: [remark, ...stored.notes],
    rawBlob: stored.rawBlob,
    attachments: [],
    text: { kind: 'inline', text: '' },
    html: undefined,
    preview: remark,
    manifestBlob: undefined,
  };
}

const headersOf = ({
  from,
  fromName,
  subject,
  messageId,
}: Pick<ParsedMessage, 'from' | 'fromName' | 'subject' | 'messageId'>): Pick<
  NewEntry,
  'from' | 'subject' | 'messageId'
> => ({
  from: from?.address ?? fromName,
  subject,
  messageId,
});

function entryOf(stored: StoredMail, mail: LedgerMail, decision: Decision, outcome: ReadOutcome): NewEntry {
  // An email that was read and then skipped, such as our own test, can still be found by sender and subject.
  const known =
    outcome.kind === 'message'
      ? headersOf(outcome.mail)
      : outcome.kind === 'quarantine'
        ? outcome
        : undefined;
  return {
    kind: decision.disposition === 'skip' ? 'skipped' : 'quarantined',
    reason: decision.reason ?? '',
    at: mail.receivedAt,
    from: known?.from,
    subject: known?.subject,
    messageId: known?.messageId,
    size: stored.size,
    rawBlob: stored.rawBlob === '' ? undefined : stored.rawBlob,
    contentKey: mail.key,
    place: mail.place,
  };
}
