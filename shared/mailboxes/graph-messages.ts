import { z } from 'zod';
import type { GraphClient } from './graph-client.ts';
import { graphRef } from './graph-ref.ts';
import type { MessageMeta } from './message-ref.ts';

/** PidTagMessageSize ([MS-OXCMSG] section 2.2.1.7): the size in the store, not that of the MIME form. */
const SIZE = 'Integer 0x0E08';
/** Messages in a page of a delta query. */
const PAGE = 500;

/** What is read of a message; `$expand` is also allowed for delta (https://learn.microsoft.com/graph/api/message-delta). */
export const MESSAGE_FIELDS =
  '$select=id,receivedDateTime,internetMessageId,parentFolderId' +
  `&$expand=singleValueExtendedProperties($filter=${encodeURIComponent(`id eq '${SIZE}'`)})`;

const message = z.object({
  id: z.string(),
  receivedDateTime: z.string().nullish(),
  internetMessageId: z.string().nullish(),
  parentFolderId: z.string().nullish(),
  singleValueExtendedProperties: z.array(z.object({ id: z.string(), value: z.string() })).nullish(),
});
const removed = z.object({ '@removed': z.looseObject({}) });
const page = z.object({
  value: z.array(z.union([removed, message])),
  '@odata.nextLink': z.string().optional(),
  '@odata.deltaLink': z.string().optional(),
});

/** A message in a folder. */
export interface GraphMessage {
  id: string;
  /** Absent: the response did not say. */
  folderId?: string | undefined;
  /** A size of 0: the response had none. */
  meta: MessageMeta;
}

/** A page of messages, with the path of the next one, or of later changes. */
export interface MessagePage {
  messages: GraphMessage[];
  next?: string | undefined;
  later?: string | undefined;
  /** The server's time, milliseconds since the epoch. */
  date: number;
}

/** Undefined when it is not a message. */
export function messageIn(body: unknown): GraphMessage | undefined {
  const read = message.safeParse(body).data;
  return read && messageOf(read);
}

function messageOf(row: z.infer<typeof message>): GraphMessage {
  const receivedAt = new Date(Date.parse(row.receivedDateTime ?? '') || 0).toISOString();
  const size = row.singleValueExtendedProperties?.find(({ id }) => /0x0*e08$/i.test(id))?.value;
  return {
    id: row.id,
    folderId: row.parentFolderId ?? undefined,
    meta: {
      ref: graphRef(row.id, receivedAt),
      size: Number(size ?? 0) || 0,
      isEstimate: true,
      receivedAt,
      messageId: (row.internetMessageId ?? '').replace(/\s+/g, ' ').trim().slice(0, 1000),
    },
  };
}

export async function readPage(client: GraphClient, operation: string, path: string): Promise<MessagePage> {
  const { value, date } = await client.json(operation, path, page, { pageSize: PAGE });
  const [next, later] = [value['@odata.nextLink'], value['@odata.deltaLink']];
  return {
    messages: value.value.flatMap((row) => ('@removed' in row ? [] : [messageOf(row)])),
    next: next === undefined ? undefined : client.pathOf(next),
    later: later === undefined ? undefined : client.pathOf(later),
    date,
  };
}

/** All messages from a path on, page by page. */
export async function readPages(
  client: GraphClient,
  operation: string,
  path: string,
): Promise<GraphMessage[]> {
  const messages: GraphMessage[] = [];
  for (let next: string | undefined = path; next !== undefined; ) {
    const found: MessagePage = await readPage(client, operation, next);
    messages.push(...found.messages);
    next = found.next;
  }
  return messages;
}
