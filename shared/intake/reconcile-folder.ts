import { connectInbox } from '../mailboxes/connect-inbox.ts';
import type { Cursor } from '../mailboxes/cursor.ts';
import { type Inbox, InboxError, type MessageMeta } from '../mailboxes/inbox.ts';
import { folderKeyOf, type Mailbox } from '../mailboxes/mailbox.ts';
import { log } from '../platform/log.ts';
import type { Tables } from '../platform/tables.ts';
import type { ShardDeps } from './fetch-shard.ts';
import { fingerprintOf, fingerprintOfPlace, PLACES, type UidScope } from './ledger.ts';
import {
  createReconciliationStore,
  type FolderCheck,
  type FolderCount,
  MAX_LISTED,
} from './reconciliation-records.ts';

/** Messages that are asked about with one command and looked up in the ledger with one request. */
const PAGE = 1000;

/** What a check found, with the UIDs of everything that is missing. */
export interface FolderFinding {
  count: FolderCount;
  /** Ascending. */
  missing: number[];
}

/**
 * Compares the folder of a mailbox with the ledger and keeps the result. Only UIDs, sizes and times are read, page by page.
 * @returns undefined where the mailbox cannot be opened; its row says why
 * @throws PostroomError where storage is unavailable
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
  // Before the folder is listed: what comes in meanwhile stands above this cursor.
  const cursor = (await deps.mailboxes.fetchState()).cursors.get(mailbox.id);
  const connected = await connectInbox(deps, mailbox);
  if (connected.kind !== 'connected') {
    await store.saveCheck({ ...started, problem: connected.message });
    return undefined;
  }
  const { inbox } = connected;
  try {
    const finding = await compare(deps, mailbox, inbox, cursor);
    const missing = await inbox.facts(finding.missing.slice(0, MAX_LISTED));
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
  const numbering: UidScope = { folderKey: folderKeyOf(mailbox), uidValidity: inbox.uidValidity };
  const unread = new Set(await inbox.search({}));
  const listed = await inbox.search({ from: 1 });
  const judge = judgeOf(mailbox, numbering, cursor, unread);
  const count: FolderCount = { inLedger: 0, waiting: 0, older: 0, missing: 0 };
  const suspects = new Map<number, string>();
  for (let start = 0; start < listed.length; start += PAGE) {
    const page = listed.slice(start, start + PAGE);
    const facts = new Map((await inbox.facts(page)).map((each) => [each.uid, each]));
    const known = await ledger.lookUp(mailbox.id, numbering, [...facts.values()]);
    for (const uid of page) {
      const told = facts.get(uid);
      const verdict = known.has(uid) ? 'inLedger' : judge(uid, told);
      if (verdict === 'missing') suspects.set(uid, told === undefined ? '' : fingerprintOf(told));
      else count[verdict] += 1;
    }
  }
  const elsewhere = await knownFingerprints(tables, mailbox.id, new Set(suspects.values()));
  const missing = [...suspects].flatMap(([uid, print]) => (elsewhere.has(print) ? [] : [uid]));
  count.inLedger += suspects.size - missing.length;
  count.missing = missing.length;
  return { count, missing };
}

/**
 * What a message is to Postroom that the ledger does not know at its place. Unread email is listed by every fetch, and so
 * is what stands above the cursor; what else is there should have been seen.
 * @param told undefined where the server lists the message and tells nothing of it
 */
export function judgeOf(
  { createdAt }: Pick<Mailbox, 'createdAt'>,
  { folderKey, uidValidity }: UidScope,
  cursor: Cursor | undefined,
  unread: ReadonlySet<number>,
): (uid: number, told: MessageMeta | undefined) => keyof FolderCount {
  const isOfFolder = cursor?.uidValidity === uidValidity && (cursor.folderKey ?? folderKey) === folderKey;
  const here = isOfFolder ? cursor : undefined;
  const waiting = new Set([...(here?.waiting ?? []), ...(here?.unfetched ?? []).map(({ uid }) => uid)]);
  const left = new Set((here?.left ?? []).map(({ uid }) => uid));
  return (uid, told) => {
    // It is listed as unimported.
    if (left.has(uid)) return 'inLedger';
    if (unread.has(uid) || waiting.has(uid) || uid > (here?.uid ?? Number.POSITIVE_INFINITY))
      return 'waiting';
    if (told !== undefined && told.receivedAt < createdAt) return 'older';
    return here === undefined && cursor === undefined ? 'waiting' : 'missing';
  };
}

/**
 * Which of these fingerprints the ledger knows at any place: after the server numbered its folder anew, and for email that
 * was moved here from another folder. Read only where something seems to be missing.
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
