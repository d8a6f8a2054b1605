import { randomBytes } from 'node:crypto';
import { PostroomError } from '../platform/errors.ts';
import { invertedTime } from '../platform/inverted-time.ts';
import { log } from '../platform/log.ts';
import type { Row, Table, Tables } from '../platform/tables.ts';
import { type Activity, type ActivityKind, activityKinds } from './activity.ts';

// Activity: `<kind>` such as `fetch` / `<inverted ms>|<random>`   newest first
// A page of one kind is one range of one partition, a page of all kinds is one range of each.
const DAYS_KEPT = 30;
/** Removed a day later than it is shown, so that a clock that is a day ahead takes nothing away. */
const DAYS_UNTIL_REMOVED = 31;
const DAY_MS = 86_400_000;
const MOST_REMOVED = 20_000;
const ROWS_AT_ONCE = 100;

export interface ActivityPage {
  entries: Activity[];
  /** Where the next page begins. */
  next: string | undefined;
}

export interface ActivityStore {
  /** Keeps what was done, one transaction a kind. Never rejects: what was done stays done without its row. */
  note(entries: readonly Activity[]): Promise<void>;
  /** Newest first. @param now milliseconds since the epoch */
  page(
    ask: { kind?: ActivityKind | undefined; after?: string | undefined; limit: number },
    now: number,
  ): Promise<ActivityPage>;
  /** Removes what is older than 30 days; gives the number of rows. Repeatable, and bounded a run. */
  forgetOld(now: number): Promise<number>;
}

/** What was done, a partition for each kind, newest first. A note that cannot be kept is logged and lost: the work goes on. */
export function createActivityStore(tables: Tables): ActivityStore {
  const table = tables.open('Activity');

  return {
    async note(entries) {
      const partitions = Map.groupBy(entries, ({ kind }) => kind);
      try {
        for (const [partitionKey, group] of partitions)
          for (let from = 0; from < group.length; from += ROWS_AT_ONCE)
            await table.commit(
              partitionKey,
              group
                .slice(from, from + ROWS_AT_ONCE)
                .map((entry) => ({ kind: 'insert', row: rowOf(partitionKey, entry) })),
            );
      } catch (error) {
        log.error('activity not kept', error, { entries: entries.length });
      }
    },
    async page({ kind, after, limit }, now) {
      const kinds = kind === undefined ? activityKinds : [kind];
      const range = { limit: limit + 1, to: keyBefore(now, DAYS_KEPT), ...(isKey(after) && { after }) };
      const rows = await Promise.all(kinds.map((one) => table.list(one, range)));
      const found = rows.flat().sort((a, b) => (a.rowKey < b.rowKey ? -1 : 1));
      return {
        entries: found.slice(0, limit).map(entryOf),
        next: found.length > limit ? found[limit - 1]?.rowKey : undefined,
      };
    },
    async forgetOld(now) {
      let removed = 0;
      for (const kind of activityKinds)
        removed += await removeFrom(table, kind, keyBefore(now, DAYS_UNTIL_REMOVED), MOST_REMOVED - removed);
      return removed;
    },
  };
}

/** The first row key of what is older than so many days. */
const keyBefore = (now: number, days: number): string =>
  invertedTime(new Date(now - days * DAY_MS).toISOString());

/** A position comes from an address: anything else begins at the newest. */
const isKey = (after: string | undefined): after is string =>
  after !== undefined && /^\d{14}\|[0-9a-f]{12}$/.test(after);

async function removeFrom(table: Table, partitionKey: string, from: string, most: number): Promise<number> {
  let removed = 0;
  while (removed < most) {
    const rows = await table.list(partitionKey, { from, limit: ROWS_AT_ONCE });
    if (rows.length === 0) break;
    const gone = await table.commit(
      partitionKey,
      rows.map(({ rowKey }) => ({ kind: 'remove', rowKey })),
    );
    // Somebody else removes the same rows: leave it to them.
    if (!gone.ok) break;
    removed += rows.length;
  }
  return removed;
}

function rowOf(partitionKey: string, entry: Activity): Row {
  const { at, aboutId, about, result, what, ms } = entry;
  return {
    partitionKey,
    rowKey: `${invertedTime(at)}|${randomBytes(6).toString('hex')}`,
    at,
    aboutId,
    about: about.slice(0, 320),
    result,
    what: what.slice(0, 1000),
    ms: ms === undefined ? undefined : Math.round(ms),
  };
}

function entryOf(row: Row): Activity {
  const text = (column: string): string => {
    const value = row[column];
    if (typeof value === 'string') return value;
    throw new PostroomError(
      'bad-row',
      `Activity/${row.rowKey}.${column} does not hold what Postroom wrote there`,
    );
  };
  const result = text('result');
  const ms = row['ms'];
  return {
    kind: activityKinds.find((kind) => row.partitionKey === kind) ?? 'fetch',
    at: text('at'),
    aboutId: text('aboutId'),
    about: text('about'),
    result: result === 'trying-again' || result === 'needs-person' ? result : 'done',
    what: text('what'),
    ms: typeof ms === 'number' ? ms : undefined,
  };
}
