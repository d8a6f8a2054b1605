import type { Activity } from '../activity/activity.ts';
import { type MailHour, withMails } from '../mailboxes/mail-hours.ts';
import type { FetchState } from '../mailboxes/mailbox-store.ts';
import { isFromFuture } from '../platform/trusted-time.ts';
import type { FetchResult } from './fetch-mailbox.ts';
import type { ShardDeps } from './fetch-shard.ts';

/** While slow mailboxes delay a run, the results of the others are saved at this interval. */
export const SAVE_MS = 30_000;

/** The result of one fetch of a shard's run. */
export interface Fetched {
  mailboxId: string;
  /** Undefined: storage was unavailable. */
  result: FetchResult | undefined;
  /** ISO time at which it ended; absent if it failed. */
  workedAt?: string;
  /** Absent if nothing worth a row was done. */
  activity?: Activity | undefined;
  /** Counts of the imported emails. */
  counted?: Omit<MailHour, 'hour'>;
}

/**
 * Saves the results since the last save: one write of the shard's row, and one row per activity. Another run
 * may have written the shard's row if this one was slow; then it is read again first, as without `atFirst`.
 */
export function shardSaver(
  deps: Pick<ShardDeps, 'seam' | 'mailboxes' | 'activity'>,
  shard: number,
  existing: ReadonlySet<string>,
  atFirst: FetchState | undefined,
  done: readonly Fetched[],
): () => Promise<void> {
  const began = deps.seam.now();
  let saved = 0;
  let noted = 0;
  return async () => {
    const now = [...done];
    const [unsaved, activities] = [
      now.slice(saved),
      now.slice(noted).flatMap(({ activity }) => activity ?? []),
    ];
    // Set before the write, which never throws, so that no activity is recorded twice.
    noted = now.length;
    await Promise.all([
      unsaved.some(({ workedAt }) => workedAt !== undefined) ? saveRow(unsaved) : undefined,
      deps.activity.note(activities),
    ]);
    saved = now.length;
  };

  async function saveRow(unsaved: readonly Fetched[]): Promise<void> {
    const slow = deps.seam.now() - began >= SAVE_MS;
    const known = slow ? undefined : atFirst;
    const { shards, hours } = known ?? (await deps.mailboxes.fetchState());
    const successes = new Map([...(shards.get(shard) ?? [])].filter(([id]) => existing.has(id)));
    const now = deps.seam.now();
    for (const { mailboxId, workedAt = '' } of unsaved) {
      const before = successes.get(mailboxId) ?? '';
      if (workedAt > before || isFromFuture(before, now)) successes.set(mailboxId, workedAt);
    }
    const counted = withMails(hours.get(shard) ?? [], sumOf(unsaved), now);
    await deps.mailboxes.saveSuccesses(shard, successes, counted);
  }
}

function sumOf(results: readonly Fetched[]): Omit<MailHour, 'hour'> {
  const sum = { emails: 0, quarantined: 0 };
  for (const { counted } of results) {
    sum.emails += counted?.emails ?? 0;
    sum.quarantined += counted?.quarantined ?? 0;
  }
  return sum;
}
