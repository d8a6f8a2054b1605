import { createHash } from 'node:crypto';
import { actionOf, type Cursor, type Refusal } from '../mailboxes/cursor.ts';
import { uidSets } from '../mailboxes/imap-inbox.ts';
import type { Mailbox } from '../mailboxes/mailbox.ts';
import type { FetchDeps } from './fetch-mailbox.ts';
import { type FetchSession, factsOf } from './fetch-session.ts';

/** A refusal may pass in a moment: the next try comes after as long as it has lasted, within these limits. */
const AGAIN_AT_FIRST_MS = 2 * 60_000;
const AGAIN_AT_LAST_MS = 15 * 60_000;
/** Of what could not be marked before, this much is tried: new mail comes first. */
const TRIED_AT_ONCE = 100;
/** The newest of them are compared with what is stored. A server that gives UIDs again gives the highest ones. */
const COMPARED = 1000;

/**
 * While the server refuses to mark what is stored, that email stays unread and is found by each search. It is looked at
 * again from time to time, a little of it, and never delays new email. A server restored from a backup gives its UIDs to
 * other email, though: where the list is another one, and at each try, what stands there is compared with the ledger.
 * @returns what of the listed UIDs to fetch, and the refusal to remember
 */
export async function withoutUnmarked(
  { ledger, seam }: Pick<FetchDeps, 'ledger' | 'seam'>,
  mailbox: Mailbox,
  session: FetchSession,
  listed: readonly number[],
  known: Cursor | undefined,
): Promise<{ uids: readonly number[]; refusal: Refusal | undefined }> {
  const { refusal } = known ?? {};
  if (known === undefined || refusal === undefined || refusal.action !== actionOf(mailbox))
    return { uids: listed, refusal };
  const open = new Set([...known.waiting, ...(known.unfetched ?? []).map(({ uid }) => uid)]);
  const isOld = (uid: number): boolean => uid <= known.uid && !open.has(uid);
  const old = listed.filter(isOld);
  const digest = listedDigest(listed.filter((uid) => uid <= known.uid));
  const isDue = isTryDue(refusal, seam.now());
  const wanted = new Set(listed.filter((uid) => !isOld(uid)));
  if (old.length === 0 || (!isDue && digest === refusal.listed)) return { uids: [...wanted], refusal };
  for (const uid of isDue ? old.slice(0, TRIED_AT_ONCE) : []) wanted.add(uid);
  const { facts } = await factsOf(session, old.slice(-COMPARED));
  const numbering = { folderKey: known.folderKey ?? '', uidValidity: session.uidValidity };
  const places = await ledger.lookUp(mailbox.id, numbering, facts);
  const mails = await ledger.mails(
    mailbox.id,
    [...places.values()].map(({ key }) => key),
  );
  for (const { uid } of facts) if (mails.get(places.get(uid)?.key ?? '')?.state !== 'done') wanted.add(uid);
  return { uids: listed.filter((uid) => wanted.has(uid)), refusal: { ...refusal, listed: digest } };
}

/** Pure. @param now milliseconds since the epoch */
export function isTryDue({ since, triedAt }: Refusal, now: number): boolean {
  const tried = Date.parse(triedAt);
  const lasted = Math.max(AGAIN_AT_FIRST_MS, tried - Date.parse(since));
  return Math.abs(now - tried) >= Math.min(lasted, AGAIN_AT_LAST_MS);
}

/** 16 hex digits that tell one list of UIDs from another. */
export const listedDigest = (uids: readonly number[]): string =>
  createHash('sha256').update(uidSets(uids).join(',')).digest('hex').slice(0, 16);
