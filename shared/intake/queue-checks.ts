import type { Mailbox } from '../mailboxes/mailbox.ts';
import type { FetchState, MailboxStore } from '../mailboxes/mailbox-store.ts';
import type { Queues } from '../platform/queues.ts';
import type { Seam } from '../platform/seam.ts';
import type { Tables } from '../platform/tables.ts';
import { queueTasks } from './fetch-again.ts';
import { createReconciliationStore, type FolderCheck, type RecoveredMail } from './reconciliation-records.ts';

const DAY_MS = 86_400_000;
/** A check that has not ended by then has died and is queued again. */
const EXPIRED_MS = 15 * 60_000;
/** With a thousand mailboxes, each has its turn within four hours. */
const AT_ONCE = 5;

/**
 * Mailboxes whose folder is due for a check: once a day, and after an outage. A mailbox that was never
 * fetched, or cannot be fetched now, has nothing to compare. Pure.
 * @param now milliseconds since the epoch
 */
export function mailboxesToCheck(
  all: readonly Mailbox[],
  { cursors, failing }: Pick<FetchState, 'cursors' | 'failing'>,
  {
    checks,
    recovered,
  }: { checks: ReadonlyMap<string, FolderCheck>; recovered: ReadonlyMap<string, RecoveredMail> },
  now: number,
): string[] {
  const isDue = ({ id, enabled }: Mailbox): boolean => {
    if (!enabled || !cursors.has(id) || failing.has(id)) return false;
    const check = checks.get(id);
    if (check === undefined) return true;
    const checkedAt = check.checkedAt ?? '';
    if (now - Date.parse(check.startedAt) < EXPIRED_MS) return false;
    const isOld = checkedAt === '' || now - Date.parse(checkedAt) >= DAY_MS;
    return isOld || (recovered.get(id)?.until ?? '') > checkedAt;
  };
  return all
    .filter(isDue)
    .map(({ id }) => id)
    .slice(0, AT_ONCE);
}

/**
 * Queues the folder checks that are due, for each minute's monitor.
 * @throws PostroomError if storage is unavailable
 */
export async function queueChecks(deps: {
  mailboxes: Pick<MailboxStore, 'list' | 'fetchState'>;
  queues: Pick<Queues, 'send'>;
  seam: Pick<Seam, 'now'>;
  tables: Tables;
}): Promise<void> {
  const [all, state, known] = await Promise.all([
    deps.mailboxes.list(),
    deps.mailboxes.fetchState(),
    createReconciliationStore(deps.tables).all(),
  ]);
  const due = mailboxesToCheck(all, state, known, deps.seam.now());
  // One message, so that they wait for their servers in one execution.
  if (due.length > 0) await queueTasks(deps.queues, due, { kind: 'check' });
}
