import { type ConnectDeps, connectInbox } from '../mailboxes/connect-inbox.ts';
import { type Inbox, InboxError } from '../mailboxes/inbox.ts';
import { folderKeyOf, type Mailbox } from '../mailboxes/mailbox.ts';
import type { MessageRef } from '../mailboxes/message-ref.ts';
import { mapLimited } from '../platform/concurrency.ts';
import type { IntakeDeps } from './batch.ts';
import { type EmailQuery, traceInLedger } from './find-email.ts';
import type { Trace } from './trace-email.ts';

/** A matching message on the mail server. Neither its text nor its subject is read. */
export interface ServerMessage {
  /** ISO time at which the server received it. */
  receivedAt: string;
  size: number;
  messageId: string;
  /** Undefined: Postroom has not seen it. */
  trace: Trace | undefined;
}

export interface FolderAnswer {
  folder: string;
  isJunk: boolean;
  /** Number of matches; only the newest are returned. */
  count: number;
  messages: ServerMessage[];
}

export type ServerAnswer =
  /** The fetched folder, and the Junk folder if the server has one. */
  | { kind: 'asked'; folders: FolderAnswer[] }
  /** A sentence for a person. */
  | { kind: 'failed'; message: string };

const MAX_SHOWN = 20;
/** Time limit of a search: a page waits for it. */
const LIMIT_MS = 25_000;

/**
 * Searches the mail server for an email in the fetched folder and in Junk. Marks nothing.
 * @throws PostroomError if storage is unavailable. The mail server's failures are returned as a result.
 */
export async function findOnServer(
  deps: ConnectDeps & Pick<IntakeDeps, 'tables' | 'ledger'>,
  mailbox: Mailbox,
  query: EmailQuery,
): Promise<ServerAnswer> {
  const until = AbortSignal.timeout(LIMIT_MS);
  const first = await searchFolder(deps, mailbox, query, until);
  if (first.kind === 'failed') return first;
  const { answer, junk } = first;
  if (junk === undefined || junk === mailbox.folder) return { kind: 'asked', folders: [answer] };
  const second = await searchFolder(deps, { ...mailbox, folder: junk }, query, until);
  if (second.kind === 'failed') return second;
  return { kind: 'asked', folders: [answer, { ...second.answer, isJunk: true }] };
}

async function searchFolder(
  deps: Parameters<typeof findOnServer>[0],
  mailbox: Mailbox,
  query: EmailQuery,
  until: AbortSignal,
): Promise<
  { kind: 'searched'; answer: FolderAnswer; junk: string | undefined } | (ServerAnswer & { kind: 'failed' })
> {
  const connected = await connectInbox(deps, mailbox);
  if (connected.kind !== 'connected') return { kind: 'failed', message: connected.message };
  const { inbox } = connected;
  const destroy = (): void => inbox.destroy();
  until.addEventListener('abort', destroy);
  try {
    if (until.aborted) destroy();
    const refs = await inbox.find(query);
    const junk = await inbox.junkFolder();
    const messages = await read(deps, mailbox, inbox, refs.slice(-MAX_SHOWN));
    const answer = { folder: mailbox.folder, isJunk: false, count: refs.length, messages };
    return { kind: 'searched', answer, junk };
  } catch (error) {
    if (!(error instanceof InboxError)) throw error;
    const late = `The mail server did not respond within ${LIMIT_MS / 1000} seconds.`;
    return { kind: 'failed', message: until.aborted ? late : error.message };
  } finally {
    until.removeEventListener('abort', destroy);
    await inbox.close();
  }
}

/** Newest first. */
async function read(
  deps: Pick<IntakeDeps, 'tables' | 'ledger'>,
  mailbox: Mailbox,
  inbox: Inbox,
  refs: readonly MessageRef[],
): Promise<ServerMessage[]> {
  if (refs.length === 0) return [];
  const metas = await inbox.fetchMeta(refs);
  const scope = { folderKey: folderKeyOf(mailbox), validity: inbox.validity };
  const places = await deps.ledger.lookUp(mailbox.id, scope, metas);
  return mapLimited(metas.toReversed(), 8, async ({ ref, receivedAt, size, messageId }) => {
    const place = places.get(ref);
    const trace = place && (await traceInLedger(deps, mailbox.id, place.key, place));
    return { receivedAt, size, messageId, trace };
  });
}
