import { flag, optional, recordKind, text, time } from '../platform/records.ts';

/** An admin's permission to rotate a provider's client secrets automatically, and its last result. */
export interface Rotation {
  providerId: string;
  enabled: boolean;
  changedAt: string;
  changedBy: string;
  /** ISO time of the last attempt to create a secret. */
  rotatedAt: string | undefined;
  /** True when the app registration may contain secrets that Postroom created and no longer uses. */
  leftover: boolean;
  /** Why the last attempt failed, in a sentence for a person. */
  problem: string | undefined;
}

// Table Providers, PartitionKey `rotation`, RowKey provider ID: written when an admin turns rotation on.
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
