import { recordKind, time } from '../platform/records.ts';
import type { Heartbeat } from './heartbeat.ts';

/** A heartbeat and its timer. */
export interface TimerHeartbeat extends Heartbeat {
  /** A timer of this version, or one of another version. */
  timer: string;
}

// Table Alerts, PartitionKey `heartbeat`, RowKey name of the timer: its last sign of life; at most one write in four
// minutes for each timer, however many mailboxes there are.
export const HEARTBEATS = 'heartbeat';
export const heartbeatKind = recordKind<TimerHeartbeat>()({
  table: 'Alerts',
  version: 1,
  keysOf: ({ timer }) => ({ partitionKey: HEARTBEATS, rowKey: timer }),
  fromKeys: ({ rowKey }) => ({ timer: rowKey }),
  columns: { at: time, since: time },
});
