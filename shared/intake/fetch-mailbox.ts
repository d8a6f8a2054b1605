import {
  type ConnectDeps,
  connectInbox,
  type MailboxTroubleFound,
  troubleOf,
} from '../mailboxes/connect-inbox.ts';
import { type Inbox, InboxError } from '../mailboxes/inbox.ts';
import { folderKeyOf, type Mailbox } from '../mailboxes/mailbox.ts';
import type { Cursor } from '../mailboxes/mailbox-store.ts';
import type { Lease } from '../platform/blobs.ts';
import type { Seam } from '../platform/seam.ts';
import { placeOf } from './ledger.ts';
import { type Batch, planBatches } from './plan-batches.ts';
import { type BatchReport, type IntakeDeps, takeBatch } from './take-batch.ts';

export interface FetchDeps extends IntakeDeps, ConnectDeps {
  seam: Seam;
  saveCursor: (mailboxId: string, cursor: Cursor) => Promise<void>;
}

export type FetchResult =
  | { kind: 'fetched'; opened: number; replies: number; quarantined: number; skipped: number; more: boolean }
  | { kind: 'nothing-new' }
  /** Another run has this mailbox. */
  | { kind: 'busy' }
  | { kind: 'failed'; trouble: MailboxTroubleFound };

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
/** Marking later costs nothing but a repeated look; marking two batches with one command saves two round trips. */
const MARKED_AT_ONCE = 100;

/**
 * One fetch of one mailbox: sign in, look for mail, take it in batch by batch, mark it on the server.
 * @param cursor how far the folder was read, if it was.
 * @throws PostroomError when storage or the vault is away; the mail server's troubles are a result.
 */
export async function fetchMailbox(
  deps: FetchDeps,
  mailbox: Mailbox,
  cursor: Cursor | undefined,
  box: TimeBox,
): Promise<FetchResult> {
  const connected = await connectInbox(deps, mailbox);
  if (connected.kind !== 'connected') return { kind: 'failed', trouble: connected };
  const { inbox } = connected;
  const forget = whenCut(box, () => inbox.drop());
  try {
    return await fetchFrom(deps, mailbox, inbox, cursor, box);
  } catch (error) {
    if (error instanceof InboxError && box.cut?.aborted === true)
      return { kind: 'failed', trouble: tooSlow(mailbox) };
    if (error instanceof InboxError) return { kind: 'failed', trouble: troubleOf(error, mailbox) };
    throw error;
  } finally {
    forget();
    await inbox.close();
  }
}

/** What becomes of a mailbox whose fetch was cut off; what it stored until then counts. */
export const tooSlow = ({ address }: Mailbox): MailboxTroubleFound => ({
  kind: 'retrying',
  code: 'fetch-too-slow',
  message: `The mail server of ${address} took so long that Postroom broke off the fetch. It goes on from there by itself. No mail is lost.`,
});

/** Acts once when the box is cut; gives a way to forget it. */
function whenCut({ cut }: TimeBox, act: () => void): () => void {
  if (cut?.aborted === true) act();
  cut?.addEventListener('abort', act, { once: true });
  return () => cut?.removeEventListener('abort', act);
}

async function fetchFrom(
  deps: FetchDeps,
  mailbox: Mailbox,
  inbox: Inbox,
  cursor: Cursor | undefined,
  box: TimeBox,
): Promise<FetchResult> {
  const folderKey = folderKeyOf(mailbox);
  // A cursor of another folder, from before a person changed the mailbox, says nothing about this one.
  const earlier = (cursor?.folderKey ?? folderKey) === folderKey ? cursor : undefined;
  const known = earlier?.uidValidity === inbox.uidValidity ? earlier : undefined;
  const found = await inbox.search({
    from: known === undefined ? undefined : known.uid + 1,
    also: known?.waiting,
    since:
      known === undefined && earlier?.lastMailAt !== undefined ? dayBefore(earlier.lastMailAt) : undefined,
  });
  const left = new Set(known?.left);
  const uids = found.filter((uid) => !left.has(uid));
  const start: Cursor = {
    uid: inbox.uidNext - 1,
    left: [],
    waiting: [],
    lastMailAt: earlier?.lastMailAt,
    ...known,
    uidValidity: inbox.uidValidity,
    folderKey,
  };
  if (uids.length === 0) {
    // What waited may have been read or deleted by somebody else; a notice would speak of it for ever.
    const isGone = (known?.backlog ?? 0) > 0 || (known?.waiting.length ?? 0) > 0;
    if (known?.folderKey === undefined || isGone)
      await deps.saveCursor(mailbox.id, { ...start, waiting: [], backlog: 0 });
    return { kind: 'nothing-new' };
  }
  const lease = await deps.blobs.lease(`lease/${mailbox.id}`, LEASE_SECONDS);
  if (lease === undefined) return { kind: 'busy' };
  const held = holdLease(lease);
  // Another run may have the mailbox although a storage call of this one still hangs.
  const forget = whenCut(box, () => held.letGo());
  try {
    const mayGoOn = (): boolean => held.isOurs() && deps.seam.now() < box.deadline;
    return await takeAll(deps, mailbox, inbox, uids, start, mayGoOn);
  } finally {
    forget();
    await held.end();
  }
}

async function takeAll(
  deps: FetchDeps,
  mailbox: Mailbox,
  inbox: Inbox,
  uids: readonly number[],
  start: Cursor,
  mayGoOn: () => boolean,
): Promise<FetchResult> {
  const facts = await inbox.facts(uids);
  const numbering = { folderKey: folderKeyOf(mailbox), uidValidity: inbox.uidValidity };
  const present = new Set(facts.map(({ uid }) => placeOf(numbering, uid)));
  const total = { opened: 0, replies: 0, quarantined: 0, skipped: 0 };
  let cursor = start;
  const unmarked: number[] = [];
  const waiting: number[] = [];
  let more = false;
  let handled = 0;
  const finish = async (batch: Batch, report: BatchReport): Promise<void> => {
    unmarked.push(...report.settled);
    if (unmarked.length >= MARKED_AT_ONCE) await settleOnServer(inbox, mailbox, unmarked.splice(0));
    for (const name of ['opened', 'replies', 'quarantined', 'skipped'] as const) total[name] += report[name];
    cursor = advanced(cursor, batch, report);
    waiting.push(...report.waiting);
    handled += batch.kind === 'held' ? batch.mails.length : 1;
  };
  // One batch is read while the one before it is filed: two at most are in memory.
  let running: { batch: Batch; report: Promise<BatchReport> } | undefined;
  try {
    for (const batch of planBatches(facts)) {
      if (!mayGoOn()) {
        more = true;
        break;
      }
      const before = running;
      const after = before?.report ?? Promise.resolve();
      const report = takeBatch(deps, { mailbox, inbox, numbering, present, after }, batch);
      // Its failure is heard below, when its turn comes.
      report.catch(() => {});
      running = { batch, report };
      if (before !== undefined) await finish(before.batch, await before.report);
    }
    if (running !== undefined) await finish(running.batch, await running.report);
  } finally {
    // Nothing goes on behind an error: the connection and the lease are given back next.
    await running?.report.catch(() => {});
  }
  await settleOnServer(inbox, mailbox, unmarked);
  const uid = more ? cursor.uid : Math.max(cursor.uid, inbox.uidNext - 1, ...uids.slice(-1));
  const still = more ? [...new Set([...start.waiting, ...waiting])] : waiting;
  const backlog = (more ? facts.length - handled : 0) + still.length;
  await deps.saveCursor(mailbox.id, { ...cursor, uid, waiting: still.slice(-1000), backlog });
  return { kind: 'fetched', ...total, more };
}

/** Step 7, last of all: only what is stored is marked, and only while UIDs still mean what they meant. */
async function settleOnServer(inbox: Inbox, mailbox: Mailbox, settled: readonly number[]): Promise<void> {
  if (settled.length === 0) return;
  const current = await inbox.currentUidValidity();
  if (current !== inbox.uidValidity)
    throw new InboxError(
      'unavailable',
      'The mail server numbered its mail anew during the fetch; the next one starts over',
    );
  switch (mailbox.afterFetch.kind) {
    case 'mark-seen':
      return inbox.markSeen(settled);
    case 'move':
      return inbox.move(settled, mailbox.afterFetch.folder);
    case 'delete':
      return inbox.remove(settled);
  }
}

function advanced(cursor: Cursor, batch: Batch, report: BatchReport): Cursor {
  const mails = batch.kind === 'held' ? batch.mails : [batch.mail];
  return {
    ...cursor,
    uid: Math.max(cursor.uid, ...mails.map(({ uid }) => uid)),
    left: [...cursor.left, ...report.left].slice(-1000),
    lastMailAt: mails.reduce(
      (latest, { receivedAt }) => (receivedAt > latest ? receivedAt : latest),
      cursor.lastMailAt ?? '',
    ),
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
