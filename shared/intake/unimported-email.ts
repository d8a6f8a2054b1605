import type { Mailbox } from '../mailboxes/mailbox.ts';
import type { ParsedMessage } from '../mime/parsed-message.ts';
import { appendMessages } from '../tickets/append-messages.ts';
import type { NewMessage } from '../tickets/message-records.ts';
import { writeIndexes } from '../tickets/ticket-indexes.ts';
import { reserveNumbers } from '../tickets/ticket-numbers.ts';
import { applyDecisions } from './apply-decisions.ts';
import type { IntakeDeps } from './batch.ts';
import { decideBatch } from './decide-batch.ts';
import { type Decision, type LedgerMail, refOfPlace } from './ledger.ts';
import { limits } from './plan-batches.ts';
import { partsOfEntryKey, type QuarantineEntry } from './quarantine-records.ts';
import { readMail } from './read-message.ts';
import { headerBlock, type StoredMail } from './store-raw.ts';
import { withoutStop } from './trace-email.ts';

type ReadAt = Pick<Mailbox, 'host' | 'address'>;

/** The outcome of a person's request about an unimported email. */
export type UnimportedOutcome =
  | { kind: 'in-ticket'; ticket: { id: string; number: number } }
  /** It could not be imported again, or is now skipped. */
  | { kind: 'not-imported'; reason: string }
  /** Only the mail server has it: it must be fetched again. */
  | { kind: 'on-server' };

const HEADER_BYTES = 64 * 1024;

/**
 * Reads the stored original again and processes the email as if it had just been fetched. Idempotent, even
 * after a process died over it.
 * @throws PostroomError if storage is unavailable
 */
export async function retryUnimported(
  deps: IntakeDeps,
  mailbox: Mailbox,
  entry: QuarantineEntry,
): Promise<UnimportedOutcome> {
  const before = await ledgerMailOf(deps, entry);
  if (entry.rawBlob === undefined || before === undefined) return { kind: 'on-server' };
  const mail = await deps.ledger.reopen(mailbox.id, before);
  if (mail.state === 'done') return outcomeOf(mail.decision);
  const stored = await storedMail(deps, mail);
  if (stored === undefined) return { kind: 'not-imported', reason: 'the original is no longer in storage' };
  const work = [{ stored, mail }];
  const outcomes = [await readMail(deps, mailbox, stored)];
  const decided = await decideBatch(deps, mailbox, work, outcomes);
  await applyDecisions(deps, mailbox, work, outcomes, decided);
  await deps.ledger.complete(mailbox.id, decided);
  return outcomeOf(decided[0]?.decision);
}

/**
 * Opens a ticket for an email that could not be imported: its original is attached, and the sender is taken
 * from the readable part of its header. A skipped email that can be read is shown like any other.
 * @param mailbox its mailbox; undefined if the mailbox was deleted
 * @throws PostroomError if storage is unavailable
 */
export async function openTicketAnyway(
  deps: IntakeDeps,
  entry: QuarantineEntry,
  mailbox: ReadAt | undefined,
): Promise<UnimportedOutcome> {
  const { mailboxId } = entry;
  const { contentKey } = partsOfEntryKey(entry.key);
  const before = await ledgerMailOf(deps, entry);
  const mail = before === undefined ? undefined : await deps.ledger.reopen(mailboxId, before);
  if (mail?.state === 'done') return outcomeOf(mail.decision);
  const ticketId = deps.ticketIdOf(mailboxId, contentKey);
  const wanted = mail?.decision ?? opening(ticketId, await reserveNumbers(deps.tables, [ticketId]));
  const [decided] =
    mail === undefined ? [] : await deps.ledger.decide(mailboxId, [{ mail, decision: wanted }]);
  const decision = decided?.decision ?? wanted;
  if (decision.ticketId === undefined || decision.number === undefined) return outcomeOf(decision);
  const filed = await appendMessages(deps.tables, {
    ticketId: decision.ticketId,
    number: decision.number,
    mailboxId,
    follows: decision.follows,
    opens: decision.opens,
    begunBefore: true,
    messages: [
      (entry.kind === 'skipped' && (await readSkipped(deps, mailbox, entry, mail))) ||
        (await messageOf(deps, entry, contentKey)),
    ],
  });
  await writeIndexes(deps.tables, mailboxId, [filed]);
  if (decided !== undefined) await deps.ledger.complete(mailboxId, [decided]);
  return outcomeOf(decision);
}

async function ledgerMailOf(
  { ledger }: Pick<IntakeDeps, 'ledger'>,
  { mailboxId, key }: QuarantineEntry,
): Promise<LedgerMail | undefined> {
  const { contentKey } = partsOfEntryKey(key);
  return (await ledger.emails(mailboxId, [contentKey])).get(contentKey);
}

function outcomeOf(decision: Decision | undefined): UnimportedOutcome {
  const { ticketId, number, reason = 'it is being processed' } = decision ?? {};
  return ticketId === undefined || number === undefined
    ? { kind: 'not-imported', reason }
    : { kind: 'in-ticket', ticket: { id: ticketId, number } };
}

const opening = (ticketId: string, number: number): Decision => ({
  disposition: 'ticket',
  ticketId,
  number,
  opens: true,
  follows: undefined,
  reason: undefined,
});

/** The stored email, to be read again; a large one is streamed from its blob. */
async function storedMail(
  { blobs }: Pick<IntakeDeps, 'blobs'>,
  { key, place, rawBlob, receivedAt, size }: LedgerMail,
): Promise<StoredMail | undefined> {
  const whole = size <= limits.inMemoryBytes ? await blobs.read(rawBlob) : undefined;
  if (size <= limits.inMemoryBytes && whole === undefined) return undefined;
  return {
    ref: refOfPlace(place),
    place,
    key,
    rawBlob,
    receivedAt,
    size,
    raw: whole,
    oversized: false,
    notes: [],
  };
}

/** The full content of a skipped email, if it can be read. */
async function readSkipped(
  deps: IntakeDeps,
  { host, address }: ReadAt = { host: '', address: '' },
  { mailboxId }: QuarantineEntry,
  mail: LedgerMail | undefined,
): Promise<NewMessage | undefined> {
  const stored = mail === undefined ? undefined : await storedMail(deps, mail);
  if (stored === undefined) return undefined;
  const read = await readMail(deps, { id: mailboxId, host, address }, stored);
  return read.kind === 'message' ? read.message : undefined;
}

async function messageOf(deps: IntakeDeps, entry: QuarantineEntry, key: string): Promise<NewMessage> {
  const header = await readHeader(deps, entry.rawBlob);
  const remark = `This email could not be imported: ${withoutStop(entry.reason)}. ${
    entry.rawBlob === undefined ? 'Its original is on the mail server.' : 'Its original is attached.'
  }`;
  const sender = entry.from ?? undefined;
  return {
    key,
    at: entry.at,
    sentAt: header?.date,
    from:
      header === undefined
        ? personOf(sender)
        : { name: header.from?.name ?? header.fromName, address: header.from?.address },
    to: header?.to ?? [],
    cc: header?.cc ?? [],
    subject: header?.subject ?? entry.subject ?? '',
    messageId: header?.messageId ?? entry.messageId,
    notes: [remark],
    rawBlob: entry.rawBlob ?? '',
    attachments:
      entry.rawBlob === undefined
        ? []
        : [
            {
              index: 0,
              filename: 'message.eml',
              contentType: 'message/rfc822',
              contentId: undefined,
              inline: false,
              size: entry.size,
              blob: entry.rawBlob,
            },
          ],
    text: { kind: 'inline', text: '' },
    html: undefined,
    preview: remark.slice(0, 200),
    manifestBlob: undefined,
  };
}

const personOf = (sender: string | undefined): NewMessage['from'] =>
  sender?.includes('@') === true
    ? { name: undefined, address: sender }
    : { name: sender, address: undefined };

/** The content of the header alone; undefined if it is unreadable. */
async function readHeader(
  { blobs, parser }: Pick<IntakeDeps, 'blobs' | 'parser'>,
  rawBlob: string | undefined,
): Promise<ParsedMessage | undefined> {
  const pieces = rawBlob === undefined ? undefined : await blobs.stream(rawBlob);
  if (pieces === undefined) return undefined;
  const beginning: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    beginning.push(piece);
    bytes += piece.byteLength;
    if (bytes >= HEADER_BYTES) break;
  }
  const read = await parser.parse(headerBlock(Buffer.concat(beginning).subarray(0, HEADER_BYTES)));
  return read.kind === 'mail' ? read.mail : undefined;
}
