import type { Blobs } from '../platform/blobs.ts';
import { listAll, type Row, startingWith, type Table, type Tables } from '../platform/tables.ts';
import type { Conversation, TicketAttachment, TicketMessage, TicketPage, TicketStatus } from './ticket.ts';
import { NUMBERS, numberRowKey } from './ticket-numbers.ts';
import {
  attachmentOf,
  type Body,
  headRow,
  indexRow,
  indexRowKey,
  messageOf,
  type StoredMessage,
  staleOf,
  summaryOf,
  ticketOf,
} from './ticket-rows.ts';

export interface TicketStore {
  /** One page of a status, newest first. `after` is the `next` of the page before. */
  page(status: TicketStatus, range: { after?: string | undefined; limit: number }): Promise<TicketPage>;
  read(id: string): Promise<Conversation | undefined>;
  /** The HTML of a message as it came, not made safe; undefined when it has none. */
  html(id: string, key: string): Promise<string | undefined>;
  /** Closes or opens a ticket and says what it was before. */
  setStatus(id: string, status: TicketStatus): Promise<StatusChange | 'missing'>;
  byNumber(number: number): Promise<string | undefined>;
}

export interface StatusChange {
  number: number;
  before: TicketStatus;
}

/** Reading and closing tickets; file-messages.ts is how mail gets in. */
export function createTicketStore({ tables, blobs }: { tables: Tables; blobs: Blobs }): TicketStore {
  const tickets = tables.open('Tickets');
  const index = tables.open('TicketIndex');
  const numbers = tables.open('Numbers');

  const textOf = async (body: Body | undefined): Promise<string | undefined> => {
    if (body === undefined || body.kind === 'inline') return body?.text;
    const bytes = await blobs.read(body.blob);
    return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
  };
  const messages = async (id: string): Promise<StoredMessage[]> => {
    const rows = await listAll(tickets, id, { from: 'a|', to: 'm|~' });
    const found = await Promise.all(
      rows
        .filter(({ rowKey }) => rowKey.startsWith('m|'))
        .map(async (row) => messageOf(row, await attachmentsOf(row, rows, blobs))),
    );
    return found.sort(oldestFirst);
  };

  return {
    async page(status, { after, limit }) {
      const rows = await index.list(
        status,
        after === undefined ? { limit: limit + 1 } : { after, limit: limit + 1 },
      );
      const shown = rows.slice(0, limit);
      // A ticket that moved up while its old row still stood appears once, at its newest place.
      const unique = new Map(shown.map((row) => [String(row['id']), row] as const).reverse());
      return {
        tickets: shown.filter((row) => unique.get(String(row['id'])) === row).map((row) => summaryOf(row)),
        next: rows.length > limit ? shown.at(-1)?.rowKey : undefined,
      };
    },
    async read(id) {
      const head = await tickets.get(id, 'head');
      if (head === undefined) return undefined;
      const found = await messages(id);
      const shown = await Promise.all(
        found.map(async (message): Promise<TicketMessage> => {
          const { text, html, preview: _, manifestBlob: __, rowKey: ___, ...rest } = message;
          return { ...rest, text: (await textOf(text)) ?? '', hasHtml: html !== undefined };
        }),
      );
      return { ticket: ticketOf(head), messages: shown };
    },
    async html(id, key) {
      const found = (await messages(id)).find((message) => message.key === key);
      return textOf(found?.html);
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

/** Mail servers count in whole seconds; within one, the time that the mails themselves claim decides. */
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
  const { from, to } = startingWith(`a|${String(message['key'])}|`);
  return rows.filter(({ rowKey }) => rowKey >= from && rowKey < to).map(attachmentOf);
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
