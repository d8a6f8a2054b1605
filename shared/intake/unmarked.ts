import { createHash } from 'node:crypto';
import { actionOf, type Cursor, type Refusal } from '../mailboxes/cursor.ts';
import type { Listing } from '../mailboxes/inbox.ts';
import type { Mailbox } from '../mailboxes/mailbox.ts';
import { type MessageRef, sortedRefs } from '../mailboxes/message-ref.ts';
import type { FetchDeps } from './fetch-mailbox.ts';
import { type FetchSession, fetchMetaOf } from './fetch-session.ts';

/**
 * A refusal may be temporary: the next retry follows after as long as
 * the refusal has lasted, within these limits.
 */
const AGAIN_AT_FIRST_MS = 2 * 60_000;
const AGAIN_AT_LAST_MS = 15 * 60_000;
/** Maximum number of unmarked messages per retry: new email comes first. */
const TRIED_AT_ONCE = 100;
/** Number of newest messages to compare with the ledger. A server that reuses refs reuses the last ones. */
const COMPARED = 1000;

/**
 * While the server refuses to mark stored emails, they stay unread and appear in every listing. They are
 * retried from time to time, a few at once, and never delay new email. A server restored from a backup,
 * however, reuses its refs for other email: if the listing has changed, and at each retry, the messages are
 * compared with the ledger.
 * @param piece the messages of the current piece of the first fetch, none of which is stored yet
 * @returns the listed messages to fetch, and the refusal to save
 */
export async function withoutUnmarked(
  { ledger, seam }: Pick<FetchDeps, 'ledger' | 'seam'>,
  mailbox: Mailbox,
  session: FetchSession,
  { refs: listed, position }: Pick<Listing, 'refs' | 'position'>,
  known: Cursor | undefined,
  piece: readonly MessageRef[] = [],
): Promise<{ refs: readonly MessageRef[]; refusal: Refusal | undefined }> {
  const { refusal } = known ?? {};
  if (known === undefined || refusal === undefined || refusal.action !== actionOf(mailbox))
    return { refs: listed, refusal };
  const open = new Set([...piece, ...known.waiting, ...(known.unfetched ?? []).map(({ ref }) => ref)]);
  const covered = listed.filter((ref) => position.covers(ref));
  const old = covered.filter((ref) => !open.has(ref));
  const digest = listedDigest(covered);
  const isDue = isTryDue(refusal, seam.now());
  const isOld = new Set(old);
  const wanted = new Set(listed.filter((ref) => !isOld.has(ref)));
  if (old.length === 0 || (!isDue && digest === refusal.listed)) return { refs: [...wanted], refusal };
  for (const ref of isDue ? old.slice(0, TRIED_AT_ONCE) : []) wanted.add(ref);
  const { metas } = await fetchMetaOf(session, old.slice(-COMPARED));
  const scope = { folderKey: known.folderKey ?? '', validity: session.validity };
  const places = await ledger.lookUp(mailbox.id, scope, metas);
  const emails = await ledger.emails(
    mailbox.id,
    [...places.values()].map(({ key }) => key),
  );
  for (const { ref } of metas) if (emails.get(places.get(ref)?.key ?? '')?.state !== 'done') wanted.add(ref);
  return { refs: listed.filter((ref) => wanted.has(ref)), refusal: { ...refusal, listed: digest } };
}

/** Pure. @param now milliseconds since the epoch */
export function isTryDue({ since, triedAt }: Refusal, now: number): boolean {
  const tried = Date.parse(triedAt);
  const lasted = Math.max(AGAIN_AT_FIRST_MS, tried - Date.parse(since));
  return Math.abs(now - tried) >= Math.min(lasted, AGAIN_AT_LAST_MS);
}

/** 16 hex digits that identify a list of messages, regardless of its order. */
export const listedDigest = (refs: readonly MessageRef[]): string =>
  createHash('sha256').update(sortedRefs(refs).join(',')).digest('hex').slice(0, 16);
