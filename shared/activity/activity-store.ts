import { randomBytes } from 'node:crypto';
import { log } from '../platform/log.ts';
import { openRecords } from '../platform/open-records.ts';
import type { Change, Table, Tables } from '../platform/tables.ts';
import { type Activity, type ActivityKind, activityKinds } from './activity.ts';
import { activityKind, isActivityKey, keyFrom } from './activity-records.ts';

const DAYS_KEPT = 30;
/** Removed a day later than shown, so that a clock that is a day ahead deletes nothing early. */
const DAYS_UNTIL_REMOVED = 31;
const DAY_MS = 86_400_000;
const MAX_REMOVED = 20_000;
const ROWS_AT_ONCE = 100;

export interface ActivityPage {
  entries: Activity[];
  /** The start of the next page. */
  next: string | undefined;
}

export interface ActivityStore {
  /** Records activities, one transaction per kind. Never rejects: a missing row must not undo the work. */
  note(entries: readonly Activity[]): Promise<void>;
  /** Newest first. @param now milliseconds since the epoch */
  page(
    ask: { kind?: ActivityKind | undefined; after?: string | undefined; limit: number },
    now: number,
  ): Promise<ActivityPage>;
  /** Removes activities older than 30 days and returns their number. Repeatable; limited per run. */
  forgetOld(now: number): Promise<number>;
}

/**
 * Activities, one partition per kind, newest first. A row that can't be written is only logged: the work
 * continues.
 */
export function createActivityStore(tables: Tables): ActivityStore {
  const table = tables.open('Activity');
  const activities = openRecords(tables, activityKind);

  return {
    async note(entries) {
      const partitions = Map.groupBy(entries, ({ kind }) => kind);
      try {
        for (const [partitionKey, group] of partitions)
          for (let from = 0; from < group.length; from += ROWS_AT_ONCE)
            await table.commit(partitionKey, group.slice(from, from + ROWS_AT_ONCE).map(insertOf));
      } catch (error) {
        log.error('activity not kept', error, { entries: entries.length });
      }
    },
    async page({ kind, after, limit }, now) {
      const kinds = kind === undefined ? activityKinds : [kind];
      // The position comes from a URL: anything invalid starts at the newest.
      const position = after !== undefined && isActivityKey(after) ? { after } : {};
      const { records, next } = await activities.page(kinds, {
        ...position,
        to: keyBefore(now, DAYS_KEPT),
        limit,
      });
      return { entries: records.map(({ id: _, ...entry }) => entry), next };
    },
    async forgetOld(now) {
      let removed = 0;
      for (const kind of activityKinds)
        removed += await removeFrom(table, kind, keyBefore(now, DAYS_UNTIL_REMOVED), MAX_REMOVED - removed);
      return removed;
    },
  };
}

/** The first row key of activities older than this many days. */
const keyBefore = (now: number, days: number): string => keyFrom(new Date(now - days * DAY_MS).toISOString());

function insertOf({ ms, ...entry }: Activity): Change {
  const record = {
    ...entry,
    ms: ms === undefined ? undefined : Math.round(ms),
    id: randomBytes(6).toString('hex'),
  };
  return { kind: 'insert', row: activityKind.toRow(record) };
}

async function removeFrom(table: Table, partitionKey: string, from: string, most: number): Promise<number> {
  let removed = 0;
  while (removed < most) {
    const rows = await table.list(partitionKey, { from, limit: ROWS_AT_ONCE });
    if (rows.length === 0) break;
    const gone = await table.commit(
      partitionKey,
      rows.map(({ rowKey }) => ({ kind: 'remove', rowKey })),
    );
    // Another process is removing the same rows.
    if (!gone.ok) break;
    removed += rows.length;
  }
  return removed;
}
