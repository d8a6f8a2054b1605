import {
  type ConnectDeps,
  connectInbox,
  type ConnectFailure,
  connectFailureFrom,
} from '../mailboxes/connect-inbox.ts';
import type { Cursor, LeftMessage } from '../mailboxes/cursor.ts';
import { nextPiece, sinceOf } from '../mailboxes/first-fetch.ts';
import { InboxError, type InboxSearch } from '../mailboxes/inbox.ts';
import { folderKeyOf, type Mailbox } from '../mailboxes/mailbox.ts';
import type { Lease } from '../platform/blobs.ts';
import type { Seam } from '../platform/seam.ts';
import { deleteStored } from './delete-stored.ts';
import { FetchSession, type FoundFacts, factsOf } from './fetch-session.ts';
import { fingerprintOf } from './ledger.ts';
import type { IntakeDeps } from './process-batch.ts';
import { processMessages } from './process-messages.ts';
import { listedDigest, withoutUnmarked } from './unmarked.ts';

export interface FetchDeps extends IntakeDeps, ConnectDeps {
  seam: Seam;
  saveCursor: (mailboxId: string, cursor: Cursor) => Promise<void>;
}

export type FetchResult =
  | { kind: 'fetched'; opened: number; replies: number; quarantined: number; skipped: number; more: boolean }
  | { kind: 'nothing-new' }
  /** Another run has this mailbox. */
  | { kind: 'busy' }
  | { kind: 'failed'; failure: ConnectFailure };

/** How long a fetch may take. */
export interface TimeBox {
  /** Milliseconds since the epoch; no batch begins after it, the next fetch goes on from there. */
  deadline: number;
  /** Ends the fetch where it stands: the connection is dropped and the lease given back. */
  cut?: AbortSignal | undefined;
}

const LEASE_SECONDS = 60;
const RENEW_MS = 20_000;
const DAY_MS = 86_400_000;

/**
 * One fetch of one mailbox: sign in, look for mail, take it in batch by batch, mark it on the server.
 * @param cursor how far the folder was read, if it was.
 * @throws PostroomError when storage or the vault is away; the mail server's failures are a result.
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
  const forget = whenCut(box, () => session.drop());
  try {
    return await fetchPieces(deps, mailbox, session, cursor, box);
  } catch (error) {
    if (error instanceof InboxError && box.cut?.aborted === true)
      return { kind: 'failed', failure: tooSlow(mailbox) };
    if (error instanceof InboxError) return { kind: 'failed', failure: connectFailureFrom(error, mailbox) };
    throw error;
  } finally {
    forget();
    await session.close();
  }
}

/** What becomes of a mailbox whose fetch was cut off; what it stored until then counts. */
export const tooSlow = ({ address }: Mailbox): ConnectFailure => ({
  kind: 'retrying',
  code: 'fetch-too-slow',
  message: `The mail server of ${address} took so long that Postroom broke off the fetch. It goes on from there by itself.`,
});

/** Acts once when the box is cut; gives a way to forget it. */
function whenCut({ cut }: TimeBox, act: () => void): () => void {
  if (cut?.aborted === true) act();
  cut?.addEventListener('abort', act, { once: true });
  return () => cut?.removeEventListener('abort', act);
}

/**
 * The first fetch of a mailbox goes on piece by piece while there is time, new email before each piece; then what is stored
 * is deleted from the server where its days are over.
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
  const noting = { ...deps, saveCursor };
  const mayGoOn = (): boolean => deps.seam.now() < box.deadline && box.cut?.aborted !== true;
  let result = await fetchFrom(noting, mailbox, session, now, box);
  while (result.kind === 'fetched' && !result.more && now?.first !== undefined && mayGoOn()) {
    const next = await fetchFrom(noting, mailbox, session, now, box);
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

/** Whether unread email is looked for beside what the cursor says: what was left as it is stays unread for ever. */
function unreadOf(mailbox: Mailbox, earlier: Cursor | undefined): InboxSearch['unread'] {
  if (earlier?.first !== undefined || (earlier !== undefined && mailbox.afterFetch.kind === 'leave'))
    return false;
  const since = sinceOf(mailbox);
  return since === undefined ? undefined : { since };
}

async function fetchFrom(
  deps: FetchDeps,
  mailbox: Mailbox,
  session: FetchSession,
  cursor: Cursor | undefined,
  box: TimeBox,
  { givenAgain = false }: { givenAgain?: boolean } = {},
): Promise<FetchResult> {
  const { uidValidity, uidNext } = session;
  const folderKey = folderKeyOf(mailbox);
  // A cursor of another folder, from before a person changed the mailbox, says nothing about this one.
  const earlier = (cursor?.folderKey ?? folderKey) === folderKey ? cursor : undefined;
  const known = earlier?.uidValidity === uidValidity ? earlier : undefined;
  // A server that was restored from a backup gives UIDs again: what was read above its new end says nothing either.
  const isSetBack = known !== undefined && (givenAgain || uidNext <= known.uid);
  const since = isSetBack || known === undefined ? earlier?.lastMailAt : undefined;
  const first = isSetBack ? undefined : known?.first;
  const piece = first === undefined ? undefined : await nextPiece(session.inbox, first);
  const found = await session.inbox.search({
    unread: unreadOf(mailbox, earlier && { ...earlier, first }),
    from: known === undefined || isSetBack ? undefined : known.uid + 1,
    also: [...(known?.waiting ?? []), ...(known?.unfetched ?? []).map(({ uid }) => uid)],
    since: since === undefined ? (earlier === undefined ? sinceOf(mailbox) : undefined) : dayBefore(since),
  });
  const listed = piece === undefined ? found : [...new Set([...found, ...piece.uids])].sort((a, b) => a - b);
  const unmarked = isSetBack ? undefined : await withoutUnmarked(deps, mailbox, session, listed, known);
  const isListed = new Set(listed);
  const start: Cursor = {
    left: [],
    waiting: [],
    lastMailAt: earlier?.lastMailAt,
    ...known,
    first,
    uid: known === undefined || isSetBack ? uidNext - 1 : known.uid,
    last: isSetBack ? undefined : known?.last,
    unfetched: (known?.unfetched ?? []).filter(({ uid }) => isListed.has(uid)),
    uidValidity,
    folderKey,
    ...(unmarked !== undefined && { refusal: unmarked.refusal }),
  };
  const uids = unmarked?.uids ?? listed;
  const left = new Map(start.left.map((each) => [each.uid, each.fingerprint]));
  // A message that was left on the server is passed over only while it is the one that stands there.
  const isAllLeft = uids.every((uid) => left.has(uid));
  const seen = isAllLeft && uids.length > 0 ? await newFacts(session, uids, undefined) : undefined;
  const isNews = seen?.facts.some((each) => left.get(each.uid) !== fingerprintOf(each)) ?? uids.length > 0;
  if (!isNews) {
    // What waited may have been read or deleted by somebody else; an alert would speak of it for ever.
    const isGone =
      first !== undefined ||
      (known?.backlog ?? 0) > 0 ||
      (known?.waiting ?? []).length > 0 ||
      (known?.unfetched ?? []).length > 0;
    const isLookedAt = start.refusal !== known?.refusal;
    if (known?.folderKey === undefined || isGone || isSetBack || isLookedAt)
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
  const heldLease = holdLease(lease);
  // Another run may have the mailbox although a storage call of this one still hangs.
  const forget = whenCut(box, () => heldLease.letGo());
  const take = async (): Promise<FetchResult | 'given again'> => {
    const { facts, missing, unasked, isLastAnother } = seen ?? (await newFacts(session, uids, start.last));
    // The server was restored, and new email reaches past the old end: which of it was fetched is not known.
    if (isLastAnother) return 'given again';
    const fresh = facts.filter((each) => left.get(each.uid) !== fingerprintOf(each));
    const mayGoOn = (): boolean => heldLease.isOurs() && deps.seam.now() < box.deadline;
    const found = {
      facts: fresh,
      missing: missing.filter((uid) => !left.has(uid)),
      unasked,
      listed: listedDigest(listed),
      first: piece?.after,
    };
    const { ended, ...result } = await processMessages(deps, mailbox, session, found, start, mayGoOn);
    if (ended !== undefined) throw ended;
    return { kind: 'fetched', ...result };
  };
  try {
    const taken = await take();
    if (taken !== 'given again') return taken;
  } finally {
    forget();
    await heldLease.end();
  }
  return fetchFrom(deps, mailbox, session, cursor, box, { givenAgain: true });
}

/** What the server tells of these, and in the same command whether another message stands at the last one's UID. */
async function newFacts(
  session: FetchSession,
  uids: readonly number[],
  last: LeftMessage | undefined,
): Promise<FoundFacts & { isLastAnother: boolean }> {
  const asked = new Set(uids);
  const found = await factsOf(session, last === undefined ? uids : [...new Set([...uids, last.uid])]);
  const atLast = found.facts.find(({ uid }) => uid === last?.uid);
  const isAsked = (uid: number): boolean => asked.has(uid);
  return {
    facts: found.facts.filter(({ uid }) => isAsked(uid)),
    missing: found.missing.filter(isAsked),
    unasked: found.unasked.filter(isAsked),
    isLastAnother: atLast !== undefined && fingerprintOf(atLast) !== last?.fingerprint,
  };
}

const dayBefore = (at: string): string => new Date(Date.parse(at) - DAY_MS).toISOString();

/** Renews in the background. The lease saves double work; that two runs do no harm is the ledger's doing. */
function holdLease(lease: Lease): { isOurs(): boolean; letGo(): void; end(): Promise<void> } {
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
    letGo() {
      ours = false;
      clearInterval(timer);
    },
    async end() {
      clearInterval(timer);
      await lease.release().catch(() => {});
    },
  };
}
