import { flag, optional, recordKind, text, time } from '../platform/records.ts';

/** That an admin lets Postroom make the client secrets of a provider by itself, and how that went. */
export interface Rotation {
  providerId: string;
  enabled: boolean;
  changedAt: string;
  changedBy: string;
  /** ISO time of the last try to make a secret. */
  rotatedAt: string | undefined;
  /** There may be secrets in the app registration that Postroom made and no longer uses. */
  leftover: boolean;
  /** Why the last try came to nothing, in a sentence for a person. */
  problem: string | undefined;
}

// Table Providers, PartitionKey `rotation`, RowKey provider id: written where an admin switched rotation on.
export const ROTATIONS = 'rotation';
export const rotationKind = recordKind<Rotation>()({
  table: 'Providers',
  version: 1,
  keysOf: ({ providerId }) => ({ partitionKey: ROTATIONS, rowKey: providerId }),
  fromKeys: ({ rowKey }) => ({ providerId: rowKey }),
  columns: {
    enabled: flag,
    changedAt: time,
    changedBy: text,
    rotatedAt: optional(time),
    leftover: flag,
    problem: optional(text),
  },
});
