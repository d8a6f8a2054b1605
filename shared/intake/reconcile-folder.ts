import { connectInbox } from '../mailboxes/connect-inbox.ts';
import type { Cursor } from '../mailboxes/cursor.ts';
import { remainingOf, sinceOf, unreadOf } from '../mailboxes/first-fetch.ts';
import { type Inbox, InboxError } from '../mailboxes/inbox.ts';
import { folderKeyOf, type Mailbox } from '../mailboxes/mailbox.ts';
import { fingerprintOf, type MessageMeta, type MessageRef } from '../mailboxes/message-ref.ts';
import { log } from '../platform/log.ts';
import type { Tables } from '../platform/tables.ts';
import type { ShardDeps } from './fetch-shard.ts';
import { fingerprintOfPlace, PLACES, type RefScope } from './ledger.ts';
import {
  createReconciliationStore,
  type FolderCheck,
  type FolderCount,
  MAX_LISTED,
} from './reconciliation-records.ts';

/** Number of messages per metadata command and per ledger request. */
const PAGE = 1000;

/** The result of a check, with the refs of all missing messages. */
export interface FolderFinding {
  count: FolderCount;
  /** Sorted. */
  missing: MessageRef[];
}

/**
 * Compares the folder of a mailbox with the ledger and stores the result. Reads only refs, sizes and times,
 * page by page.
 * @returns undefined if the mailbox cannot be opened; its row has the reason
 * @throws PostroomError if storage is unavailable
 */
export async function reconcileFolder(
  deps: Pick<ShardDeps, 'seam' | 'tables' | 'ledger' | 'accessTokens' | 'openInbox' | 'mailboxes'>,
  mailbox: Mailbox,
): Promise<FolderFinding | undefined> {
  const store = createReconciliationStore(deps.tables);
  const now = (): string => new Date(deps.seam.now()).toISOString();
  const before = await store.check(mailbox.id);
  const started: FolderCheck = {
    missing: [],
    ...before,
    mailboxId: mailbox.id,
    folder: mailbox.folder,
    startedAt: now(),
    problem: undefined,
  };
  await store.saveCheck(started);
  // Read before the folder is listed: messages that arrive meanwhile are beyond this cursor.
  const cursor = (await deps.mailboxes.fetchState()).cursors.get(mailbox.id);
  const connected = await connectInbox(deps, mailbox);
  if (connected.kind !== 'connected') {
    await store.saveCheck({ ...started, problem: connected.message });
    return undefined;
  }
  const { inbox } = connected;
  try {
    const finding = await compare(deps, mailbox, inbox, cursor);
    const missing = await inbox.fetchMeta(finding.missing.slice(0, MAX_LISTED));
    await store.saveCheck({ ...started, checkedAt: now(), count: finding.count, missing });
    log.info('folder checked', { mailbox: mailbox.id, ...finding.count });
    return finding;
  } catch (error) {
    if (!(error instanceof InboxError)) throw error;
    await store.saveCheck({ ...started, problem: error.message });
    return undefined;
  } finally {
    await inbox.close();
  }
}

async function compare(
  { ledger, tables }: Pick<ShardDeps, 'ledger' | 'tables'>,
  mailbox: Mailbox,
  inbox: Inbox,
  cursor: Cursor | undefined,
): Promise<FolderFinding> {
  const scope: RefScope = { folderKey: folderKeyOf(mailbox), validity: inbox.validity };
  const here = cursorIn(scope, cursor);
  const { refs, position } = await inbox.list({
    position: here?.position,
    unread: unreadOf(mailbox, isOfFolder(scope.folderKey, cursor) ? cursor : undefined),
  });
  const first = here?.first === undefined ? [] : await remainingOf(inbox, here.first);
  const next = new Set([...refs, ...first]);
  const since = sinceOf(mailbox);
  const chosen = since === undefined ? undefined : new Set(await inbox.receivedSince(since));
  const all = await inbox.all();
  const judge = judgeOf(mailbox, here, {
    isKnown: cursor !== undefined,
    isNext: (ref) => next.has(ref) || (here !== undefined && !position.covers(ref)),
    isChosen: chosen && ((ref) => chosen.has(ref)),
  });
  const count: FolderCount = { inLedger: 0, waiting: 0, older: 0, missing: 0 };
  const suspects = new Map<MessageRef, string>();
  for (let start = 0; start < all.length; start += PAGE) {
    const page = all.slice(start, start + PAGE);
    const metas = new Map((await inbox.fetchMeta(page)).map((each) => [each.ref, each]));
    const known = await ledger.lookUp(mailbox.id, scope, [...metas.values()]);
    for (const ref of page) {
      const meta = metas.get(ref);
      const verdict = known.has(ref) ? 'inLedger' : judge(ref, meta);
      if (verdict === 'missing') suspects.set(ref, meta === undefined ? '' : fingerprintOf(meta));
      else count[verdict] += 1;
    }
  }
  const elsewhere = await knownFingerprints(tables, mailbox.id, new Set(suspects.values()));
  const missing = [...suspects].flatMap(([ref, print]) => (elsewhere.has(print) ? [] : [ref]));
  count.inLedger += suspects.size - missing.length;
  count.missing = missing.length;
  return { count, missing };
}

/** The cursor, if it belongs to this folder under this validity. */
function cursorIn({ folderKey, validity }: RefScope, cursor: Cursor | undefined): Cursor | undefined {
  return cursor?.validity === validity && isOfFolder(folderKey, cursor) ? cursor : undefined;
}

const isOfFolder = (folderKey: string, cursor: Cursor | undefined): boolean =>
  cursor !== undefined && (cursor.folderKey ?? folderKey) === folderKey;

/**
 * Classifies a message whose place is not in the ledger. The next fetch lists unread email, messages beyond
 * the position and the remaining messages of the first fetch. Any other message since the mailbox's first
 * day, or since the mailbox was added, should have been seen. Pure.
 * @param here the cursor of this folder, if there is one
 * @param state `isKnown`: the mailbox was fetched before, here or elsewhere; `isNext`: the next fetch, or the
 * first one, will import the message; `isChosen`: it was received on the mailbox's first day or later, if it
 * has one
 */
export function judgeOf(
  { createdAt }: Pick<Mailbox, 'createdAt'>,
  here: Pick<Cursor, 'left' | 'waiting' | 'unfetched'> | undefined,
  {
    isKnown,
    isNext,
    isChosen,
  }: {
    isKnown: boolean;
    isNext: (ref: MessageRef) => boolean;
    isChosen?: ((ref: MessageRef) => boolean) | undefined;
  },
): (ref: MessageRef, meta: MessageMeta | undefined) => keyof FolderCount {
  const waiting = new Set([...(here?.waiting ?? []), ...(here?.unfetched ?? []).map(({ ref }) => ref)]);
  const left = new Set((here?.left ?? []).map(({ ref }) => ref));
  return (ref, meta) => {
    // It is listed as unimported.
    if (left.has(ref)) return 'inLedger';
    if (isNext(ref) || waiting.has(ref)) return 'waiting';
    if (isChosen === undefined ? meta !== undefined && meta.receivedAt < createdAt : !isChosen(ref))
      return 'older';
    return isKnown ? 'missing' : 'waiting';
  };
}

/**
 * The fingerprints that the ledger knows at any place: after the server changed the folder's UIDs, and for
 * email moved here from another folder. Only read if messages seem to be missing.
 */
async function knownFingerprints(
  tables: Tables,
  mailboxId: string,
  wanted: ReadonlySet<string>,
): Promise<Set<string>> {
  const known = new Set<string>();
  if (wanted.size === 0) return known;
  const ledger = tables.open('Ledger');
  let after: string | undefined;
  for (;;) {
    const rows = await ledger.list(mailboxId, after === undefined ? PLACES : { ...PLACES, after });
    for (const { rowKey } of rows) {
      const print = fingerprintOfPlace(rowKey);
      if (wanted.has(print)) known.add(print);
    }
    if (rows.length < 1000) return known;
    after = rows.at(-1)?.rowKey;
  }
}
