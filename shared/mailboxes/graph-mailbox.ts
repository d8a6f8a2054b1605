import type { BatchAnswer, GraphRequest } from './graph-batch.ts';
import type { GraphClient } from './graph-client.ts';
import { findFolder, type GraphFolder, junkFolderName } from './graph-folders.ts';
import {
  type GraphMessage,
  MESSAGE_FIELDS,
  type MessagePage,
  messageIn,
  readPage,
  readPages,
} from './graph-messages.ts';

/** Messages in a page of a list; Graph's limit is 1,000. */
const PAGE = 500;
/** Before every message: `$orderby` needs its field first in the filter. */
const EVER = '1970-01-01T00:00:00Z';

/** Which messages of a folder; all conditions have to match. */
export interface MessageFilter {
  /** ISO times of receipt: at or after, and before. Graph compares seconds. */
  from?: string | undefined;
  before?: string | undefined;
  isUnread?: boolean | undefined;
  messageId?: string | undefined;
}

/**
 * A folder of a mailbox by the requests that an inbox needs. Each throws GraphRefusal when Graph refuses, or the
 * error of the connection.
 */
export interface GraphMailbox {
  readonly folder: GraphFolder;
  /** By time of receipt, from the oldest. */
  messages(filter: MessageFilter): Promise<GraphMessage[]>;
  /** From the newest, at most this many. */
  latest(count: number): Promise<GraphMessage[]>;
  /**
   * Searches as Outlook does: words from their beginning, in an index that a new message enters within moments.
   * https://learn.microsoft.com/graph/search-query-parameter#using-search-on-message-collections
   */
  search(field: 'from' | 'subject', words: string): Promise<GraphMessage[]>;
  /** The path of a new delta query for arrivals. @param from only messages received since then, ISO */
  startOfChanges(from?: string): string;
  /** A page of a delta query. @param path from `startOfChanges`, or of an earlier page */
  changes(path: string): Promise<MessagePage>;
  /** Those of these messages that are in the folder. */
  describe(ids: readonly string[]): Promise<GraphMessage[]>;
  /** The MIME form of a message, as it arrives; a transfer that breaks off is an error. */
  value(operation: 'source' | 'part', id: string): AsyncIterable<Uint8Array>;
  /** These three pass over messages that are gone. Part of them may have been changed when they throw. */
  markSeen(ids: readonly string[]): Promise<void>;
  /** @throws GraphRefusal with `isGone` when there is no such folder */
  move(ids: readonly string[], folder: string): Promise<void>;
  /**
   * To the folder for deleted items, and from there for good.
   * https://learn.microsoft.com/graph/api/message-delete
   */
  remove(ids: readonly string[]): Promise<void>;
  junkFolder(): Promise<string | undefined>;
  close(): void;
}

/** @param path display names of the folder, such as `Support/Done` */
export async function openMailboxFolder(client: GraphClient, path: string): Promise<GraphMailbox> {
  const folder = await findFolder(client, path);
  const resource = `${client.mailbox}/mailFolders/${encodeURIComponent(folder.id)}/messages`;
  const list = (query: string): string => `${resource}?${query}&${MESSAGE_FIELDS}`;
  const change = async (
    operation: string,
    ids: readonly string[],
    requestOf: (path: string) => GraphRequest,
  ): Promise<void> => {
    const requests = ids.map((id) => requestOf(`/messages/${encodeURIComponent(id)}`));
    throwRefused(await client.batch(operation, requests));
  };
  return {
    folder,
    messages: (filter) =>
      readPages(
        client,
        'search',
        list(`$filter=${filterOf(filter)}&$orderby=receivedDateTime%20asc&$top=${PAGE}`),
      ),
    async latest(count) {
      const path = list(`$orderby=receivedDateTime%20desc&$top=${count}`);
      return (await readPage(client, 'search', path)).messages;
    },
    search: (field, words) =>
      readPages(client, 'search', list(`$search=${encodeURIComponent(`"${field}:${words}"`)}&$top=${PAGE}`)),
    startOfChanges: (from) =>
      `${resource}/delta?changeType=created${from === undefined ? '' : `&$filter=${filterOf({ from })}`}&${MESSAGE_FIELDS}`,
    changes: (path) => readPage(client, 'delta', path),
    async describe(ids) {
      const answers = await client.batch(
        'facts',
        ids.map((id) => ({ method: 'GET', path: `/messages/${encodeURIComponent(id)}?${MESSAGE_FIELDS}` })),
      );
      throwRefused(answers);
      return answers
        .flatMap(({ body, refusal }) => (refusal === undefined ? (messageIn(body) ?? []) : []))
        .filter(({ folderId }) => folderId === undefined || folderId === folder.id);
    },
    value: (operation, id) =>
      client.bytes(operation, `${client.mailbox}/messages/${encodeURIComponent(id)}/$value`),
    markSeen: (ids) => change('mark', ids, (path) => ({ method: 'PATCH', path, body: { isRead: true } })),
    async move(ids, name) {
      const { id: destinationId } = await findFolder(client, name);
      await change('move', ids, (path) => ({
        method: 'POST',
        path: `${path}/move`,
        body: { destinationId },
      }));
    },
    remove: (ids) => change('delete', ids, (path) => ({ method: 'DELETE', path })),
    junkFolder: () => junkFolderName(client),
    close: () => client.close(),
  };
}

function filterOf({ from = EVER, before, isUnread, messageId }: MessageFilter): string {
  const terms = [
    `receivedDateTime ge ${timeOf(from)}`,
    ...(before === undefined ? [] : [`receivedDateTime lt ${timeOf(before)}`]),
    ...(isUnread === true ? ['isRead eq false'] : []),
    ...(messageId === undefined ? [] : [`internetMessageId eq '${messageId.replaceAll("'", "''")}'`]),
  ];
  return encodeURIComponent(terms.join(' and '));
}

/** A time without fractions of a second. */
const timeOf = (time: string): string => `${new Date(time).toISOString().slice(0, 19)}Z`;

/** A message that is gone needs nothing more; any other refusal is one. */
function throwRefused(answers: readonly BatchAnswer[]): void {
  const refused = answers.find(({ refusal }) => refusal !== undefined && !refusal.isGone)?.refusal;
  if (refused !== undefined) throw refused;
}
