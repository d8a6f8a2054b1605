import type { Blobs } from '../platform/blobs.ts';
import { mapLimited } from '../platform/concurrency.ts';
import { listAll, type Row, startingWith, type Table, type Tables } from '../platform/tables.ts';
import type {
  Conversation,
  Ticket,
  TicketAttachment,
  TicketMessage,
  TicketPage,
  TicketStatus,
} from './ticket.ts';
import { NUMBERS, numberRowKey } from './ticket-numbers.ts';
import {
  attachmentOf,
  attachmentRange,
  type Body,
  headRow,
  indexRow,
  indexRowKey,
  messageOf,
  refOfRowKey,
  rowKeyOfRef,
  type StoredMessage,
  staleOf,
  summaryOf,
  ticketOf,
} from './ticket-records.ts';

/** Blobs read at the same time. */
const READS = 16;

export interface TicketStore {
  /** One page of a status, newest first. `after` is the `next` of the page before. */
  page(status: TicketStatus, range: { after?: string | undefined; limit: number }): Promise<TicketPage>;
  /** The newest messages of a ticket, or those before `before`; their texts stand where they are. */
  conversation(
    id: string,
    range: { before?: string | undefined; limit: number },
  ): Promise<ConversationPage | undefined>;
  /** One message by its `messageRef`, without reading any other. */
  message(id: string, ref: string): Promise<{ ticket: Ticket; message: StoredMessage } | undefined>;
  /** The whole ticket with every text. However long it is: no page asks for this. */
  read(id: string): Promise<Conversation | undefined>;
  /** The beginning of a text, at most `limit` characters of it; undefined when its blob is gone. */
  textOf(body: Body, limit: number): Promise<{ text: string; whole: boolean } | undefined>;
  /** Closes or opens a ticket and says what it was before. */
  setStatus(id: string, status: TicketStatus): Promise<StatusChange | 'missing'>;
  byNumber(number: number): Promise<string | undefined>;
}

/** Messages of one ticket, oldest first. */
export interface ConversationPage {
  ticket: Ticket;
  messages: readonly StoredMessage[];
  /** `messageRef` to go on before; absent when there is nothing earlier. */
  earlier: string | undefined;
}

export interface StatusChange {
  number: number;
  before: TicketStatus;
}

/** Reading and closing tickets; append-messages.ts is how mail gets in. */
export function createTicketStore({ tables, blobs }: { tables: Tables; blobs: Blobs }): TicketStore {
  const tickets = tables.open('Tickets');
  const index = tables.open('TicketIndex');
  const numbers = tables.open('Numbers');

  const whole = async (body: Body): Promise<string | undefined> => {
    if (body.kind === 'inline') return body.text;
    const bytes = await blobs.read(body.blob);
    return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
  };
  /** @param rows of messages, the newest first */
  const messagesOf = async (id: string, rows: readonly Row[]): Promise<StoredMessage[]> => {
    const withFiles = rows.filter(({ attachmentRows }) => attachmentRows !== 0);
    const [newest] = withFiles;
    const attachments =
      newest === undefined
        ? []
        : await listAll(tickets, id, attachmentRange(newest.rowKey, (withFiles.at(-1) ?? newest).rowKey));
    const found = await mapLimited(rows.toReversed(), READS, async (row) =>
      messageOf(row, await attachmentsOf(row, attachments, blobs)),
    );
    return found.sort(oldestFirst);
  };

  return {
    async page(status, { after, limit }) {
      const rows = await index.list(status, { after, limit: limit + 1 });
      const shown = rows.slice(0, limit);
      const last = rows.length > limit ? shown.at(-1) : undefined;
      // A ticket that moved up while its old row still stood appears once, at its newest place.
      const unique = new Map(shown.map((row) => [String(row['id']), row] as const).reverse());
      return {
        tickets: shown.filter((row) => unique.get(String(row['id'])) === row).map((row) => summaryOf(row)),
        next: last?.rowKey,
      };
    },
    async conversation(id, { before, limit }) {
      const after = rowKeyOfRef(before ?? '');
      if (before !== undefined && after === undefined) return undefined;
      const range = after === undefined ? startingWith('m|') : { after, to: startingWith('m|').to };
      const [head, rows] = await Promise.all([
        tickets.get(id, 'head'),
        tickets.list(id, { ...range, limit: limit + 1 }),
      ]);
      if (head === undefined) return undefined;
      const shown = rows.slice(0, limit);
      const last = rows.length > limit ? shown.at(-1) : undefined;
      return {
        ticket: ticketOf(head),
        messages: await messagesOf(id, shown),
        earlier: last && refOfRowKey(last.rowKey),
      };
    },
    async message(id, ref) {
      const rowKey = rowKeyOfRef(ref);
      if (rowKey === undefined) return undefined;
      const [head, row] = await Promise.all([tickets.get(id, 'head'), tickets.get(id, rowKey)]);
      if (head === undefined || row === undefined) return undefined;
      const [message] = await messagesOf(id, [row]);
      return message === undefined ? undefined : { ticket: ticketOf(head), message };
    },
    async read(id) {
      const head = await tickets.get(id, 'head');
      if (head === undefined) return undefined;
      const found = await messagesOf(id, await listAll(tickets, id, startingWith('m|')));
      const shown = await mapLimited(found, READS, async (message): Promise<TicketMessage> => {
        const { text, html, htmlShape: _, preview: __, manifestBlob: ___, rowKey: ____, ...rest } = message;
        return { ...rest, text: (await whole(text)) ?? '', hasHtml: html !== undefined };
      });
      return { ticket: ticketOf(head), messages: shown };
    },
    async textOf(body, limit) {
      if (body.kind === 'inline') return cut(body.text, limit);
      const pieces = await blobs.stream(body.blob);
      if (pieces === undefined) return undefined;
      // A character has up to three bytes for each of its UTF-16 units.
      const found: Uint8Array[] = [];
      let bytes = 0;
      for await (const piece of pieces) {
        found.push(piece);
        bytes += piece.byteLength;
        if (bytes > limit * 3) break;
      }
      return cut(
        Buffer.concat(found)
          .subarray(0, limit * 3 + 3)
          .toString('utf8'),
        limit,
      );
    },
    setStatus: (id, status) => setStatus(tickets, index, id, status),
    async byNumber(number) {
      const row = await numbers.get(NUMBERS, numberRowKey(number));
      const ticketId = row?.['ticketId'];
      if (typeof ticketId !== 'string') return undefined;
      // A number that was reserved and not used names a ticket that has another one, or none that is there.
      const head = await tickets.get(ticketId, 'head');
      return head?.['number'] === number ? ticketId : undefined;
    },
  };
}

function cut(text: string, limit: number): { text: string; whole: boolean } {
  return { text: text.slice(0, limit).toWellFormed(), whole: text.length <= limit };
}

/** Mail servers count in whole seconds; within one, the time that the emails themselves claim decides. */
function oldestFirst(a: StoredMessage, b: StoredMessage): number {
  const times = (one: StoredMessage): string => `${one.at} ${one.sentAt ?? one.at}`;
  return times(a) < times(b) ? -1 : times(a) > times(b) ? 1 : 0;
}

async function attachmentsOf(message: Row, rows: readonly Row[], blobs: Blobs): Promise<TicketAttachment[]> {
  const manifest = message['manifestBlob'];
  if (typeof manifest === 'string') {
    const bytes = await blobs.read(manifest);
    return bytes === undefined ? [] : (JSON.parse(Buffer.from(bytes).toString('utf8')) as TicketAttachment[]);
  }
  const { from } = attachmentRange(message.rowKey, message.rowKey);
  return rows.filter(({ rowKey }) => rowKey.startsWith(from)).map(attachmentOf);
}

/**
 * The new index row is written first: a ticket may stand twice in a list for a moment, never in none. Rows written for
 * a state that was overtaken by somebody else's change are taken away at the end, except the one that holds.
 */
async function setStatus(
  tickets: Table,
  index: Table,
  id: string,
  status: TicketStatus,
): Promise<StatusChange | 'missing'> {
  const written = new Set<string>();
  const clean = async (keep: string): Promise<void> => {
    for (const rowKey of written)
      if (rowKey !== keep) await index.commit(status, [{ kind: 'remove', rowKey }]);
  };
  for (;;) {
    const row = await tickets.get(id, 'head');
    if (row?.etag === undefined) return 'missing';
    const ticket = ticketOf(row);
    const done: StatusChange = { number: ticket.number, before: ticket.status };
    const changed = { ...ticket, status };
    const rowKey = indexRowKey(changed);
    await index.commit(status, [{ kind: 'put', row: indexRow(changed) }]);
    written.add(rowKey);
    if (ticket.status === status) {
      await clean(rowKey);
      return done;
    }
    const stale = [`${ticket.status}|${rowKey}`, ...staleOf(row)].slice(0, 2);
    const replaced = await tickets.commit(id, [
      { kind: 'replace', row: headRow(changed, stale), etag: row.etag },
    ]);
    if (replaced.ok) {
      await clean(rowKey);
      await index.commit(ticket.status, [{ kind: 'remove', rowKey }]);
      return done;
    }
  }
}
