import { setTimeout as pause } from 'node:timers/promises';
import type { Cursor } from '../mailboxes/cursor.ts';
import type { Mailbox } from '../mailboxes/mailbox.ts';
import { type MessageRef, messageRef, sortedRefs } from '../mailboxes/message-ref.ts';
import { openRecords } from '../platform/open-records.ts';
import type { Queues } from '../platform/queues.ts';
import { activityOf, countOf } from './fetch-activity.ts';
import { type FetchResult, fetchMailbox } from './fetch-mailbox.ts';
import { fetchShard, type ShardDeps } from './fetch-shard.ts';
import { placesOfRef } from './ledger.ts';
import { placeKind } from './ledger-records.ts';
import { type Handled, partsOfEntryKey } from './quarantine-records.ts';
import { type Shard, shardOf } from './queue-due-mailboxes.ts';
import { reconcileFolder } from './reconcile-folder.ts';

/** A task that a queue message requests besides an ordinary fetch. */
export type FetchTask =
  /** Compares the folder with the ledger. */
  | { kind: 'check' }
  /** Compares them, and fetches what is missing. */
  | { kind: 'fetch-missing' }
  /**
   * Requests messages again that the server did not deliver. @param by name of the person who asked for it
   */
  | { kind: 'again'; refs: string[]; by: string }
  /** The mail server has announced new email, or is expected to have some. `tries`: runs that found another one at work; absent: none. */
  | { kind: 'new-mail'; tries?: number | undefined };

/** A task about the subscription of a mailbox (shared/push), on the same queue. */
export interface PushTask {
  kind: 'keep-push';
  event: 'reauthorizationRequired' | 'subscriptionRemoved';
}

const TTL_SECONDS = 3600;
const TIME_BOX_MS = 4 * 60_000;
/** Another run may have the lease on the mailbox; it ends within minutes. */
const TRIES = 20;
const PAUSE_MS = 3_000;
const BUSY_SECONDS = 5;
/** A cursor's row has room for this many messages besides those already waiting. */
const AT_ONCE = 500;

/**
 * Queues a task for one mailbox.
 * @param delaySeconds it starts no earlier; a whole number
 */
export const queueTask = (
  queues: Pick<Queues, 'send'>,
  mailboxId: string,
  task: FetchTask | PushTask,
  delaySeconds = 0,
): Promise<void> => queueTasks(queues, [mailboxId], task, delaySeconds);

/** The same task for several mailboxes, in one message. */
export const queueTasks = (
  queues: Pick<Queues, 'send'>,
  mailboxIds: string[],
  task: FetchTask | PushTask,
  delaySeconds = 0,
): Promise<void> =>
  queues.send(
    'fetch-shard',
    { shard: 0, mailboxIds, task } satisfies Shard & { task: FetchTask | PushTask },
    TTL_SECONDS,
    delaySeconds,
  );

/**
 * Runs the task of a queue message for one mailbox. Idempotent.
 * @throws PostroomError if storage is unavailable: the Functions host delivers the message again
 */
export async function runTask(deps: ShardDeps, mailboxId: string, task: FetchTask): Promise<void> {
  if (task.kind === 'new-mail') return fetchAnnounced(deps, mailboxId, task.tries ?? 0);
  const mailbox = await deps.mailboxes.get(mailboxId);
  if (mailbox === undefined) return;
  if (task.kind === 'again') {
    const refs = task.refs.map(messageRef);
    await fetchAgain(deps, mailbox, refs);
    await closeEntriesOf(deps, mailbox, refs, task.by);
    return;
  }
  const finding = await reconcileFolder(deps, mailbox);
  if (task.kind === 'check' || finding === undefined || finding.missing.length === 0) return;
  await fetchAgain(deps, mailbox, finding.missing.slice(0, AT_ONCE));
  await reconcileFolder(deps, mailbox);
}

/**
 * Fetches a mailbox at once, whatever its interval. If another run is at work, it may have listed the folder
 * before the email arrived: the fetch is repeated once that run may have ended.
 */
async function fetchAnnounced(deps: ShardDeps, mailboxId: string, tries: number): Promise<void> {
  const shard = shardOf(await deps.mailboxes.list(), mailboxId);
  if (shard === undefined) return;
  const results = await fetchShard(deps, { ...shard, isAnnounced: true });
  if (results.get(mailboxId)?.kind !== 'busy' || tries >= TRIES || deps.queues === undefined) return;
  await queueTask(deps.queues, mailboxId, { kind: 'new-mail', tries: tries + 1 }, BUSY_SECONDS);
}

/**
 * Fetches, and also requests these messages whether or not they are read. Records the result as an activity.
 */
async function fetchAgain(
  deps: ShardDeps,
  mailbox: Mailbox,
  refs: readonly MessageRef[],
): Promise<FetchResult> {
  for (let attempt = 1; ; attempt += 1) {
    const began = deps.seam.now();
    const { cursors } = await deps.mailboxes.fetchState();
    const cursor = cursors.get(mailbox.id);
    const asking = cursor && askingAgain(cursor, refs);
    const result = await fetchMailbox(deps, mailbox, asking, { deadline: began + TIME_BOX_MS });
    if (result.kind === 'busy' && attempt < TRIES) {
      await pause(PAUSE_MS);
      continue;
    }
    const now = deps.seam.now();
    const activity = activityOf(mailbox, result, undefined, now, now - began);
    const found = result.kind === 'fetched' ? countOf(result).emails : 0;
    if (activity !== undefined)
      await deps.activity.note([
        found === 0
          ? activity
          : {
              ...activity,
              what: `${found === 1 ? '1 missing email' : `${found} missing emails`} recovered: ${activity.what}`,
            },
      ]);
    return result;
  }
}

/** A cursor whose next fetch requests these messages as if they were new. Pure. */
export function askingAgain(cursor: Cursor, refs: readonly MessageRef[]): Cursor {
  const wanted = new Set(refs);
  const isOther = ({ ref }: { ref: MessageRef }): boolean => !wanted.has(ref);
  return {
    ...cursor,
    left: cursor.left.filter(isOther),
    unfetched: (cursor.unfetched ?? []).filter(isOther),
    waiting: sortedRefs(new Set([...cursor.waiting, ...refs])),
  };
}

/** Closes the entries of messages that the server did not deliver before and has delivered now. */
async function closeEntriesOf(
  { tables, ledger, quarantine, mailboxes, seam }: ShardDeps,
  { id: mailboxId }: Mailbox,
  refs: readonly MessageRef[],
  by: string,
): Promise<void> {
  const cursor = (await mailboxes.fetchState()).cursors.get(mailboxId);
  if (cursor?.folderKey === undefined) return;
  const scope = { folderKey: cursor.folderKey, validity: cursor.validity };
  const waiting = (await quarantine.open(1000)).filter((each) => each.mailboxId === mailboxId);
  for (const ref of refs) {
    const prefix = placesOfRef(scope, ref);
    const [place] = await openRecords(tables, placeKind).list(mailboxId, { prefix });
    if (place === undefined) continue;
    const mail = (await ledger.emails(mailboxId, [place.key])).get(place.key);
    if (mail?.state !== 'done') continue;
    const { ticketId, number } = mail.decision ?? {};
    const at = new Date(seam.now()).toISOString();
    const handled: Handled =
      ticketId === undefined || number === undefined
        ? // It now has its own entry, with its original.
          { outcome: 'dismissed', at, by }
        : { outcome: 'imported', at, by, ticket: { id: ticketId, number } };
    for (const { key } of waiting) {
      const parts = partsOfEntryKey(key);
      if (!parts.place.startsWith(prefix) || parts.contentKey === place.key) continue;
      const entry = await quarantine.get(mailboxId, key);
      if (entry !== undefined) await quarantine.markHandled(entry, handled);
    }
  }
}
