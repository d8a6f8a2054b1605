import { invertedTime } from '../platform/inverted-time.ts';
import { oneOf, optional, recordKind, shortText, text, time, whole } from '../platform/records.ts';
import { type Activity, activityKinds, activityResults } from './activity.ts';

// Activity: `<kind>` such as `fetch` / `<inverted ms>|<random>`   newest first
// A page of one kind is one range of one partition, a page of all kinds is one range of each.

/** An activity with a random part, for several in the same millisecond. */
export interface ActivityRecord extends Activity {
  /** Random, 12 hex digits. */
  id: string;
}

export const activityKind = recordKind<ActivityRecord>()({
  table: 'Activity',
  version: 1,
  keysOf: ({ kind, at, id }) => ({ partitionKey: kind, rowKey: `${invertedTime(at)}|${id}` }),
  fromKeys: ({ rowKey }) => ({ id: rowKey.slice(rowKey.indexOf('|') + 1) }),
  columns: {
    kind: oneOf(...activityKinds),
    at: time,
    aboutId: text,
    about: shortText(320),
    result: oneOf(...activityResults),
    what: shortText(1000),
    ms: optional(whole),
  },
});

/**
 * The first row key of activities this old or older.
 * @param at ISO time
 */
export const keyFrom = (at: string): string => invertedTime(at);

/** True when a text has the form of a row key. */
export const isActivityKey = (key: string): boolean => /^\d{14}\|[0-9a-f]{12}$/.test(key);
