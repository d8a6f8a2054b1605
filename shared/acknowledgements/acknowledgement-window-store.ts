import { createHash } from 'node:crypto';
import { z } from 'zod';
import { PostroomError } from '../platform/errors.ts';
import { converted, json, recordKind } from '../platform/records.ts';
import type { Change, Row, Table, Tables } from '../platform/tables.ts';
import { readRows } from '../platform/unreadable-rows.ts';
import {
  type AcknowledgementRequest,
  type Counted,
  openWindows,
  type SenderCount,
  type WindowCounts,
  type WindowVerdict,
} from './acknowledgement-windows.ts';

// Table Ledger, in the partition of the mailbox:
//   mailboxId / `ack|<hash of the address>`   acknowledgements to an address within a day
//   mailboxId / `ack|all`                     acknowledgements of the mailbox within an hour
// One partition, so that both windows are counted in one transaction.

interface CountRecord extends SenderCount {
  mailboxId: string;
  /** Row key. */
  name: string;
}

/** 16 hex digits of a content key tell the messages of a day apart, and 200 of them fit a column. */
const KEY_DIGITS = 16;
const counted = converted<[string, number][], readonly Counted[]>(
  json(z.array(z.tuple([z.string(), z.number()]))),
  {
    read: (stored) => stored,
    write: (value) => value.map(([key, at]) => [key, at]),
  },
);

const countKind = recordKind<CountRecord>()({
  table: 'Ledger',
  version: 1,
  keysOf: ({ mailboxId, name }) => ({ partitionKey: mailboxId, rowKey: name }),
  fromKeys: ({ partitionKey, rowKey }) => ({ mailboxId: partitionKey, name: rowKey }),
  columns: { sent: counted, refused: counted },
});

const ALL = 'ack|all';
const nameOf = (address: string): string =>
  `ack|${createHash('sha256').update(address).digest('hex').slice(0, 32)}`;

/** A transaction takes 100 rows: one for the mailbox, one for each address. */
const MAX_REQUESTS = 90;
const MAX_TRIES = 10;

/**
 * Counts acknowledgements before they are written, for all instances, and returns which may be sent. Counts a
 * message once, however often it is asked for. Costs a read for each address and one transaction; nothing without
 * requests.
 * @param requests of one batch, in order
 * @param now milliseconds since the epoch
 * @returns verdicts by the key of the message
 * @throws PostroomError when storage is unavailable, or when other instances win ten times
 */
export async function reserveAcknowledgements(
  tables: Tables,
  mailboxId: string,
  requests: readonly AcknowledgementRequest[],
  now: number,
): Promise<Map<string, WindowVerdict>> {
  const verdicts = new Map<string, WindowVerdict>();
  for (let start = 0; start < requests.length; start += MAX_REQUESTS) {
    const asked = requests.slice(start, start + MAX_REQUESTS);
    const decided = await reserve(tables, mailboxId, asked.map(shortened), now);
    for (const { key } of asked) {
      const verdict = decided.get(key.slice(0, KEY_DIGITS));
      if (verdict !== undefined) verdicts.set(key, verdict);
    }
  }
  return verdicts;
}

/** `kim+1@` and `kim+2@` are one sender: a program that numbers its addresses would get one each. */
const shortened = ({ key, to }: AcknowledgementRequest): AcknowledgementRequest => ({
  key: key.slice(0, KEY_DIGITS),
  to: to.toLowerCase().replace(/(?<=[^+])\+[^@]*@/, '@'),
});

async function reserve(
  tables: Tables,
  mailboxId: string,
  requests: readonly AcknowledgementRequest[],
  now: number,
): Promise<Map<string, WindowVerdict>> {
  const table = tables.open('Ledger');
  const addresses = [...new Set(requests.map(({ to }) => to))];
  for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
    const names = [ALL, ...addresses.map(nameOf)];
    const rows = await Promise.all(names.map((name) => table.get(mailboxId, name)));
    const stored = names.map((name, index) => read(tables, mailboxId, name, rows[index]));
    const before: WindowCounts = {
      mailbox: stored[0]?.sent ?? [],
      senders: new Map(
        addresses.flatMap((address, index) => {
          const count = stored[index + 1];
          return count === undefined ? [] : [[address, count] as const];
        }),
      ),
    };
    const { verdicts, counts } = openWindows(requests, before, now);
    const changes = [
      changeOf({ mailboxId, name: ALL, sent: counts.mailbox, refused: [] }, rows[0]),
      ...addresses.map((address, index) =>
        changeOf(
          { mailboxId, name: nameOf(address), ...(counts.senders.get(address) ?? { sent: [], refused: [] }) },
          rows[index + 1],
        ),
      ),
    ];
    if (await commit(table, mailboxId, changes)) return verdicts;
  }
  throw new PostroomError('ledger-busy', 'Other instances counted the same acknowledgements ten times.');
}

/** A row that can't be read is reported, and counts as empty. */
const read = (
  tables: Tables,
  partition: string,
  part: string,
  row: Row | undefined,
): SenderCount | undefined =>
  readRows(
    tables,
    { table: 'Ledger', partition, part },
    row === undefined ? [] : [row],
    countKind.fromRow,
  )[0];

const changeOf = (record: CountRecord, before: Row | undefined): Change =>
  before === undefined
    ? { kind: 'insert', row: countKind.toRow(record) }
    : { kind: 'replace', row: countKind.toRow(record), etag: before.etag ?? '' };

const commit = async (table: Table, partition: string, changes: readonly Change[]): Promise<boolean> =>
  (await table.commit(partition, changes)).ok;
