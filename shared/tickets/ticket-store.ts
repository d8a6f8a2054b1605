import type { MessageClass } from '../message-class/message-class.ts';
import type { Blobs } from '../platform/blobs.ts';
import { mapLimited } from '../platform/concurrency.ts';
import { openRecords, type Records } from '../platform/open-records.ts';
import { startingWith, type Tables } from '../platform/tables.ts';
import { FOLLOWERS, type FollowerRecord, followerKind } from './follower-records.ts';
import {
  type AttachmentRecord,
  attachmentKind,
  attachmentRange,
  type Body,
  type MessageRecord,
  messageKind,
  messageRowKey,
  refOfRowKey,
  rowKeyOfRef,
  type StoredMessage,
  storedMessage,
} from './message-records.ts';
import { NUMBERS, numberKind, numberRowKey } from './number-records.ts';
import type {
  Conversation,
  Ticket,
  TicketAttachment,
  TicketMessage,
  TicketPage,
  TicketStatus,
  TicketSummary,
} from './ticket.ts';
import { HEAD, headKind, indexKind, indexRowKey, withoutStale } from './ticket-records.ts';

/** Tickets that are named as following another one. */
const FOLLOWERS_SHOWN = 20;
/** Blobs read at the same time. */
const READS = 16;

export interface TicketStore {
  /**
   * One page of a status, newest first. `after` is the `next` of the page before.
   * @param range `messageClass`: only tickets whose first message is of this class; the page may then have fewer, or none,
   * and a `next` all the same: after 2,000 others the search pauses
   */
  page(
    status: TicketStatus,
    range: { after?: string | undefined; limit: number; messageClass?: MessageClass | undefined },
  ): Promise<TicketPage>;
  /** The newest messages of a ticket, or those before `before`; their texts stand where they are. */
  conversation(
    id: string,
    range: { before?: string | undefined; limit: number },
  ): Promise<ConversationPage | undefined>;
  /** Tickets that follow this one, the oldest twenty, and whether there are more. */
  followers(id: string): Promise<{ followers: readonly FollowerRecord[]; more: boolean }>;
  /** One message by its `messageRef`, without reading any other. */
  message(id: string, ref: string): Promise<{ ticket: Ticket; message: StoredMessage } | undefined>;
  /** The whole ticket with every text. However long it is: no page asks for this. */
  read(id: string): Promise<Conversation | undefined>;
  /** The beginning of a text, at most `limit` characters of it; undefined when its blob is gone. */
  readText(body: Body, limit: number): Promise<{ text: string; whole: boolean } | undefined>;
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
  const heads = openRecords(tables, headKind);
  const index = openRecords(tables, indexKind);
  const records = openRecords(tables, messageKind);
  const attachmentRecords = openRecords(tables, attachmentKind);
  const followers = openRecords(tables, followerKind);
  const numbers = openRecords(tables, numberKind);

  const whole = async (body: Body): Promise<string | undefined> => {
    if (body.kind === 'inline') return body.text;
    const bytes = await blobs.read(body.blob);
    return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
  };
  /** @param found the newest first */
  const withAttachments = async (id: string, found: readonly MessageRecord[]): Promise<StoredMessage[]> => {
    const [newest, ...older] = found.filter(({ attachmentRows }) => attachmentRows !== 0);
    const attachments =
      newest === undefined
        ? []
        : await attachmentRecords.list(
            id,
            attachmentRange(rowKeyIn(newest), rowKeyIn(older.at(-1) ?? newest)),
          );
    const messages = await mapLimited(found.toReversed(), READS, async (message) =>
      storedMessage(message, await attachmentsOf(message, attachments, blobs)),
    );
    return messages.sort(oldestFirst);
  };

  return {
    async page(status, { messageClass, ...range }) {
      if (messageClass !== undefined) return pageOfClass(index, status, messageClass, range);
      const { records: found, next } = await index.page([status], range);
      // A ticket that moved up while its old row still stood appears once, at its newest place.
      const newest = new Map(found.toReversed().map((ticket) => [ticket.id, ticket]));
      return { tickets: found.filter((ticket) => newest.get(ticket.id) === ticket), next };
    },
    async conversation(id, { before, limit }) {
      const after = rowKeyOfRef(before ?? '');
      if (before !== undefined && after === undefined) return undefined;
      const [head, page] = await Promise.all([
        heads.get(id, HEAD),
        records.page([id], { ...startingWith('m|'), after, limit }),
      ]);
      if (head === undefined) return undefined;
      return {
        ticket: withoutStale(head.record),
        messages: await withAttachments(id, page.records),
        earlier: page.next && refOfRowKey(page.next),
      };
    },
    async followers(id) {
      const range = { ...startingWith(FOLLOWERS), limit: FOLLOWERS_SHOWN };
      const { records: oldest, next } = await followers.page([id], range);
      return { followers: oldest, more: next !== undefined };
    },
    async message(id, ref) {
      const rowKey = rowKeyOfRef(ref);
      if (rowKey === undefined) return undefined;
      const [head, stored] = await Promise.all([heads.get(id, HEAD), records.get(id, rowKey)]);
      if (head === undefined || stored === undefined) return undefined;
      const [message] = await withAttachments(id, [stored.record]);
      return message === undefined ? undefined : { ticket: withoutStale(head.record), message };
    },
    async read(id) {
      const head = await heads.get(id, HEAD);
      if (head === undefined) return undefined;
      const found = await withAttachments(id, await records.list(id, { prefix: 'm|' }));
      const shown = await mapLimited(found, READS, async (message): Promise<TicketMessage> => {
        const { text, html, htmlShape: _, preview: __, manifestBlob: ___, rowKey: ____, ...rest } = message;
        return { ...rest, text: (await whole(text)) ?? '', hasHtml: html !== undefined };
      });
      return { ticket: withoutStale(head.record), messages: shown };
    },
    async readText(body, limit) {
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
    setStatus: (id, status) => setStatus(tables, id, status),
    async byNumber(number) {
      const reserved = await numbers.find(NUMBERS, numberRowKey(number));
      if (reserved === undefined) return undefined;
      const { ticketId } = reserved;
      // A number that was reserved and not used names a ticket that has another one, or none that is there.
      const head = await heads.get(ticketId, HEAD);
      return head?.record.number === number ? ticketId : undefined;
    },
  };
}

const SEARCHED_AT_ONCE = 500;
const SEARCHED_AT_MOST = 2_000;

/** Reads past tickets of other classes, which the index holds beside them. */
async function pageOfClass(
  index: Records<TicketSummary>,
  status: TicketStatus,
  messageClass: MessageClass,
  { after, limit }: { after?: string | undefined; limit: number },
): Promise<TicketPage> {
  const found = new Map<string, TicketSummary>();
  let next = after;
  for (let searched = 0; searched < SEARCHED_AT_MOST; searched += SEARCHED_AT_ONCE) {
    const page = await index.page([status], { after: next, limit: SEARCHED_AT_ONCE });
    for (const ticket of page.records) {
      if ((ticket.messageClass ?? 'person') !== messageClass || found.has(ticket.id)) continue;
      if (found.size === limit) return { tickets: [...found.values()], next };
      found.set(ticket.id, ticket);
      next = indexRowKey(ticket);
    }
    next = page.next;
    if (next === undefined) break;
  }
  return { tickets: [...found.values()], next };
}

const rowKeyIn = ({ at, key }: MessageRecord): string => messageRowKey(at, key);

function cut(text: string, limit: number): { text: string; whole: boolean } {
  return { text: text.slice(0, limit).toWellFormed(), whole: text.length <= limit };
}

/** Mail servers count in whole seconds; within one, the time that the emails themselves claim decides. */
function oldestFirst(a: StoredMessage, b: StoredMessage): number {
  const times = (one: StoredMessage): string => `${one.at} ${one.sentAt ?? one.at}`;
  return times(a) < times(b) ? -1 : times(a) > times(b) ? 1 : 0;
}

async function attachmentsOf(
  message: MessageRecord,
  records: readonly AttachmentRecord[],
  blobs: Blobs,
): Promise<TicketAttachment[]> {
  if (message.manifestBlob !== undefined) {
    const bytes = await blobs.read(message.manifestBlob);
    return bytes === undefined ? [] : (JSON.parse(Buffer.from(bytes).toString('utf8')) as TicketAttachment[]);
  }
  const own = records.filter(({ messageRow }) => messageRow === rowKeyIn(message));
  return own.map(({ ticketId: _, messageRow: __, ...attachment }) => attachment);
}

/**
 * The new index row is written first: a ticket may stand twice in a list for a moment, never in none. Rows written for
 * a state that was overtaken by somebody else's change are taken away at the end, except the one that holds.
 */
async function setStatus(
  tables: Tables,
  id: string,
  status: TicketStatus,
): Promise<StatusChange | 'missing'> {
  const heads = openRecords(tables, headKind);
  const index = openRecords(tables, indexKind);
  const written = new Set<string>();
  const clean = async (keep: string): Promise<void> => {
    for (const rowKey of written) if (rowKey !== keep) await index.remove(status, rowKey);
  };
  for (;;) {
    const head = await heads.get(id, HEAD);
    if (head === undefined) return 'missing';
    const { stale, ...ticket } = head.record;
    const done: StatusChange = { number: ticket.number, before: ticket.status };
    const changed = { ...ticket, status };
    const rowKey = indexRowKey(changed);
    await index.put(changed);
    written.add(rowKey);
    if (ticket.status === status) {
      await clean(rowKey);
      return done;
    }
    const outgrown = [`${ticket.status}|${rowKey}`, ...stale].slice(0, 2);
    if (await heads.replace({ ...changed, stale: outgrown }, head.etag)) {
      await clean(rowKey);
      await index.remove(ticket.status, rowKey);
      return done;
    }
  }
}
