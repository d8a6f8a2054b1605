import { PostroomError } from '../platform/errors.ts';
import { openRecords, type Stored } from '../platform/open-records.ts';
import { sizeOfRow } from '../platform/row-limits.ts';
import type { Change, Row, Table, Tables } from '../platform/tables.ts';
import {
  attachmentKind,
  messageKind,
  messageRecord,
  messageRowKey,
  type NewMessage,
} from './message-records.ts';
import type { Ticket } from './ticket.ts';
import { HEAD, headKind, indexRowKey, type TicketHead, withoutStale } from './ticket-records.ts';

/** Messages of one fetch that belong to one ticket, oldest first. */
export interface Filing {
  ticketId: string;
  number: number;
  mailboxId: string;
  follows: Ticket['follows'];
  /** True if the first message opens the ticket; false if all of them are replies to an existing one. */
  opens: boolean;
  /** True if an earlier run started to process one of the messages. That process may still be running. */
  begunBefore?: boolean;
  messages: readonly NewMessage[];
  /**
   * Further rows of the ticket that are written in the transaction of a message, by the message's key, such as
   * an email that answers it.
   */
  beside?: ReadonlyMap<string, readonly Row[]>;
  /** Keys of messages that join the ticket without reopening it or moving it up the list. */
  quiet?: ReadonlySet<string>;
}

/** The ticket after the write, with its outdated index rows (`status|rowKey`). */
export interface Filed {
  ticket: Ticket;
  stale: readonly string[];
  /** False only if no other process can know the ticket yet. Otherwise, others may change it at any time. */
  shared: boolean;
  messages: readonly FiledMessage[];
}

/** The fields from which a ticket's index rows are built. */
export type FiledMessage = Pick<NewMessage, 'key' | 'at' | 'messageId' | 'answers' | 'authentication'>;

// Table Storage accepts at most 100 changes and 4 MiB per transaction. The rows of one message are never split.
// https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions
const MAX_ROWS = 100;
const MAX_BYTES = 3 * 1024 * 1024;
/** Upper estimate of what a change adds to its row: part headers, property names and types. */
const BYTES_A_CHANGE = 2 * 1024;
const TRIES = 20;
const none: ReadonlyMap<string, FiledMessage> = new Map();

/**
 * Appends the messages to their ticket. A message's rows are written in one transaction; several messages share
 * one if they fit. Idempotent: an existing message is recognized by its key and not changed.
 * @throws PostroomError `ticket-missing` when the ticket of a reply does not exist, `ticket-busy` after too
 * many concurrent changes
 */
export async function appendMessages(tables: Tables, filing: Filing): Promise<Filed> {
  let filed: Filed | undefined;
  for (const part of parts(filing)) {
    const opens = filing.opens && filed === undefined;
    const { ticket, stale, hadConflict, messages } = await appendTogether(tables, filing, part, opens);
    filed = {
      ticket,
      stale: [...(filed?.stale ?? []), ...stale],
      shared: !filing.opens || filing.begunBefore === true || hadConflict || filed?.shared === true,
      messages: [...(filed?.messages ?? []), ...messages],
    };
  }
  if (filed === undefined) throw new PostroomError('ticket-missing', 'A filing without messages');
  return filed;
}

async function appendTogether(
  tables: Tables,
  filing: Filing,
  messages: readonly NewMessage[],
  opens: boolean,
): Promise<Omit<Filed, 'shared'> & { hadConflict: boolean }> {
  const tickets = tables.open('Tickets');
  const heads = openRecords(tables, headKind);
  let mayExist = false;
  let head: Stored<TicketHead> | undefined;
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    if (!opens || mayExist) head = await heads.get(filing.ticketId, HEAD);
    if (head === undefined && !opens)
      throw new PostroomError('ticket-missing', `Ticket ${filing.ticketId} of a reply does not exist`);
    const existing = mayExist ? await findExisting(tickets, filing.ticketId, messages) : none;
    const missing = messages.filter(({ key }) => !existing.has(key));
    const filed = { hadConflict: mayExist, messages: messages.map((each) => existing.get(each.key) ?? each) };
    const before = head && { ticket: withoutStale(head.record), stale: head.record.stale };
    if (before !== undefined && missing.length === 0) return { ...before, ...filed };
    const ticket =
      before === undefined ? openTicket(filing, missing) : withMessages(before.ticket, missing, filing.quiet);
    const stale = before === undefined ? [] : outdatedKeys(before.ticket, ticket, before.stale);
    const row = headKind.toRow({ ...ticket, stale });
    const changes: Change[] = [
      head === undefined ? { kind: 'insert', row } : { kind: 'replace', row, etag: head.etag },
      ...missing
        .flatMap((message) => rowsOf(filing, message))
        .map((r): Change => ({ kind: 'insert', row: r })),
    ];
    const written = await tickets.commit(filing.ticketId, changes);
    if (written.ok) return { ticket, stale, ...filed };
    // Either an earlier attempt succeeded and its response was lost, or the ticket was changed concurrently.
    mayExist = true;
  }
  throw new PostroomError(
    'ticket-busy',
    `Ticket ${filing.ticketId} was changed by other runs ${TRIES} times in a row`,
  );
}

function rowsOf({ ticketId, beside }: Filing, message: NewMessage): Row[] {
  const messageRow = messageRowKey(message.at, message.key);
  const attachments = message.manifestBlob === undefined ? message.attachments : [];
  return [
    messageKind.toRow(messageRecord(ticketId, message)),
    ...attachments.map((each) => attachmentKind.toRow({ ...each, ticketId, messageRow })),
    ...(beside?.get(message.key) ?? []),
  ];
}

function parts(filing: Filing): NewMessage[][] {
  const all: NewMessage[][] = [];
  let rows = MAX_ROWS;
  let bytes = MAX_BYTES;
  for (const message of filing.messages) {
    const own = rowsOf(filing, message);
    const size = own.reduce((sum, row) => sum + payloadOf(row), 0);
    if (rows + own.length > MAX_ROWS - 1 || bytes + size > MAX_BYTES) {
      all.push([]);
      rows = 0;
      bytes = 0;
    }
    all.at(-1)?.push(message);
    rows += own.length;
    bytes += size;
  }
  return all;
}

/** Rows are sent as JSON in UTF-8, where a character takes up to three bytes; `sizeOfRow` counts two. */
const payloadOf = (row: Row): number =>
  Math.max(sizeOfRow(row), Buffer.byteLength(JSON.stringify(row))) + BYTES_A_CHANGE;

/**
 * The messages that are stored already, by key. Uses the stored fields: if an email could be parsed then and
 * can't be now, it is still found by its Message-ID. If the row can't be read either, the given message is
 * used.
 */
async function findExisting(
  tickets: Table,
  ticketId: string,
  messages: readonly NewMessage[],
): Promise<Map<string, FiledMessage>> {
  const found = await Promise.all(
    messages.map(async (message): Promise<[string, FiledMessage] | undefined> => {
      const row = await tickets.get(ticketId, messageRowKey(message.at, message.key));
      return row && [message.key, readMessage(row) ?? message];
    }),
  );
  return new Map(found.filter((each) => each !== undefined));
}

function readMessage(row: Row): FiledMessage | undefined {
  try {
    return messageKind.fromRow(row);
  } catch {
    // The ticket page reports the unreadable row.
    return undefined;
  }
}

function openTicket(filing: Filing, messages: readonly NewMessage[]): Ticket {
  const [first] = messages;
  if (first === undefined) throw new PostroomError('ticket-missing', 'A ticket without a first message');
  const opened: Ticket = {
    id: filing.ticketId,
    number: filing.number,
    status: 'open',
    subject: first.subject,
    requester: first.from,
    mailboxId: filing.mailboxId,
    lastAt: first.at,
    messageCount: 0,
    preview: first.preview,
    openedAt: first.at,
    participants: [],
    follows: filing.follows,
    messageClass: first.messageClass,
  };
  return withMessages(opened, messages);
}

/** Adds messages to a ticket. A message that is not quiet reopens a closed ticket, so that an agent sees it. */
function withMessages(
  ticket: Ticket,
  messages: readonly NewMessage[],
  quiet: ReadonlySet<string> = new Set(),
): Ticket {
  const news = messages.filter(({ key }) => !quiet.has(key));
  const newest = news.reduce<NewMessage | undefined>(
    (best, message) => (message.at >= (best?.at ?? ticket.lastAt) ? message : best),
    undefined,
  );
  // A bounce joins the ticket of the email it reports on, but its sender does not become a participant: anyone
  // could forge a bounce and then write to the ticket.
  const people = messages
    .filter((message) => message.messageClass !== 'bounce')
    .flatMap((message) => [message.from, ...message.to, ...message.cc]);
  const addresses = people.flatMap(({ address }) => (address === undefined ? [] : [address.toLowerCase()]));
  return {
    ...ticket,
    status: news.length > 0 ? 'open' : ticket.status,
    lastAt: newest?.at ?? ticket.lastAt,
    preview: newest?.preview ?? ticket.preview,
    messageCount: ticket.messageCount + messages.length,
    participants: [...new Set([...ticket.participants, ...addresses])],
  };
}

function outdatedKeys(before: Ticket, after: Ticket, known: readonly string[]): string[] {
  const old = `${before.status}|${indexRowKey(before)}`;
  const current = `${after.status}|${indexRowKey(after)}`;
  return [...new Set([old, ...known])].filter((key) => key !== current).slice(0, 2);
}
