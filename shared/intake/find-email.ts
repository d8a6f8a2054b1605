import type { Mailbox } from '../mailboxes/mailbox.ts';
import { mapLimited } from '../platform/concurrency.ts';
import { openRecords } from '../platform/open-records.ts';
import { startingWith, type Tables } from '../platform/tables.ts';
import { type MessageRecord, messageKind, messageRowKey } from '../tickets/message-records.ts';
import { type TicketSummary, ticketStatuses } from '../tickets/ticket.ts';
import { ticketsOfMessageId } from '../tickets/ticket-indexes.ts';
import { indexKind } from '../tickets/ticket-records.ts';
import type { LedgerPlace } from './ledger.ts';
import { mailRowKey, placeKind } from './ledger-records.ts';
import type { LedgerStore } from './ledger-store.ts';
import { partsOfEntryKey, type QuarantineEntry } from './quarantine-records.ts';
import type { QuarantineStore } from './quarantine-store.ts';
import { type Trace, traceOf, traceOfUnfetched } from './trace-email.ts';

/** The search terms a person enters to find an email. */
export interface EmailQuery {
  /** Part of a sender or a subject, in lower case; empty if the query can only be a Message-ID. */
  words: string;
  /** With angle brackets (RFC 5322 section 3.6.4). */
  messageId: string | undefined;
}

export interface FoundEmail {
  mailboxId: string;
  /** Sender and subject, for a person to recognize it. */
  from: string | undefined;
  subject: string | undefined;
  receivedAt: string;
  trace: Trace;
  /** It is listed under “Unimported email”. */
  isUnimported: boolean;
}

export interface EmailSearch {
  /** Newest first, at most `MAX_FOUND`. */
  found: FoundEmail[];
  /** There were more results than are returned. */
  more: boolean;
}

/** Limits of a search, as shown on the page. */
export const SCANNED_TICKETS = 1000;
export const SCANNED_ENTRIES = 1000;
export const MAX_FOUND = 20;
/** Minimum for each mailbox, however many there are. */
const MIN_SHARE = 10;

const TICKETS_READ = 10;
const MESSAGES_READ = 10;
/** A Message-ID identifies one message, which may be an old one in a long ticket. */
const MESSAGES_SOUGHT = 50;
const AT_ONCE = 8;

export interface FindDeps {
  tables: Tables;
  ledger: Pick<LedgerStore, 'emails'>;
  quarantine: Pick<QuarantineStore, 'page'>;
}

/**
 * Prefixes that mail programs put before the subject of a reply: a ticket has the subject of its first email.
 */
const REPLY_PREFIX = /^(?:(?:re|aw|antw|sv|vs|fwd?|wg|tr|rif)(?:\[\d+\])?\s*:\s*)+(?=\S)/i;

/**
 * Parses the search text: a Message-ID in angle brackets, or part of a
 * sender or subject. Undefined if empty. Pure.
 */
export function readQuery(typed: string): EmailQuery | undefined {
  const text = typed
    .replace(/^\s*message-id:/i, '')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 500);
  if (text === '') return undefined;
  if (/^<[^<>\s]+>$/.test(text)) return { words: '', messageId: text };
  // An address and a Message-ID without its brackets look alike.
  const isAddress = /^[^\s<>@]+@[^\s<>@]+$/.test(text);
  const [, inBrackets] = /<([^<>\s]+@[^<>\s]+)>$/.exec(text) ?? [];
  return {
    words: (inBrackets ?? text.replace(REPLY_PREFIX, '')).toLowerCase(),
    messageId: isAddress ? `<${text}>` : undefined,
  };
}

/**
 * Searches the tickets by Message-ID, the newest tickets by sender and subject, and the newest unimported
 * emails. The number of requests and rows is bounded.
 * @throws PostroomError if storage is unavailable
 */
export async function findEmail(
  deps: FindDeps,
  mailboxes: readonly Pick<Mailbox, 'id'>[],
  query: EmailQuery,
): Promise<EmailSearch> {
  const ids = mailboxes.map(({ id }) => id);
  const [byId, byWords, unimported] = await Promise.all([
    query.messageId === undefined ? [] : messagesOfId(deps, ids, query.messageId),
    query.words === '' ? [] : messagesOfWords(deps, new Set(ids), query.words),
    entriesOf(deps, ids, query),
  ]);
  const messages = [...new Map([...byId, ...byWords].map((each) => [each.key, each])).values()];
  const inTickets = await mapLimited(messages.slice(0, MAX_FOUND + 1), AT_ONCE, (each) =>
    foundMessage(deps, each),
  );
  const found = [...inTickets, ...unimported].sort((a, b) => (a.receivedAt < b.receivedAt ? 1 : -1));
  return { found: found.slice(0, MAX_FOUND), more: found.length > MAX_FOUND };
}

interface Message {
  /** Content key, or the ID of a ticket of which no message was read. */
  key: string;
  mailboxId: string;
  ticket: { id: string; number: number } | undefined;
  from: string | undefined;
  subject: string;
  receivedAt: string;
}

async function messagesOfId(
  { tables }: Pick<FindDeps, 'tables'>,
  mailboxIds: readonly string[],
  messageId: string,
): Promise<Message[]> {
  const tickets = await mapLimited(mailboxIds, AT_ONCE, async (mailboxId) => {
    const found = await ticketsOfMessageId(tables, mailboxId, messageId);
    return found.slice(0, TICKETS_READ).map(({ ticketId: id }) => ({ id, mailboxId }));
  });
  const messages = await mapLimited(tickets.flat(), AT_ONCE, async ({ id, mailboxId }) =>
    (await messagesIn(tables, id, MESSAGES_SOUGHT))
      .filter((each) => each.messageId === messageId)
      .map((each) => messageOf(each, mailboxId, undefined)),
  );
  return messages.flat();
}

async function messagesOfWords(
  { tables }: Pick<FindDeps, 'tables'>,
  mailboxIds: ReadonlySet<string>,
  words: string,
): Promise<Message[]> {
  const index = openRecords(tables, indexKind);
  const pages = await Promise.all(
    ticketStatuses.map((status) => index.page([status], { limit: SCANNED_TICKETS - 1 })),
  );
  const tickets = pages
    .flatMap(({ records }) => records)
    .filter((ticket) => mailboxIds.has(ticket.mailboxId) && matches(words, ticket.subject, ticket.requester))
    .sort((a, b) => (a.lastAt < b.lastAt ? 1 : -1));
  const messages = await mapLimited(tickets.slice(0, TICKETS_READ), AT_ONCE, async (ticket) => {
    const read = await messagesIn(tables, ticket.id, MESSAGES_READ);
    const fitting = read.filter(({ subject, from }) => matches(words, subject, from));
    return fitting.length === 0
      ? [ticketAlone(ticket)]
      : fitting.map((each) => messageOf(each, ticket.mailboxId, ticket));
  });
  return [...messages.flat(), ...tickets.slice(TICKETS_READ).map(ticketAlone)];
}

const messagesIn = async (tables: Tables, ticketId: string, limit: number): Promise<MessageRecord[]> =>
  (await openRecords(tables, messageKind).page([ticketId], { ...startingWith('m|'), limit })).records;

const messageOf = (
  { key, from, subject, at }: MessageRecord,
  mailboxId: string,
  ticket: TicketSummary | undefined,
): Message => ({
  key,
  mailboxId,
  ticket: ticket && { id: ticket.id, number: ticket.number },
  from: from.address ?? from.name,
  subject,
  receivedAt: at,
});

/** A ticket whose subject or requester matches, but of whose messages none that was read matches. */
const ticketAlone = ({ id, number, mailboxId, requester, subject, lastAt }: TicketSummary): Message => ({
  key: id,
  mailboxId,
  ticket: { id, number },
  from: requester.address ?? requester.name,
  subject,
  receivedAt: lastAt,
});

function matches(
  words: string,
  subject: string | undefined,
  { name, address }: { name?: string | undefined; address?: string | undefined },
): boolean {
  return [subject, name, address].some((text) => text?.toLowerCase().includes(words) === true);
}

async function foundMessage(deps: FindDeps, message: Message): Promise<FoundEmail> {
  const { key, mailboxId, ticket, from, subject, receivedAt } = message;
  const known = await traceInLedger(deps, mailboxId, key);
  const summary = `In ticket #${ticket?.number ?? '?'}.`;
  const alone: Trace = { outcome: 'ticket', summary, ticket, steps: [{ what: summary, at: receivedAt }] };
  return { mailboxId, from, subject, receivedAt, trace: known ?? alone, isUnimported: false };
}

/**
 * Traces an email in the ledger; undefined if it is not there. @param place absent: where it was first found
 */
export async function traceInLedger(
  { tables, ledger }: Pick<FindDeps, 'tables' | 'ledger'>,
  mailboxId: string,
  key: string,
  place?: LedgerPlace,
): Promise<Trace | undefined> {
  const mail = (await ledger.emails(mailboxId, [key])).get(key);
  if (mail === undefined) return undefined;
  const rows = tables.open('Ledger');
  const [storedAt, updatedAt] = await Promise.all([
    rows.writtenAt(mailboxId, place?.place ?? mail.place),
    rows.writtenAt(mailboxId, mailRowKey(key)),
  ]);
  return traceOf({ receivedAt: mail.receivedAt, storedAt, updatedAt, isCopy: place?.copy, mail });
}

async function entriesOf(
  deps: FindDeps,
  mailboxIds: readonly string[],
  { words, messageId }: EmailQuery,
): Promise<FoundEmail[]> {
  const share = Math.max(MIN_SHARE, Math.floor(SCANNED_ENTRIES / Math.max(1, mailboxIds.length)) - 1);
  const pages = await mapLimited(mailboxIds, AT_ONCE, (id) => deps.quarantine.page(id, { limit: share }));
  const fitting = pages
    .flatMap(({ entries }) => entries)
    .filter(
      (entry) =>
        (messageId !== undefined && entry.messageId === messageId) ||
        (words !== '' && matches(words, entry.subject, { address: entry.from })),
    );
  return mapLimited(fitting.slice(0, MAX_FOUND + 1), AT_ONCE, (entry) => foundEntry(deps, entry));
}

async function foundEntry(deps: FindDeps, entry: QuarantineEntry): Promise<FoundEmail> {
  const { mailboxId, from, subject, at: receivedAt, reason, kind } = entry;
  const { contentKey, place } = partsOfEntryKey(entry.key);
  const known = await openRecords(deps.tables, placeKind).find(mailboxId, place);
  const trace =
    (await traceInLedger(deps, mailboxId, contentKey, known)) ?? traceOfUnfetched(receivedAt, reason);
  // A copy stores only its place; sender and subject are in the original email.
  const original =
    subject === undefined && from === undefined ? await originalOf(deps, mailboxId, contentKey) : undefined;
  return {
    mailboxId,
    from: from ?? original?.from.address ?? original?.from.name,
    subject: subject ?? original?.subject,
    receivedAt,
    trace,
    isUnimported: kind === 'quarantined' && trace.ticket === undefined,
  };
}

async function originalOf(
  { tables, ledger }: Pick<FindDeps, 'tables' | 'ledger'>,
  mailboxId: string,
  key: string,
): Promise<MessageRecord | undefined> {
  const mail = (await ledger.emails(mailboxId, [key])).get(key);
  const ticketId = mail?.decision?.ticketId;
  if (mail === undefined || ticketId === undefined) return undefined;
  return openRecords(tables, messageKind).find(ticketId, messageRowKey(mail.receivedAt, key));
}
