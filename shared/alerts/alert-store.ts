import { PostroomError } from '../platform/errors.ts';
import { type Change, listAll, type Row, startingWith, type Tables } from '../platform/tables.ts';
import { readRows } from '../platform/unreadable-rows.ts';
import type { Decision } from './decide-alerts.ts';
import { keyHash, type Alert } from './alert.ts';
import type { Delivery, Outgoing } from './notification.ts';

// Alerts:  `alert` / `open|<hash of the key>`                  what is wrong now: one row a fault, so that it opens once
//          `alert` / `outgoing|<due>|<notification>|<channel>`      not delivered yet; its key moves with each attempt
//          `alert` / `past|<id>`                               what is over; the id begins with the inverted opening
//          `alert` / `sent|<notification>|<channel>`                what was delivered or given up; a notification begins with the
//                                                               id of its alert
// One partition: an alert and its notifications change in one transaction. `open` and `outgoing` stand side by side,
// so that one query reads all that a monitor needs.
const PARTITION = 'alert';
const OPEN = 'open|';
const OUTGOING = 'outgoing|';
const PAST = 'past|';
const SENT = 'sent|';

/** A pending notification and its row. */
export interface Waiting {
  outgoing: Outgoing;
  rowKey: string;
}

export interface AlertStore {
  /** What is open, and what is on its way. */
  current(): Promise<{ open: Alert[]; waiting: Waiting[] }>;
  /**
   * Applies a decision and queues its notifications, in one transaction.
   * @returns false when another process changed this alert first; then nothing was written
   */
  apply(decision: Decision, outgoing: readonly Outgoing[], delivered?: readonly Sent[]): Promise<boolean>;
  /** Claims a notification for one attempt; undefined when another process has it. Until `dueAt`, no one else tries. */
  claim(waiting: Waiting, dueAt: string): Promise<Waiting | undefined>;
  recordDelivery(waiting: Waiting, delivery: Delivery): Promise<void>;
  /** Takes a notification off the list for which there is no channel; nothing is recorded of it. */
  drop(waiting: Waiting): Promise<void>;
  past(range: { after?: string | undefined; limit: number }): Promise<{
    alerts: Alert[];
    next: string | undefined;
  }>;
  deliveries(alertId: string): Promise<Delivery[]>;
}

/** A delivery that was made before there was a row for it. */
export interface Sent {
  notificationId: string;
  delivery: Delivery;
}

/** Alerts and their notifications, in the table `Alerts`. Its methods throw `table-storage` when storage is unavailable. */
export function createAlertStore(tables: Tables): AlertStore {
  const table = tables.open('Alerts');
  const read = <T>(part: string, rows: readonly Row[], each: (row: Row) => T): T[] =>
    readRows(tables, { table: 'Alerts', partition: PARTITION, part }, rows, each);
  /** Open rows that could not be read, with their ETags: the same fault, seen again, takes their place. */
  let broken: ReadonlyMap<string, string> = new Map();

  return {
    async current() {
      const rows = await listAll(table, PARTITION, { from: OPEN, to: PAST });
      const openRows = rows.filter(({ rowKey }) => rowKey.startsWith(OPEN));
      const outgoingRows = rows.filter(({ rowKey }) => rowKey.startsWith(OUTGOING));
      const open = read(OPEN, openRows, alertOf);
      const readable = new Set(open.map(({ key }) => `${OPEN}${keyHash(key)}`));
      broken = new Map(
        openRows.flatMap(({ rowKey, etag }) =>
          readable.has(rowKey) || etag === undefined ? [] : [[rowKey, etag]],
        ),
      );
      return { open, waiting: read(OUTGOING, outgoingRows, waitingOf) };
    },
    async apply(decision, outgoing, delivered = []) {
      const changes = [
        ...changesOf(decision, broken),
        ...outgoing.map((one): Change => ({ kind: 'insert', row: outgoingRow(one) })),
        ...delivered.map((one): Change => ({ kind: 'put', row: sentRow(one) })),
      ];
      return (await table.commit(PARTITION, changes)).ok;
    },
    async claim({ outgoing, rowKey }, dueAt) {
      const taken = { ...outgoing, attempts: outgoing.attempts + 1, dueAt };
      const row = outgoingRow(taken);
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
      const range = { ...startingWith(PAST), ...(after !== undefined && { after }), limit: limit + 1 };
      const rows = await table.list(PARTITION, range);
      const shown = rows.slice(0, limit);
      return {
        alerts: read(PAST, shown, alertOf),
        next: rows.length > limit ? shown.at(-1)?.rowKey : undefined,
      };
    },
    async deliveries(alertId) {
      const rows = await listAll(table, PARTITION, startingWith(`${SENT}${alertId}`));
      return rows.map((row) => contentOf<Delivery>(row)).sort((a, b) => (a.at < b.at ? -1 : 1));
    },
  };
}

function changesOf({ kind, alert }: Decision, broken: ReadonlyMap<string, string>): Change[] {
  const { etag = '', ...value } = alert;
  const rowKey = `${OPEN}${keyHash(alert.key)}`;
  const row = { partitionKey: PARTITION, rowKey, json: JSON.stringify(value) };
  switch (kind) {
    case 'open': {
      const inPlaceOf = broken.get(rowKey);
      return [inPlaceOf === undefined ? { kind: 'insert', row } : { kind: 'replace', row, etag: inPlaceOf }];
    }
    case 'keep':
      return [{ kind: 'replace', row, etag }];
    case 'close':
      // Inserted: of two that close the same occurrence, the second is refused as a whole, even if the fault is back by then.
      return [
        { kind: 'insert', row: { ...row, rowKey: `${PAST}${alert.id}` } },
        { kind: 'remove', rowKey },
      ];
  }
}

function outgoingRow(outgoing: Outgoing): Row {
  const { notification, channel, dueAt } = outgoing;
  const rowKey = `${OUTGOING}${dueAt}|${notification.id}|${channel}`;
  return { partitionKey: PARTITION, rowKey, json: JSON.stringify(outgoing) };
}

const sentRow = ({ notificationId, delivery }: Sent): Row => ({
  partitionKey: PARTITION,
  rowKey: `${SENT}${notificationId}|${delivery.channel}`,
  json: JSON.stringify(delivery),
});

function alertOf(row: Row): Alert {
  const alert = contentOf<Alert>(row);
  const { id, key, held, openedAt, notifiedAt } = alert;
  const isWhole = [id, key, openedAt, notifiedAt].every((one: unknown) => typeof one === 'string');
  if (!isWhole || typeof held !== 'object' || held === null || Object.keys(held).length === 0)
    throw notOurs(row);
  return { ...alert, etag: row.etag };
}

function waitingOf(row: Row): Waiting {
  const outgoing = contentOf<Outgoing>(row);
  if (typeof outgoing.notification?.finding !== 'object' || typeof outgoing.dueAt !== 'string')
    throw notOurs(row);
  return { outgoing, rowKey: row.rowKey };
}

const notOurs = (row: Row): PostroomError =>
  new PostroomError('bad-row', `AlertService/${row.rowKey} does not hold what Postroom wrote there`);

function contentOf<T>(row: Row): T {
  const json = row['json'];
  const content: unknown = typeof json === 'string' ? JSON.parse(json) : undefined;
  if (typeof content !== 'object' || content === null) throw notOurs(row);
  return content as T;
}
