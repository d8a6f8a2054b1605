import type { MessageClass } from '../message-class/message-class.ts';
import type { Blobs } from '../platform/blobs.ts';
import { mapLimited } from '../platform/concurrency.ts';
import { openRecords, type Records } from '../platform/open-records.ts';
import { type Change, startingWith, type Tables } from '../platform/tables.ts';
import { type AssigneeChange, assign, assigneeKey, firstAssignee } from './assignee.ts';
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
  Person,
  Ticket,
  TicketAttachment,
  TicketMessage,
  TicketPage,
  TicketStatus,
  TicketSummary,
} from './ticket.ts';
import { rewriteIndexRow } from './ticket-indexes.ts';
import { HEAD, headKind, indexKind, indexRowKey, withoutStale } from './ticket-records.ts';

/** Maximum followers listed on a ticket. */
const FOLLOWERS_SHOWN = 20;
/** Concurrent blob reads. */
const READS = 16;

export interface TicketStore {
  /**
   * One page of tickets with a status, newest first. `after` is the `next` of the previous page.
   * With a filter, the search stops after 2,000 tickets, so a page may have fewer tickets, or none, and still a
   * `next`.
   */
  page(
    status: TicketStatus,
    range: { after?: string | undefined; limit: number } & TicketFilter,
  ): Promise<TicketPage>;
  /** The newest messages of a ticket, or those before `before`. Texts in blobs are not loaded. */
  conversation(
    id: string,
    range: { before?: string | undefined; limit: number },
  ): Promise<ConversationPage | undefined>;
  /** The twenty oldest tickets that follow this one, and whether there are more. */
  followers(id: string): Promise<{ followers: readonly FollowerRecord[]; more: boolean }>;
  /** One message by its `messageRef`, without reading the others. */
  message(id: string, ref: string): Promise<{ ticket: Ticket; message: StoredMessage } | undefined>;
  /** The whole ticket with every text, however long. Pages never use this. */
  read(id: string): Promise<Conversation | undefined>;
  /** The first `limit` characters of a text; undefined if its blob is missing. */
  readText(body: Body, limit: number): Promise<{ text: string; whole: boolean } | undefined>;
  /** Closes or reopens a ticket. The result has its previous status. */
  setStatus(id: string, status: TicketStatus): Promise<StatusChange | 'missing'>;
  /**
   * Assigns a ticket, or nobody, if it still has the assignee that the caller has seen.
   * @param change `from`: the `assigneeKey` that was seen
   */
  assign(id: string, change: AssigneeChange): Promise<'done' | 'changed' | 'missing'>;
  /** The change that assigns a ticket to a person, for a transaction; undefined if it has an assignee. */
  firstAssignee(id: string, to: Person): Promise<Change | undefined>;
  /** Brings the list up to date after that transaction. */
  rewriteIndexRow(id: string): Promise<void>;
  byNumber(number: number): Promise<string | undefined>;
}

/** Which tickets of a list are wanted. */
export interface TicketFilter {
  /** Of the first message. */
  messageClass?: MessageClass | undefined;
  /** An `assigneeKey`; empty: those without an assignee. */
  assignee?: string | undefined;
}

/** Messages of one ticket, oldest first. */
export interface ConversationPage {
  ticket: Ticket;
  messages: readonly StoredMessage[];
  /** Pass as `before` for the previous messages; absent if there are none. */
  earlier: string | undefined;
}

export interface StatusChange {
  number: number;
  before: TicketStatus;
}

/** Reads and closes tickets. append-messages.ts adds messages. */
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
  /** @param found newest first */
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
    async page(status, { messageClass, assignee, ...range }) {
      if (messageClass !== undefined || assignee !== undefined)
        return filteredPage(index, status, { messageClass, assignee }, range);
      const { records: found, next } = await index.page([status], range);
      // A ticket whose old index row still exists appears once, at its newest position.
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
      // Each UTF-16 code unit takes up to three bytes in UTF-8.
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
    assign: (id, change) => assign(tables, id, change),
    firstAssignee: (id, to) => firstAssignee(tables, id, to),
    rewriteIndexRow: (id) => rewriteIndexRow(tables, id),
    async byNumber(number) {
      const reserved = await numbers.find(NUMBERS, numberRowKey(number));
      if (reserved === undefined) return undefined;
      const { ticketId } = reserved;
      // A reserved but unused number may refer to a ticket with another number, or to no ticket.
      const head = await heads.get(ticketId, HEAD);
      return head?.record.number === number ? ticketId : undefined;
    },
  };
}

const SEARCHED_AT_ONCE = 500;
const SEARCHED_AT_MOST = 2_000;

/** Skips the other tickets, which are in the same index. */
async function filteredPage(
  index: Records<TicketSummary>,
  status: TicketStatus,
  filter: TicketFilter,
  { after, limit }: { after?: string | undefined; limit: number },
): Promise<TicketPage> {
  const found = new Map<string, TicketSummary>();
  let next = after;
  for (let searched = 0; searched < SEARCHED_AT_MOST; searched += SEARCHED_AT_ONCE) {
    const page = await index.page([status], { after: next, limit: SEARCHED_AT_ONCE });
    for (const ticket of page.records) {
      if (!isWanted(ticket, filter) || found.has(ticket.id)) continue;
      if (found.size === limit) return { tickets: [...found.values()], next };
      found.set(ticket.id, ticket);
      next = indexRowKey(ticket);
    }
    next = page.next;
    if (next === undefined) break;
  }
  return { tickets: [...found.values()], next };
}

const isWanted = (ticket: TicketSummary, { messageClass, assignee }: TicketFilter): boolean =>
  (messageClass === undefined || (ticket.messageClass ?? 'person') === messageClass) &&
  (assignee === undefined || assigneeKey(ticket.assignee) === assignee);

const rowKeyIn = ({ at, key }: MessageRecord): string => messageRowKey(at, key);

function cut(text: string, limit: number): { text: string; whole: boolean } {
  return { text: text.slice(0, limit).toWellFormed(), whole: text.length <= limit };
}

/** Mail servers record whole seconds. Within one second, the emails' own Date fields decide. */
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
 * The new index row is written first: a ticket may briefly appear twice in a list, but never not at all. At the
 * end, rows written for a state that was overwritten concurrently are deleted, except the current one.
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
