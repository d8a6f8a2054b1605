import { randomBytes } from 'node:crypto';
import { PostroomError } from '../platform/errors.ts';
import { invertedTime } from '../platform/inverted-time.ts';
import { log } from '../platform/log.ts';
import type { Row, Table, Tables } from '../platform/tables.ts';
import { type Activity, type ActivityKind, activityKinds } from './activity.ts';

// Activity: `<kind>|<day>` such as `fetch|2026-11-24` / `<inverted ms>|<random>`   newest first within a day
// Kept for 30 days: a day is a partition, so that what is old is found without a search.
const DAYS_KEPT = 30;
/** How far back old days are looked for, so that none stays when the daily run was missed for a while. */
const DAYS_SWEPT = 45;
const DAY_MS = 86_400_000;
const MOST_REMOVED = 20_000;
const ROWS_AT_ONCE = 100;

export interface ActivityPage {
  entries: Activity[];
  /** Where the next page begins. */
  next: string | undefined;
}

export interface ActivityStore {
  /** Keeps what was done, one transaction a kind and day. Never rejects: what was done stays done without its row. */
  note(entries: readonly Activity[]): Promise<void>;
  /** Newest first. @param now milliseconds since the epoch */
  page(
    ask: { kind?: ActivityKind | undefined; after?: string | undefined; limit: number },
    now: number,
  ): Promise<ActivityPage>;
  /** Removes what is older than 30 days; gives the number of rows. Repeatable, and bounded a run. */
  forgetOld(now: number): Promise<number>;
}

/** What was done, a partition for each kind and day, newest first. A note that cannot be kept is logged and lost: the work goes on. */
export function createActivityStore(tables: Tables): ActivityStore {
  const table = tables.open('Activity');

  return {
    async note(entries) {
      const partitions = Map.groupBy(entries, ({ kind, at }) => `${kind}|${at.slice(0, 10)}`);
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
      const [firstDay, afterKey] = positionOf(after, now);
      const found: Row[] = [];
      for (let day = firstDay; day > now - DAYS_KEPT * DAY_MS && found.length <= limit; day -= DAY_MS) {
        const range = { limit: limit + 1 - found.length, ...(day === firstDay && afterKey) };
        const rows = await Promise.all(kinds.map((one) => table.list(`${one}|${dayOf(day)}`, range)));
        found.push(...rows.flat().sort((a, b) => (a.rowKey < b.rowKey ? -1 : 1)));
      }
      const shown = found.slice(0, limit);
      const last = shown.at(-1);
      return {
        entries: shown.map(entryOf),
        next: found.length > limit && last ? `${last.partitionKey.split('|')[1]}|${last.rowKey}` : undefined,
      };
    },
    async forgetOld(now) {
      let removed = 0;
      for (let days = DAYS_KEPT + 1; days <= DAYS_SWEPT; days += 1)
        for (const kind of activityKinds)
          if (removed < MOST_REMOVED)
            removed += await empty(table, `${kind}|${dayOf(now - days * DAY_MS)}`, MOST_REMOVED - removed);
      return removed;
    },
  };
}

const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

/** A position comes from an address: what is not one of ours begins at the newest. */
function positionOf(
  after: string | undefined,
  now: number,
): [day: number, range: { after: string } | undefined] {
  const [, day, key] = /^(\d{4}-\d{2}-\d{2})\|(\d{14}\|[0-9a-f]{12})$/.exec(after ?? '') ?? [];
  const time = day === undefined ? Number.NaN : Date.parse(`${day}T23:59:59.999Z`);
  if (Number.isNaN(time) || key === undefined) return [Date.parse(`${dayOf(now)}T23:59:59.999Z`), undefined];
  return [time, { after: key }];
}

async function empty(table: Table, partitionKey: string, most: number): Promise<number> {
  let removed = 0;
  while (removed < most) {
    const rows = await table.list(partitionKey, { limit: ROWS_AT_ONCE });
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
    kind: activityKinds.find((kind) => row.partitionKey.startsWith(`${kind}|`)) ?? 'fetch',
    at: text('at'),
    aboutId: text('aboutId'),
    about: text('about'),
    result: result === 'trying-again' || result === 'needs-person' ? result : 'done',
    what: text('what'),
    ms: typeof ms === 'number' ? ms : undefined,
  };
}
