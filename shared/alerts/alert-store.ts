import { openRecords } from '../platform/open-records.ts';
import { type Change, listAll, type Row, startingWith, type Tables } from '../platform/tables.ts';
import { readRows } from '../platform/unreadable-rows.ts';
import type { Alert } from './alert.ts';
import {
  OPEN,
  OUTGOING,
  openAlertKind,
  openRowKey,
  outgoingKind,
  PARTITION,
  PAST,
  pastAlertKind,
  SENT,
  sentKind,
} from './alert-records.ts';
import type { Decision } from './decide-alerts.ts';
import type { Delivery, Outgoing } from './notification.ts';

/** A pending notification and its row. */
export interface Waiting {
  outgoing: Outgoing;
  rowKey: string;
}

export interface AlertStore {
  /** Open alerts and pending notifications. */
  current(): Promise<{ open: Alert[]; waiting: Waiting[] }>;
  /**
   * Applies a decision and queues its notifications, in one transaction.
   * @returns false when another process changed this alert first; then nothing was written
   */
  apply(decision: Decision, outgoing: readonly Outgoing[], delivered?: readonly Sent[]): Promise<boolean>;
  /** Claims a notification for one attempt; undefined when another process has it. Until `dueAt`, no one else tries. */
  claim(waiting: Waiting, dueAt: string): Promise<Waiting | undefined>;
  recordDelivery(waiting: Waiting, delivery: Delivery): Promise<void>;
  /** Removes a pending notification without a channel; nothing is recorded. */
  drop(waiting: Waiting): Promise<void>;
  past(range: { after?: string | undefined; limit: number }): Promise<{
    alerts: Alert[];
    next: string | undefined;
  }>;
  deliveries(alertId: string): Promise<Delivery[]>;
}

/** A notification sent before there was a row for it. */
export interface Sent {
  notificationId: string;
  delivery: Delivery;
}

/** Alerts and their notifications, in the table `Alerts`. Its methods throw `table-storage` when storage is unavailable. */
export function createAlertStore(tables: Tables): AlertStore {
  const table = tables.open('Alerts');
  const pastAlerts = openRecords(tables, pastAlertKind);
  const sent = openRecords(tables, sentKind);
  const read = <T>(part: string, rows: readonly Row[], each: (row: Row) => T): T[] =>
    readRows(tables, { table: 'Alerts', partition: PARTITION, part }, rows, each);
  /**
   * Open rows that could not be read, with their ETags: if the same fault is found again, it replaces them.
   */
  let broken: ReadonlyMap<string, string> = new Map();

  return {
    async current() {
      const rows = await listAll(table, PARTITION, { from: OPEN, to: PAST });
      const openRows = rows.filter(({ rowKey }) => rowKey.startsWith(OPEN));
      const outgoingRows = rows.filter(({ rowKey }) => rowKey.startsWith(OUTGOING));
      const open = read(OPEN, openRows, (row): Alert => ({ ...openAlertKind.fromRow(row), etag: row.etag }));
      const readable = new Set(open.map(({ key }) => openRowKey(key)));
      broken = new Map(
        openRows.flatMap(({ rowKey, etag }) =>
          readable.has(rowKey) || etag === undefined ? [] : [[rowKey, etag]],
        ),
      );
      const waiting = read(OUTGOING, outgoingRows, (row) => ({
        outgoing: outgoingKind.fromRow(row),
        rowKey: row.rowKey,
      }));
      return { open, waiting };
    },
    async apply(decision, outgoing, delivered = []) {
      const changes = [
        ...changesOf(decision, broken),
        ...outgoing.map((one): Change => ({ kind: 'insert', row: outgoingKind.toRow(one) })),
        ...delivered.map((one): Change => ({ kind: 'put', row: sentRow(one) })),
      ];
      return (await table.commit(PARTITION, changes)).ok;
    },
    async claim({ outgoing, rowKey }, dueAt) {
      const taken = { ...outgoing, attempts: outgoing.attempts + 1, dueAt };
      const row = outgoingKind.toRow(taken);
      const done = await table.commit(PARTITION, [
        { kind: 'remove', rowKey },
        { kind: 'insert', row },
      ]);
      return done.ok ? { outgoing: taken, rowKey: row.rowKey } : undefined;
    },
    async recordDelivery({ outgoing, rowKey }, delivery) {
      await table.commit(PARTITION, [
        { kind: 'remove', rowKey },
        { kind: 'put', row: sentRow({ notificationId: outgoing.notification.id, delivery }) },
      ]);
    },
    async drop({ rowKey }) {
      await table.commit(PARTITION, [{ kind: 'remove', rowKey }]);
    },
    async past({ after, limit }) {
      const page = await pastAlerts.page([PARTITION], { ...startingWith(PAST), after, limit });
      return { alerts: page.records, next: page.next };
    },
    async deliveries(alertId) {
      const records = await sent.list(PARTITION, { prefix: `${SENT}${alertId}` });
      return records
        .map(({ notificationId: _, ...delivery }) => delivery)
        .sort((a, b) => (a.at < b.at ? -1 : 1));
    },
  };
}

function changesOf({ kind, alert }: Decision, broken: ReadonlyMap<string, string>): Change[] {
  const row = openAlertKind.toRow(alert);
  const { rowKey } = row;
  switch (kind) {
    case 'open': {
      const inPlaceOf = broken.get(rowKey);
      return [inPlaceOf === undefined ? { kind: 'insert', row } : { kind: 'replace', row, etag: inPlaceOf }];
    }
    case 'keep':
      return [{ kind: 'replace', row, etag: alert.etag ?? '' }];
    case 'close':
      // Inserted: of two that close the same occurrence, the second is refused as a whole, even if the fault is back by then.
      return [
        { kind: 'insert', row: pastAlertKind.toRow(alert) },
        { kind: 'remove', rowKey },
      ];
  }
}

const sentRow = ({ notificationId, delivery }: Sent): Row => sentKind.toRow({ notificationId, ...delivery });
