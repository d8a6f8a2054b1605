import { isDeepStrictEqual } from 'node:util';
import { openRecords } from '../platform/open-records.ts';
import { type Row, startingWith, type TableName, type Tables } from '../platform/tables.ts';
import type { Filed, FiledMessage } from './append-messages.ts';
import { type FollowerRecord, followerKind } from './follower-records.ts';
import { messageIdHash, messageIdKind, type TicketOfMessageId } from './message-id-records.ts';
import type { Ticket } from './ticket.ts';
import { HEAD, headKind, indexKind, indexRowKey } from './ticket-records.ts';

// All rows here are derived from tickets. Writing them again is idempotent.
const MAX_CHANGES = 100;
const TRIES = 20;

/**
 * Writes the derived rows of the filed tickets: index, Message-IDs and follower links. One transaction per
 * partition.
 */
export async function writeIndexes(
  tables: Tables,
  mailboxId: string,
  filed: readonly Filed[],
): Promise<void> {
  const index = Map.groupBy(
    filed.map(({ ticket }) => indexKind.toRow(ticket)),
    (row) => row.partitionKey,
  );
  const messageIds = filed.flatMap(({ ticket, messages }) =>
    messages.flatMap((message) => messageIdRows(mailboxId, ticket.id, message)),
  );
  await Promise.all([
    ...[...index].map(([status, rows]) => putAll(tables, 'TicketIndex', status, rows)),
    putAll(tables, 'MessageIds', mailboxId, messageIds),
    ...filed.flatMap(followerOf).map((follower) => openRecords(tables, followerKind).put(follower)),
  ]);
  await Promise.all(filed.flatMap((each) => each.stale.map((key) => removeStale(tables, each, key))));
  await Promise.all(filed.filter(({ shared }) => shared).map(({ ticket }) => syncIndexRow(tables, ticket)));
}

/**
 * A ticket is found by the Message-IDs of its messages and by those they reply to. IDs that a sender with
 * failed authentication claims to reply to are ignored: they could draw the real sender's next reply into the
 * forger's ticket.
 */
function messageIdRows(
  mailboxId: string,
  ticketId: string,
  { messageId, answers = [], authentication }: FiledMessage,
): Row[] {
  const row = (id: string, holds: boolean): Row =>
    messageIdKind.toRow({ mailboxId, hash: messageIdHash(id), ticketId, holds });
  return [
    ...(messageId === undefined ? [] : [row(messageId, true)]),
    ...(authentication?.fails === true ? [] : answers.map((id) => row(id, false))),
  ];
}

/** The link from the ticket that a new one follows, written with the message that opened the new one. */
function followerOf({ ticket, messages }: Filed): FollowerRecord[] {
  const { id: followerId, number, follows, openedAt } = ticket;
  if (follows === undefined || messages.every(({ at }) => at !== openedAt)) return [];
  return [{ ticketId: follows.id, number, followerId }];
}

/**
 * An agent may close a ticket after it was filed and before its index row is written; the index would then be
 * outdated. So the head is read again afterwards, and the index row updated until both agree.
 */
async function syncIndexRow(tables: Tables, filed: Ticket): Promise<void> {
  const index = tables.open('TicketIndex');
  const heads = openRecords(tables, headKind);
  let written = indexKind.toRow(filed);
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const head = await heads.find(filed.id, HEAD);
    if (head === undefined) return;
    const now = indexKind.toRow(head);
    if (isDeepStrictEqual(now, written)) return;
    await index.commit(now.partitionKey, [{ kind: 'put', row: now }]);
    if (now.partitionKey !== written.partitionKey || now.rowKey !== written.rowKey)
      await index.commit(written.partitionKey, [{ kind: 'remove', rowKey: written.rowKey }]);
    written = now;
  }
}

/** Writes a ticket's index row again after its head changed in place. */
export async function rewriteIndexRow(tables: Tables, id: string): Promise<void> {
  const head = await openRecords(tables, headKind).find(id, HEAD);
  if (head === undefined) return;
  await openRecords(tables, indexKind).put(head);
  await syncIndexRow(tables, head);
}

async function putAll(
  tables: Tables,
  name: TableName,
  partitionKey: string,
  rows: readonly Row[],
): Promise<void> {
  const unique = [...new Map(rows.map((row) => [row.rowKey, row])).values()];
  for (let start = 0; start < unique.length; start += MAX_CHANGES) {
    const part = unique.slice(start, start + MAX_CHANGES);
    await tables.open(name).commit(
      partitionKey,
      part.map((row) => ({ kind: 'put', row })),
    );
  }
}

async function removeStale(tables: Tables, { ticket }: Filed, key: string): Promise<void> {
  const at = key.indexOf('|');
  const [status, rowKey] = [key.slice(0, at), key.slice(at + 1)];
  if (status === ticket.status && rowKey === indexRowKey(ticket)) return;
  await tables.open('TicketIndex').commit(status, [{ kind: 'remove', rowKey }]);
}

/** Maximum tickets per Message-ID. Only mailing lists and attackers reach more. */
export const TICKETS_OF_MESSAGE_ID = 20;

/**
 * The mailbox's tickets with a message that has this Message-ID, followed by those with only a reply to it; at
 * most twenty.
 */
export async function ticketsOfMessageId(
  tables: Tables,
  mailboxId: string,
  messageId: string,
): Promise<TicketOfMessageId[]> {
  const range = { ...startingWith(`${messageIdHash(messageId)}|`), limit: TICKETS_OF_MESSAGE_ID };
  const { records } = await openRecords(tables, messageIdKind).page([mailboxId], range);
  return records.map(({ ticketId, holds }) => ({ ticketId, holds }));
}
