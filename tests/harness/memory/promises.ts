import { isDeepStrictEqual } from 'node:util';
import type { Row, TableName } from '../../../shared/platform/tables.ts';
import { tableNames } from '../../../shared/platform/tables.ts';
import { messageIdHash } from '../../../shared/tickets/message-id-records.ts';
import type { MemoryBlobs } from './memory-blobs.ts';
import type { FolderMail, MemoryFolder } from './memory-inbox.ts';
import type { MemoryTables } from './memory-tables.ts';
import { keyOf, type TinyMail } from './tiny-mails.ts';

/** The state that the promises are about. */
export interface Witness {
  folder: MemoryFolder;
  tables: MemoryTables;
  blobs: MemoryBlobs;
  /** By content key. */
  names: ReadonlyMap<string, string>;
  mails: readonly (TinyMail & { receivedAt: string })[];
  /** Whether the server shows in the end that an email was imported. */
  isToBeSettled(mail: FolderMail): boolean;
}

const BLOB_COLUMNS = ['rawBlob', 'textBlob', 'htmlBlob', 'manifestBlob', 'blob'];
const text = (row: Row, column: string): string => String(row[column] ?? '');
const isMessage = ({ rowKey }: Row): boolean => rowKey.startsWith('m|');
/** `<inverted time>|<content key>|<place>` */
const keyOfEntry = ({ rowKey }: Row): string => rowKey.split('|')[1] ?? '';
const isCopy = (row: Row): boolean => text(row, 'reason').startsWith('copy of');

/** Promises that hold after every single operation: P2 and P3. */
export function violationsNow({ folder, tables, blobs, names }: Witness): string[] {
  const violations: string[] = [];
  const messages = tables.dump('Tickets');
  const entries = tables.dump('Quarantine');
  const recorded = new Set([
    ...messages.filter(isMessage).map((row) => text(row, 'key')),
    ...entries.map(keyOfEntry),
  ]);
  for (const { raw, receivedAt, settled } of folder.all)
    if (settled && !recorded.has(keyOf(raw, receivedAt)))
      violations.push(
        `P2: "${names.get(keyOf(raw, receivedAt)) ?? '?'}" is settled on the server and nowhere recorded`,
      );
  for (const row of [...messages, ...entries])
    for (const column of BLOB_COLUMNS)
      if (typeof row[column] === 'string' && !blobs.stored.has(text(row, column)))
        violations.push(`P3: ${row.rowKey.slice(0, 1)}-row refers by ${column} to a blob that is not there`);
  return violations;
}

export interface Allowed {
  /** Processes crashed so often that readable email may be in quarantine. */
  quarantine?: boolean;
  /** The server renumbered its email: known messages have a new place and are recorded as copies of themselves. */
  moreCopies?: boolean;
}

/** What must hold when nothing is in progress: P1, and that all rows agree with one another. */
export function violationsAtTheEnd(world: Witness, allowed: Allowed): string[] {
  const { tables } = world;
  return [
    ...dispositions(world, allowed),
    ...numbering(tables),
    ...listing(tables),
    ...links(tables),
    ...threading(tables),
  ];
}

function dispositions(world: Witness, allowed: Allowed): string[] {
  const { folder, tables, mails, names } = world;
  const violations: string[] = [];
  const messages = tables.dump('Tickets').filter(isMessage);
  const entries = tables.dump('Quarantine');
  const copies = entries.filter(isCopy);
  for (const [key, name] of names) {
    const own = entries.filter((row) => keyOfEntry(row) === key && !isCopy(row));
    const inTickets = messages.filter((row) => text(row, 'key') === key).length;
    if (inTickets + own.length !== 1)
      violations.push(`P1: "${name}" is in ${inTickets} messages and ${own.length} entries`);
    const disposition = mails.find(
      (mail) => keyOf(mail.raw, mail.receivedAt) === key && mail.disposition !== 'copy',
    )?.disposition;
    const [entry] = own;
    if (disposition === 'not an email' && !text(entry ?? emptyRow, 'reason').startsWith('not an email'))
      violations.push(`P1: "${name}" is not passed over as no email`);
    if (
      disposition === 'ticket' &&
      inTickets === 0 &&
      !(allowed.quarantine === true && text(entry ?? emptyRow, 'kind') === 'quarantined')
    )
      violations.push(`P1: "${name}" is in no ticket: ${text(entry ?? emptyRow, 'reason')}`);
  }
  const wanted = mails.filter(({ disposition }) => disposition === 'copy').length;
  if (allowed.moreCopies === true ? copies.length < wanted : copies.length !== wanted)
    violations.push(`P1: ${copies.length} entries of copies where ${wanted} were delivered`);
  const unknown = messages.filter((row) => !names.has(text(row, 'key')));
  if (unknown.length > 0) violations.push(`P1: ${unknown.length} messages of mail that nobody sent`);
  for (const mail of folder.all)
    if (!mail.settled && world.isToBeSettled(mail))
      violations.push(
        `P1: "${names.get(keyOf(mail.raw, mail.receivedAt)) ?? '?'}" is still unread on the server`,
      );
  return violations;
}

const emptyRow: Row = { partitionKey: '', rowKey: '' };

function numbering(tables: MemoryTables): string[] {
  const heads = tables.dump('Tickets').filter(({ rowKey }) => rowKey === 'head');
  const rows = tables.dump('Numbers');
  const counter = rows.find(({ rowKey }) => rowKey === 'last');
  const violations: string[] = [];
  for (const head of heads) {
    const number = Number(head['number']);
    // Other numbers that a crashed run reserved for it are gaps.
    const found = rows.find((row) => Number(row.rowKey) === number);
    if (found === undefined || text(found, 'ticketId') !== head.partitionKey)
      violations.push(`numbers: ticket #${number} is not found under its number`);
    if (number < 1 || number > Number(counter?.['last']))
      violations.push(`numbers: #${number} was never given`);
  }
  if (new Set(heads.map((head) => head['number'])).size !== heads.length)
    violations.push('numbers: two tickets have the same');
  return violations;
}

/** Each ticket is listed exactly once, under its status, as in its head row, which counts its messages. */
function listing(tables: MemoryTables): string[] {
  const rows = tables.dump('Tickets');
  const index = tables.dump('TicketIndex');
  const violations: string[] = [];
  const heads = rows.filter(({ rowKey }) => rowKey === 'head');
  for (const head of heads) {
    const id = head.partitionKey;
    const name = `ticket #${Number(head['number'])}`;
    const listed = index.filter((row) => text(row, 'id') === id);
    if (listed.length !== 1) violations.push(`index: ${name} is listed ${listed.length} times`);
    const [row] = listed;
    if (row !== undefined && row.partitionKey !== head['status'])
      violations.push(`index: ${name} is ${text(head, 'status')}, listed as ${row.partitionKey}`);
    for (const column of ['status', 'lastAt', 'messageCount', 'preview', 'subject', 'number'])
      if (row !== undefined && row[column] !== head[column])
        violations.push(`index: ${column} of ${name} is not what its head says`);
    const messages = rows.filter((each) => each.partitionKey === id && isMessage(each));
    if (messages.length !== Number(head['messageCount']))
      violations.push(
        `tickets: ${name} counts ${text(head, 'messageCount')} messages and has ${messages.length}`,
      );
  }
  const ids = new Set(heads.map(({ partitionKey }) => partitionKey));
  const orphans = [...index.map((row) => text(row, 'id')), ...rows.map((row) => row.partitionKey)];
  if (orphans.some((id) => !ids.has(id))) violations.push('index: a row of a ticket that is not there');
  return violations;
}

/** Each ticket that follows another one is linked from it, under its number. */
function links(tables: MemoryTables): string[] {
  const rows = tables.dump('Tickets');
  const followers = rows.filter(({ rowKey }) => rowKey.startsWith('f|'));
  const wanted = rows.flatMap((head) => {
    if (head.rowKey !== 'head' || typeof head['follows'] !== 'string') return [];
    const { id } = JSON.parse(head['follows']) as { id: string };
    return [`${id} f|${String(head['number']).padStart(10, '0')} ${head.partitionKey}`];
  });
  const found = followers.map((row) => `${row.partitionKey} ${row.rowKey} ${text(row, 'followerId')}`);
  return isDeepStrictEqual(wanted.sort(), found.sort())
    ? []
    : [`links: ${wanted.length} tickets follow another one, ${found.length} are linked from there`];
}

/** Each ticket is found by the Message-IDs of its messages and by those that they reply to, and by no others. */
function threading(tables: MemoryTables): string[] {
  const wanted = new Set(
    tables
      .dump('Tickets')
      .filter(isMessage)
      .flatMap((row) => {
        const answers = JSON.parse(text(row, 'answers') || '[]') as string[];
        const own = text(row, 'messageId');
        return [
          ...(own === '' ? [] : [`${messageIdHash(own)}|${row.partitionKey}`]),
          ...answers.map((id) => `${messageIdHash(id)}|~${row.partitionKey}`),
        ];
      }),
  );
  const found = new Set(tables.dump('MessageIds').map(({ rowKey }) => rowKey));
  return isDeepStrictEqual(wanted, found)
    ? []
    : [`threads: ${wanted.size} rows of Message-IDs are wanted, ${found.size} are there`];
}

export type Snapshot = Record<TableName, readonly Row[]>;

/** All rows, without the lists of events on the server. */
export function snapshot(tables: MemoryTables, { etags }: { etags: boolean }): Snapshot {
  const dumped = tableNames.map((name) => [
    name,
    tables.dump(name).map((row) => (etags ? row : { ...row, etag: undefined })),
  ]);
  return Object.fromEntries(dumped) as Snapshot;
}

/** P8: the tables that have changed, except for records that a run took place. */
export function changedTables(before: Snapshot, after: Snapshot): string[] {
  const lasting = (rows: readonly Row[]): Row[] => rows.filter(({ rowKey }) => !rowKey.startsWith('shard|'));
  return tableNames
    .filter((name) => name !== 'Activity' && !isDeepStrictEqual(lasting(before[name]), lasting(after[name])))
    .map((name) => `P8: running again changed ${name}`);
}
