import {
  type ConnectDeps,
  type ConnectFailure,
  connectFailureFrom,
  connectInbox,
} from '../mailboxes/connect-inbox.ts';
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
import type { Lease } from '../platform/blobs.ts';
import type { Seam } from '../platform/seam.ts';
import type { IntakeDeps } from './batch.ts';
import { deleteStored } from './delete-stored.ts';
import { FetchSession, type FoundMeta, fetchMetaOf } from './fetch-session.ts';
import { processMessages } from './process-messages.ts';
import { listedDigest, withoutUnmarked } from './unmarked.ts';

export interface FetchDeps extends IntakeDeps, ConnectDeps {
  seam: Seam;
  saveCursor: (mailboxId: string, cursor: Cursor) => Promise<void>;
}

export type FetchResult =
  | { kind: 'fetched'; opened: number; replies: number; quarantined: number; skipped: number; more: boolean }
  | { kind: 'nothing-new' }
  /** Another run is fetching this mailbox. */
  | { kind: 'busy' }
  | { kind: 'failed'; failure: ConnectFailure };

/** How long a fetch may take. */
export interface TimeBox {
  /** Milliseconds since the epoch. No batch starts after it; the next fetch continues from there. */
  deadline: number;
  /** Aborts the fetch: drops the connection and releases the lease. */
  cut?: AbortSignal | undefined;
}

const LEASE_SECONDS = 60;
const RENEW_MS = 20_000;

/**
 * Fetches one mailbox: signs in, lists messages, imports them batch by batch, marks them on the server.
 * @param cursor how far the folder was read; undefined before the first fetch
 * @throws PostroomError if storage or Key Vault is unavailable. The mail server's failures are returned as a
 * result.
 */
export async function fetchMailbox(
  deps: FetchDeps,
  mailbox: Mailbox,
  cursor: Cursor | undefined,
  box: TimeBox,
): Promise<FetchResult> {
  const connected = await connectInbox(deps, mailbox);
  if (connected.kind !== 'connected') return { kind: 'failed', failure: connected };
  const session = new FetchSession(connected.inbox, () => connectInbox(deps, mailbox));
  const removeListener = onAbort(box, () => session.destroy());
  try {
    return await fetchPieces(deps, mailbox, session, cursor, box);
  } catch (error) {
    if (error instanceof InboxError && box.cut?.aborted === true)
      return { kind: 'failed', failure: tooSlow(mailbox) };
    if (error instanceof InboxError) return { kind: 'failed', failure: connectFailureFrom(error, mailbox) };
    throw error;
  } finally {
    removeListener();
    await session.close();
  }
}

/** The failure of a mailbox whose fetch was aborted. Everything stored before counts. */
export const tooSlow = ({ address }: Mailbox): ConnectFailure => ({
  kind: 'retrying',
  code: 'fetch-too-slow',
  message: `The mail server of ${address} took so long that Postroom broke off the fetch. It goes on from there by itself.`,
});

/** Runs `act` once when the time box aborts; returns a function that removes the listener. */
function onAbort({ cut }: TimeBox, act: () => void): () => void {
  if (cut?.aborted === true) act();
  cut?.addEventListener('abort', act, { once: true });
  return () => cut?.removeEventListener('abort', act);
}

/**
 * Continues the mailbox's first fetch piece by piece while there is time, with new email before each piece.
 * Then deletes stored email from the server once its retention is over.
 */
async function fetchPieces(
  deps: FetchDeps,
  mailbox: Mailbox,
  session: FetchSession,
  cursor: Cursor | undefined,
  box: TimeBox,
): Promise<FetchResult> {
  let now = cursor;
  const saveCursor = async (id: string, next: Cursor): Promise<void> => {
    await deps.saveCursor(id, next);
    now = next;
  };
  const tracking = { ...deps, saveCursor };
  const mayGoOn = (): boolean => deps.seam.now() < box.deadline && box.cut?.aborted !== true;
  let result = await fetchFrom(tracking, mailbox, session, now, box);
  while (result.kind === 'fetched' && !result.more && now?.first !== undefined && mayGoOn()) {
    const next = await fetchFrom(tracking, mailbox, session, now, box);
    if (next.kind === 'nothing-new') break;
    result = next.kind === 'fetched' ? sumOf(result, next) : next;
  }
  if (result.kind !== 'fetched' && result.kind !== 'nothing-new') return result;
  const deleted = await deleteStored(deps, mailbox, session, now, mayGoOn);
  if (deleted !== undefined) await saveCursor(mailbox.id, deleted);
  return result.kind === 'fetched' ? { ...result, more: result.more || now?.first !== undefined } : result;
}

type Fetched = Extract<FetchResult, { kind: 'fetched' }>;

const sumOf = (one: Fetched, other: Fetched): Fetched => ({
  kind: 'fetched',
  opened: one.opened + other.opened,
  replies: one.replies + other.replies,
  quarantined: one.quarantined + other.quarantined,
  skipped: one.skipped + other.skipped,
  more: other.more,
});

/** Restarts the first fetch if its refs are no longer valid; the ledger knows what was already imported. */
function firstFrom(
  earlier: Cursor | undefined,
  position: Position,
  { isVoid }: { isVoid: boolean },
): FirstFetch | undefined {
  const first = earlier?.first;
  return first === undefined || !isVoid ? first : { ...first, upTo: position.toData(), at: undefined };
}

async function fetchFrom(
  deps: FetchDeps,
  mailbox: Mailbox,
  session: FetchSession,
  cursor: Cursor | undefined,
  box: TimeBox,
  { isVoid = false }: { isVoid?: boolean } = {},
): Promise<FetchResult> {
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
  const left = new Map(start.left.map((each) => [each.ref, each.fingerprint]));
  const isLeft = (meta: MessageMeta): boolean => left.get(meta.ref) === fingerprintOf(meta);
  // A message left on the server is skipped only if the same message is still there.
  const isAllLeft = refs.every((ref) => left.has(ref));
  const seen = isAllLeft && refs.length > 0 ? await newMeta(session, refs, undefined) : undefined;
  const hasNew = seen === undefined ? refs.length > 0 : !seen.metas.every(isLeft);
  if (!hasNew) {
    // Waiting messages may have been read or deleted by other people. Without
    // this, an alert would mention them for ever.
    const isGone =
      first !== undefined ||
      (known?.backlog ?? 0) > 0 ||
      (known?.waiting ?? []).length > 0 ||
      (known?.unfetched ?? []).length > 0;
    const hasNewRefusal = start.refusal !== known?.refusal;
    if (known?.folderKey === undefined || isGone || isSetBack || isAhead || hasNewRefusal)
      await deps.saveCursor(mailbox.id, {
        ...start,
        first: piece?.after,
        waiting: [],
        unfetched: [],
        backlog: 0,
      });
    return { kind: 'nothing-new' };
  }
  const lease = await deps.blobs.lease(`lease/${mailbox.id}`, LEASE_SECONDS);
  if (lease === undefined) return { kind: 'busy' };
  const renewal = keepRenewing(lease);
  // Another run may fetch the mailbox while a storage call of this one still hangs.
  const removeListener = onAbort(box, () => renewal.abandon());
  const importFound = async (): Promise<FetchResult | 'void'> => {
    const { metas, missing, unasked, isWitnessAnother } = seen ?? (await newMeta(session, refs, witness));
    // The server was restored, and new email has passed the old end. Which of it was fetched is unknown.
    if (isWitnessAnother) return 'void';
    const found = {
      metas: metas.filter((each) => !isLeft(each)),
      missing: missing.filter((ref) => !left.has(ref)),
      unasked,
      position,
      digest: listedDigest(listed),
      first: piece?.after,
    };
    const mayGoOn = (): boolean => renewal.isOurs() && deps.seam.now() < box.deadline;
    const { ended, ...result } = await processMessages(deps, mailbox, session, found, start, mayGoOn);
    if (ended !== undefined) throw ended;
    return { kind: 'fetched', ...result };
  };
  try {
    const result = await importFound();
    if (result !== 'void') return result;
  } finally {
    removeListener();
    await renewal.end();
  }
  return fetchFrom(deps, mailbox, session, cursor, box, { isVoid: true });
}

/**
 * Fetches the metadata of these messages and checks in the same command
 * whether another message now has the witness's ref.
 */
async function newMeta(
  session: FetchSession,
  refs: readonly MessageRef[],
  witness: MessageIdentity | undefined,
): Promise<FoundMeta & { isWitnessAnother: boolean }> {
  const asked = new Set(refs);
  const found = await fetchMetaOf(
    session,
    witness === undefined ? refs : [...new Set([...refs, witness.ref])],
  );
  const atWitness = found.metas.find(({ ref }) => ref === witness?.ref);
  const isAsked = (ref: MessageRef): boolean => asked.has(ref);
  return {
    metas: found.metas.filter(({ ref }) => isAsked(ref)),
    missing: found.missing.filter(isAsked),
    unasked: found.unasked.filter(isAsked),
    isWitnessAnother: atWitness !== undefined && fingerprintOf(atWitness) !== witness?.fingerprint,
  };
}

/**
 * Renews the lease in the background. The lease only avoids duplicate
 * work; the ledger makes concurrent runs safe.
 */
function keepRenewing(lease: Lease): { isOurs(): boolean; abandon(): void; end(): Promise<void> } {
  let ours = true;
  const timer = setInterval(() => {
    lease.renew().then(
      (still) => {
        ours &&= still;
      },
      () => {
        ours = false;
      },
    );
  }, RENEW_MS);
  timer.unref();
  return {
    isOurs: () => ours,
    abandon() {
      ours = false;
      clearInterval(timer);
    },
    async end() {
      clearInterval(timer);
      await lease.release().catch(() => {});
    },
  };
}
