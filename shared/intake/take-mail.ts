import type { Cursor } from '../mailboxes/cursor.ts';
import type { Mailbox } from '../mailboxes/mailbox.ts';
import { fingerprintOf, type MessageIdentity, type MessageRef } from '../mailboxes/message-ref.ts';
import type { Lease } from '../platform/blobs.ts';
import { deleteStored } from './delete-stored.ts';
import type { FetchDeps, FetchResult, TimeBox } from './fetch-mailbox.ts';
import { type FetchSession, type FoundMeta, fetchMetaOf } from './fetch-session.ts';
import { type FoundMail, failedOver, findMail, isLeftIn, type Look, onAbort } from './look-at-mailbox.ts';
import { processMessages } from './process-messages.ts';
import { listedDigest } from './unmarked.ts';

const LEASE_SECONDS = 60;
const RENEW_MS = 20_000;

type Fetched = Extract<FetchResult, { kind: 'fetched' }>;

/**
 * Imports what a look found, and closes its session. Continues the mailbox's first fetch piece by piece while there
 * is time and no other mailbox waits, with new email before each piece. Then deletes stored email from the
 * server once its retention is over.
 * @throws PostroomError if storage is unavailable. The mail server's failures are returned as a result.
 */
export async function takeMail(
  deps: FetchDeps,
  mailbox: Mailbox,
  { session, mail }: Extract<Look, { kind: 'found' }>,
  box: TimeBox,
): Promise<FetchResult> {
  const removeListener = onAbort(box, () => session.destroy());
  try {
    return await takePieces(deps, mailbox, session, mail, box);
  } catch (error) {
    return failedOver(error, mailbox, box);
  } finally {
    removeListener();
    await session.close();
  }
}

async function takePieces(
  deps: FetchDeps,
  mailbox: Mailbox,
  session: FetchSession,
  mail: FoundMail,
  box: TimeBox,
): Promise<FetchResult> {
  let now = mail.cursor;
  const saveCursor = async (id: string, next: Cursor): Promise<void> => {
    await deps.saveCursor(id, next);
    now = next;
  };
  const tracking = { ...deps, saveCursor };
  const mayGoOn = (): boolean => deps.seam.now() < box.deadline && box.cut?.aborted !== true;
  let result = await takePiece(tracking, mailbox, session, mail, box);
  while (result.kind === 'fetched' && !result.more && now?.first !== undefined && mayGoOn()) {
    if (box.isAwaited?.() === true) break;
    const next = await takePiece(
      tracking,
      mailbox,
      session,
      await findMail(deps, mailbox, session, now),
      box,
    );
    if (next.kind === 'nothing-new') break;
    result = next.kind === 'fetched' ? sumOf(result, next) : next;
  }
  if (result.kind !== 'fetched' && result.kind !== 'nothing-new') return result;
  const deleted = await deleteStored(deps, mailbox, session, now, mayGoOn);
  if (deleted !== undefined) await saveCursor(mailbox.id, deleted);
  return result.kind === 'fetched' ? { ...result, more: result.more || now?.first !== undefined } : result;
}

const sumOf = (one: Fetched, other: Fetched): Fetched => ({
  kind: 'fetched',
  opened: one.opened + other.opened,
  replies: one.replies + other.replies,
  quarantined: one.quarantined + other.quarantined,
  skipped: one.skipped + other.skipped,
  more: other.more,
});

async function takePiece(
  deps: FetchDeps,
  mailbox: Mailbox,
  session: FetchSession,
  mail: FoundMail,
  box: TimeBox,
): Promise<FetchResult> {
  const { start, firstAfter, isCursorChanged } = mail;
  if (!mail.hasNew) {
    if (isCursorChanged)
      await deps.saveCursor(mailbox.id, {
        ...start,
        first: firstAfter,
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
  const mayGoOn = (): boolean => renewal.isOurs() && deps.seam.now() < box.deadline;
  try {
    const result = await importFound(deps, mailbox, session, mail, mayGoOn);
    if (result !== 'void') return result;
  } finally {
    removeListener();
    await renewal.end();
  }
  const anew = await findMail(deps, mailbox, session, mail.cursor, { isVoid: true });
  return takePiece(deps, mailbox, session, anew, box);
}

/** @returns `void` if the server reused its refs: nothing was imported */
async function importFound(
  deps: FetchDeps,
  mailbox: Mailbox,
  session: FetchSession,
  { start, position, listed, refs, metas: seen, witness, firstAfter }: FoundMail,
  mayGoOn: () => boolean,
): Promise<FetchResult | 'void'> {
  const { metas, missing, unasked, isWitnessAnother } =
    seen === undefined ? await newMeta(session, refs, witness) : { ...seen, isWitnessAnother: false };
  // The server was restored, and new email has passed the old end. Which of it was fetched is unknown.
  if (isWitnessAnother) return 'void';
  const isLeft = isLeftIn(start);
  const left = new Set(start.left.map(({ ref }) => ref));
  const found = {
    metas: metas.filter((each) => !isLeft(each)),
    missing: missing.filter((ref) => !left.has(ref)),
    unasked,
    position,
    digest: listedDigest(listed),
    first: firstAfter,
  };
  const { ended, ...result } = await processMessages(deps, mailbox, session, found, start, mayGoOn);
  if (ended !== undefined) throw ended;
  return { kind: 'fetched', ...result };
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
