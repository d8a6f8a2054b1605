import { type ConnectFailure, connectFailureFrom, connectInbox } from '../mailboxes/connect-inbox.ts';
import type { Cursor } from '../mailboxes/cursor.ts';
import { type FirstFetch, nextPiece, sinceOf, unreadOf } from '../mailboxes/first-fetch.ts';
import { InboxError, type Position } from '../mailboxes/inbox.ts';
import { folderKeyOf, type Mailbox } from '../mailboxes/mailbox.ts';
import {
  fingerprintOf,
  type MessageIdentity,
  type MessageMeta,
  type MessageRef,
  sortedRefs,
} from '../mailboxes/message-ref.ts';
import { isDeletionDue } from './delete-stored.ts';
import type { FetchDeps, FetchResult, TimeBox } from './fetch-mailbox.ts';
import { FetchSession, type FoundMeta, fetchMetaOf } from './fetch-session.ts';
import { withoutUnmarked } from './unmarked.ts';

/** The new messages of a folder, and where the next look continues. */
export interface FoundMail {
  hasNew: boolean;
  /** True if `start` has to be saved, even without new messages. */
  isCursorChanged: boolean;
  /** The saved cursor; absent before the first fetch. */
  cursor: Cursor | undefined;
  /** The cursor from which this fetch continues. */
  start: Cursor;
  position: Position;
  /** All listed messages. */
  listed: readonly MessageRef[];
  /** Those to fetch. */
  refs: readonly MessageRef[];
  /** Their metadata, if the look needed it. */
  metas: FoundMeta | undefined;
  /** See `Listing`. */
  witness: MessageIdentity | undefined;
  /** The first fetch after its present piece; absent: there is none. */
  firstAfter: FirstFetch | undefined;
}

/**
 * What a look saw. `found`: there is something to import, or to save or delete; the receiver closes the
 * session.
 */
export type Look =
  | { kind: 'nothing-new' }
  | { kind: 'found'; session: FetchSession; mail: FoundMail }
  | Extract<FetchResult, { kind: 'failed' }>;

/**
 * Looks for new messages in one mailbox. Writes nothing: an idle mailbox costs one connection, over IMAP with at most
 * seven commands.
 * @param cursor how far the folder was read; undefined before the first fetch
 * @throws PostroomError if storage or Key Vault is unavailable
 */
export async function lookAtMailbox(
  deps: FetchDeps,
  mailbox: Mailbox,
  cursor: Cursor | undefined,
  box: TimeBox,
): Promise<Look> {
  const connected = await connectInbox(deps, mailbox);
  if (connected.kind !== 'connected') return { kind: 'failed', failure: connected };
  const session = new FetchSession(connected.inbox, () => connectInbox(deps, mailbox));
  let isHandedOn = false;
  const look = async (): Promise<Look> => {
    const mail = await findMail(deps, mailbox, session, cursor);
    isHandedOn = mail.hasNew || mail.isCursorChanged || isDeletionDue(mailbox, cursor, deps.seam.now());
    return isHandedOn ? { kind: 'found', session, mail } : { kind: 'nothing-new' };
  };
  const removeListener = onAbort(box, () => session.destroy());
  try {
    return await look();
  } catch (error) {
    return failedOver(error, mailbox, box);
  } finally {
    removeListener();
    if (!isHandedOn) await session.close();
  }
}

/**
 * The result of a fetch that the mail server ended.
 * @throws any other error
 */
export function failedOver(
  error: unknown,
  mailbox: Mailbox,
  { cut }: TimeBox,
): Extract<FetchResult, { kind: 'failed' }> {
  if (!(error instanceof InboxError)) throw error;
  return {
    kind: 'failed',
    failure: cut?.aborted === true ? tooSlow(mailbox) : connectFailureFrom(error, mailbox),
  };
}

/** The failure of a mailbox whose fetch was aborted. Everything stored before counts. */
export const tooSlow = ({ address }: Mailbox): ConnectFailure => ({
  kind: 'retrying',
  code: 'fetch-too-slow',
  message: `The mail server of ${address} took so long that Postroom stopped the fetch. The next one continues from there.`,
});

/** Runs `act` once when the time box aborts; returns a function that removes the listener. */
export function onAbort({ cut }: TimeBox, act: () => void): () => void {
  if (cut?.aborted === true) act();
  cut?.addEventListener('abort', act, { once: true });
  return () => cut?.removeEventListener('abort', act);
}

/**
 * Lists the folder's new messages.
 * @param isVoid the server reused its refs, so the cursor's position says nothing
 */
export async function findMail(
  deps: FetchDeps,
  mailbox: Mailbox,
  session: FetchSession,
  cursor: Cursor | undefined,
  { isVoid = false }: { isVoid?: boolean } = {},
): Promise<FoundMail> {
  const { validity } = session;
  const folderKey = folderKeyOf(mailbox);
  // A cursor of another folder, from before a person changed the mailbox, does not apply to this one.
  const earlier = (cursor?.folderKey ?? folderKey) === folderKey ? cursor : undefined;
  const known = earlier?.validity === validity ? earlier : undefined;
  const listing = await session.inbox.list({
    position: known?.position,
    isVoid,
    unread: unreadOf(mailbox, earlier),
    also: [...(known?.waiting ?? []), ...(known?.unfetched ?? []).map(({ ref }) => ref)],
    since: earlier?.lastMailAt,
  });
  const { position, isSetBack, isAhead = false, witness } = listing;
  const first = firstFrom(earlier, position, { isVoid: known === undefined || isSetBack });
  const piece = first === undefined ? undefined : await nextPiece(session.inbox, first);
  const since = earlier === undefined ? sinceOf(mailbox) : undefined;
  const added = since === undefined ? (piece?.refs ?? []) : await session.inbox.receivedSince(since);
  const listed = added.length === 0 ? listing.refs : sortedRefs(new Set([...listing.refs, ...added]));
  const unmarked = isSetBack
    ? undefined
    : await withoutUnmarked(deps, mailbox, session, { refs: listed, position }, known, piece?.refs);
  const isListed = new Set(listed);
  const start: Cursor = {
    left: [],
    waiting: [],
    lastMailAt: earlier?.lastMailAt,
    ...known,
    first,
    position: position.toData(),
    unfetched: (known?.unfetched ?? []).filter(({ ref }) => isListed.has(ref)),
    validity,
    folderKey,
    ...(unmarked !== undefined && { refusal: unmarked.refusal }),
  };
  const refs = unmarked?.refs ?? listed;
  // A message left on the server is skipped only if the same message is still there.
  const left = new Set(start.left.map(({ ref }) => ref));
  const isAllLeft = refs.length > 0 && refs.every((ref) => left.has(ref));
  const metas = isAllLeft ? await fetchMetaOf(session, refs) : undefined;
  const hasNew = metas === undefined ? refs.length > 0 : !metas.metas.every(isLeftIn(start));
  // Waiting messages may have been read or deleted by other people. Without this, an alert would mention them for
  // ever.
  const isCursorChanged =
    known?.folderKey === undefined ||
    isSetBack ||
    isAhead ||
    first !== undefined ||
    (known.backlog ?? 0) > 0 ||
    known.waiting.length > 0 ||
    (known.unfetched ?? []).length > 0 ||
    start.refusal !== known.refusal;
  const firstAfter = piece?.after;
  return { hasNew, isCursorChanged, cursor, start, position, listed, refs, metas, witness, firstAfter };
}

/** Whether a message was left on the server by an earlier fetch. */
export function isLeftIn({ left }: Pick<Cursor, 'left'>): (meta: MessageMeta) => boolean {
  const prints = new Map(left.map(({ ref, fingerprint }) => [ref, fingerprint]));
  return (meta) => prints.get(meta.ref) === fingerprintOf(meta);
}

/** Restarts the first fetch if its refs are no longer valid; the ledger knows what was already imported. */
function firstFrom(
  earlier: Cursor | undefined,
  position: Position,
  { isVoid }: { isVoid: boolean },
): FirstFetch | undefined {
  const first = earlier?.first;
  return first === undefined || !isVoid ? first : { ...first, upTo: position.toData(), at: undefined };
}
