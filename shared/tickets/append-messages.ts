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
  /** True when the first message opens the ticket, false when all are replies to one that is there. */
  opens: boolean;
  /** True when an earlier run began with one of the messages: its process may still be at work. */
  begunBefore?: boolean;
  messages: readonly NewMessage[];
  /** Keys of messages that are no news: they join a ticket without reopening it or moving it up. */
  quiet?: ReadonlySet<string>;
}

/** The ticket as it stands afterwards, with index rows (`status|rowKey`) that it has outgrown. */
export interface Filed {
  ticket: Ticket;
  stale: readonly string[];
  /** True unless this filing alone can know of the ticket: others may change it at any moment. */
  shared: boolean;
  messages: readonly FiledMessage[];
}

/** What the rows that lead to a ticket are made of. */
export type FiledMessage = Pick<NewMessage, 'key' | 'at' | 'messageId' | 'answers' | 'authentication'>;

// The service takes 100 changes and a payload of 4 MiB a transaction; a message's rows stay together.
// https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions
const MAX_ROWS = 100;
const MAX_BYTES = 3 * 1024 * 1024;
/** What a change takes besides its row: the headers of its part of the request, names and types. Generous. */
const BYTES_A_CHANGE = 2 * 1024;
const TRIES = 20;
const none: ReadonlyMap<string, FiledMessage> = new Map();

/**
 * Writes the messages into their ticket, each with all its rows in one transaction, and several in one where they fit.
 * Repeating it changes nothing: a message that is there is recognised by its key and left alone.
 * @throws PostroomError `ticket-missing` when a reply's ticket is gone, `ticket-busy` when others never let us in.
 */
export async function appendMessages(tables: Tables, filing: Filing): Promise<Filed> {
  let filed: Filed | undefined;
  for (const part of parts(filing)) {
    const opens = filing.opens && filed === undefined;
    const { ticket, stale, metOthers, messages } = await fileTogether(tables, filing, part, opens);
    filed = {
      ticket,
      stale: [...(filed?.stale ?? []), ...stale],
      shared: !filing.opens || filing.begunBefore === true || metOthers || filed?.shared === true,
      messages: [...(filed?.messages ?? []), ...messages],
    };
  }
  if (filed === undefined) throw new PostroomError('ticket-missing', 'A filing without messages');
  return filed;
}

async function fileTogether(
  tables: Tables,
  filing: Filing,
  messages: readonly NewMessage[],
  opens: boolean,
): Promise<Omit<Filed, 'shared'> & { metOthers: boolean }> {
  const tickets = tables.open('Tickets');
  const heads = openRecords(tables, headKind);
  let suspectTwins = false;
  let head: Stored<TicketHead> | undefined;
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    if (!opens || suspectTwins) head = await heads.get(filing.ticketId, HEAD);
    if (head === undefined && !opens)
      throw new PostroomError('ticket-missing', `Ticket ${filing.ticketId} of a reply is not there`);
    const there = suspectTwins ? await alreadyThere(tickets, filing.ticketId, messages) : none;
    const missing = messages.filter(({ key }) => !there.has(key));
    const filed = { metOthers: suspectTwins, messages: messages.map((each) => there.get(each.key) ?? each) };
    const before = head && { ticket: withoutStale(head.record), stale: head.record.stale };
    if (before !== undefined && missing.length === 0) return { ...before, ...filed };
    const ticket =
      before === undefined ? openedBy(filing, missing) : extendedBy(before.ticket, missing, filing.quiet);
    const stale = before === undefined ? [] : outgrown(before.ticket, ticket, before.stale);
    const row = headKind.toRow({ ...ticket, stale });
    const changes: Change[] = [
      head === undefined ? { kind: 'insert', row } : { kind: 'replace', row, etag: head.etag },
      ...missing
        .flatMap((message) => rowsOf(filing.ticketId, message))
        .map((r): Change => ({ kind: 'insert', row: r })),
    ];
    const written = await tickets.commit(filing.ticketId, changes);
    if (written.ok) return { ticket, stale, ...filed };
    // Either an earlier try of ours got through and its answer was lost, or somebody changed the ticket meanwhile.
    suspectTwins = true;
  }
  throw new PostroomError(
    'ticket-busy',
    `Ticket ${filing.ticketId} was changed by others ${TRIES} times in a row`,
  );
}

function rowsOf(ticketId: string, message: NewMessage): Row[] {
  const messageRow = messageRowKey(message.at, message.key);
  const attachments = message.manifestBlob === undefined ? message.attachments : [];
  return [
    messageKind.toRow(messageRecord(ticketId, message)),
    ...attachments.map((each) => attachmentKind.toRow({ ...each, ticketId, messageRow })),
  ];
}

function parts(filing: Filing): NewMessage[][] {
  const all: NewMessage[][] = [];
  let rows = MAX_ROWS;
  let bytes = MAX_BYTES;
  for (const message of filing.messages) {
    const own = rowsOf(filing.ticketId, message);
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

/** Rows travel as JSON in UTF-8, where a character takes up to three bytes and is measured with two elsewhere. */
const payloadOf = (row: Row): number =>
  Math.max(sizeOfRow(row), Buffer.byteLength(JSON.stringify(row))) + BYTES_A_CHANGE;

/**
 * By key, as they were stored: an email that could be read then and cannot now is still found by its Message-ID. Where the
 * row cannot be read either, the message that was handed over stands for it.
 */
async function alreadyThere(
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
    // It is reported where the ticket is shown.
    return undefined;
  }
}

function openedBy(filing: Filing, messages: readonly NewMessage[]): Ticket {
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
  return extendedBy(opened, messages);
}

/** Mail that reaches a closed ticket opens it again, unless it is no news: a person must see it. */
function extendedBy(
  ticket: Ticket,
  messages: readonly NewMessage[],
  quiet: ReadonlySet<string> = new Set(),
): Ticket {
  const news = messages.filter(({ key }) => !quiet.has(key));
  const newest = news.reduce<NewMessage | undefined>(
    (best, message) => (message.at >= (best?.at ?? ticket.lastAt) ? message : best),
    undefined,
  );
  // A bounce joins for whom it reports on. Its sender is nobody's: whoever forges one would take part from then on.
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

function outgrown(before: Ticket, after: Ticket, known: readonly string[]): string[] {
  const old = `${before.status}|${indexRowKey(before)}`;
  const current = `${after.status}|${indexRowKey(after)}`;
  return [...new Set([old, ...known])].filter((key) => key !== current).slice(0, 2);
}
