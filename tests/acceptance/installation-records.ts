import { messageId } from '../../dev/emulators/graph/mail/mail-ids.ts';
import type { MailServer } from '../../dev/emulators/mail/mail-world.ts';
import { type Decision, type LedgerMail, placesOfRef } from '../../shared/intake/ledger.ts';
import { mailKind, placeKind } from '../../shared/intake/ledger-records.ts';
import { graphRef } from '../../shared/mailboxes/graph-ref.ts';
import { uidRef } from '../../shared/mailboxes/imap-position.ts';
import { folderKeyOf } from '../../shared/mailboxes/mailbox.ts';
import { createMailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import type { MessageRef } from '../../shared/mailboxes/message-ref.ts';
import type { FetchProtocol } from '../../shared/mailboxes/open-inbox.ts';
import { uidlRef } from '../../shared/mailboxes/pop3-position.ts';
import { listAll, type Row } from '../../shared/platform/tables.ts';
import { dumpTables, type Postroom, SUPPORT } from '../harness/stack/installation.ts';

/** The dispositions of the emails at one UID. */
export type Disposition =
  | { kind: 'message'; ticketId: string; number: number; key: string }
  | { kind: 'quarantined' | 'skipped'; reason: string; key: string }
  | { kind: 'unfinished'; state: string };

export interface Records {
  dispositions: Map<number, Disposition | undefined>;
  /** Rows `m|…` of all tickets by content key. */
  messages: Map<string, Row[]>;
  /** Rows `a|…` by content key. */
  attachments: Map<string, Row[]>;
  /** Every contradiction found, in words; none in a healthy installation. */
  faults: string[];
}

interface Refs {
  validity: string;
  refOf(uid: number): MessageRef;
}

/** The refs that a protocol gives to the messages with these UIDs, on both mail servers of the demo. */
const refsOf: Readonly<
  Record<FetchProtocol, (uidValidity: string, mail: MailServer) => Refs | Promise<Refs>>
> = {
  imap: (uidValidity) => ({ validity: uidValidity, refOf: uidRef }),
  pop3: (uidValidity) => ({ validity: '1', refOf: (uid) => uidlRef(`${uidValidity}-${uid}`) }),
  // UIDs count from 1 in the order of arrival, and the tests leave all email in the folder.
  graph: async (_uidValidity, mail) => {
    const files = (await mail.mailbox(SUPPORT)?.emails('INBOX')) ?? [];
    const refs = files.map((file) =>
      graphRef(messageId(SUPPORT, file, true), new Date(file.receivedAt).toISOString()),
    );
    return { validity: '1', refOf: (uid) => refs[uid - 1] ?? graphRef('absent', '1970-01-01T00:00:00Z') };
  },
};

/** The prefix of the ledger's row keys for the message with a UID, by the protocol of the mailbox. */
export async function placesIn(
  { tables, stack }: Pick<Postroom, 'tables' | 'stack'>,
  mailboxId: string,
  uidValidity: string,
): Promise<(uid: number) => string> {
  const mailbox = await createMailboxStore(tables).get(mailboxId);
  if (mailbox === undefined) throw new Error(`There is no mailbox ${mailboxId}`);
  const { validity, refOf } = await refsOf[mailbox.protocol](uidValidity, stack.mail);
  const scope = { folderKey: folderKeyOf(mailbox), validity };
  return (uid) => placesOfRef(scope, refOf(uid));
}

/** Reads all records of a mailbox and compares what must agree. */
export async function readRecords(
  postroom: Pick<Postroom, 'tables' | 'stack'>,
  mailboxId: string,
  uidValidity: string,
  uids: readonly number[],
): Promise<Records> {
  const { tables, stack } = postroom;
  const { connectionString } = stack.storage;
  const placesOf = await placesIn(postroom, mailboxId, uidValidity);
  const ledger = await listAll(tables.open('Ledger'), mailboxId);
  const places = new Map(
    ledger
      .filter(({ rowKey }) => rowKey.startsWith('at|'))
      .map((row) => [row.rowKey, placeKind.fromRow(row)]),
  );
  const mails = new Map(
    ledger
      .filter(({ rowKey }) => rowKey.startsWith('mail|'))
      .map(mailKind.fromRow)
      .map((mail) => [mail.key, mail]),
  );
  const tickets = await allRows(connectionString, 'Tickets');
  const heads = tickets.filter(({ rowKey }) => rowKey === 'head');
  const messages = Map.groupBy(
    tickets.filter(({ rowKey }) => rowKey.startsWith('m|')),
    (row) => String(row['key']),
  );
  const attachments = Map.groupBy(
    tickets.filter(({ rowKey }) => rowKey.startsWith('a|')),
    ({ rowKey }) => rowKey.split('|')[2] ?? '',
  );
  const kept = await listAll(tables.open('Quarantine'), mailboxId);
  const keptAt = Map.groupBy(kept, ({ rowKey }) => rowKey.slice(rowKey.indexOf('|') + 1));
  const faults: string[] = [];

  const dispositions = new Map<number, Disposition | undefined>();
  for (const uid of uids) {
    // A UID of these servers means one email permanently, so each has one place.
    const [place, ...others] = [...places.values()].filter((each) => each.place.startsWith(placesOf(uid)));
    const mail = place && mails.get(place.key);
    if (others.length > 0) faults.push(`mail ${uid} is known as ${1 + others.length} emails`);
    if (place === undefined || mail === undefined) {
      dispositions.set(uid, undefined);
      faults.push(`mail ${uid} is in no ledger`);
      continue;
    }
    const entries = keptAt.get(`${mail.key}|${place.place.replaceAll('|', '-')}`) ?? [];
    dispositions.set(uid, traceOf(mail, place.copy, entries));
    if (mail.state !== 'done') faults.push(`mail ${uid} is ${mail.state}`);
    const wanted = place.copy || mail.decision?.disposition !== 'ticket' ? 1 : 0;
    if (entries.length !== wanted) faults.push(`mail ${uid} stands in quarantine ${entries.length} times`);
  }
  for (const { key, decision } of mails.values()) {
    const found = messages.get(key) ?? [];
    const wanted = decision?.disposition === 'ticket' ? 1 : 0;
    if (found.length !== wanted) faults.push(`${key} is ${found.length} ticket messages, not ${wanted}`);
    if (wanted === 1 && found[0]?.partitionKey !== decision?.ticketId)
      faults.push(`${key} is in another ticket than decided`);
  }
  for (const key of messages.keys()) if (!mails.has(key)) faults.push(`message ${key} is in no ledger`);
  faults.push(...headFaults(heads, tickets, decisionsOf(mails)));
  faults.push(
    ...derivedFaults(
      heads,
      await allRows(connectionString, 'TicketIndex'),
      await listAll(tables.open('Numbers'), 'n'),
    ),
  );
  return { dispositions, messages, attachments, faults };
}

function traceOf(mail: Omit<LedgerMail, 'etag'>, copy: boolean, entries: readonly Row[]): Disposition {
  const { key, decision, state } = mail;
  if (state !== 'done' || decision === undefined) return { kind: 'unfinished', state };
  if (!copy && decision.disposition === 'ticket')
    return { kind: 'message', ticketId: decision.ticketId ?? '', number: decision.number ?? 0, key };
  const kind = entries[0]?.['kind'] === 'quarantined' ? 'quarantined' : 'skipped';
  return { kind, reason: String(entries[0]?.['reason'] ?? ''), key };
}

const decisionsOf = (mails: ReadonlyMap<string, Omit<LedgerMail, 'etag'>>): Decision[] =>
  [...mails.values()].flatMap(({ decision }) => (decision === undefined ? [] : [decision]));

function headFaults(
  heads: readonly Row[],
  tickets: readonly Row[],
  decisions: readonly Decision[],
): string[] {
  const counts = Map.groupBy(
    tickets.filter(({ rowKey }) => rowKey.startsWith('m|')),
    ({ partitionKey }) => partitionKey,
  );
  const faults = heads
    .filter((head) => head['messageCount'] !== (counts.get(head.partitionKey)?.length ?? 0))
    .map((head) => `ticket #${head['number']} counts ${head['messageCount']} messages`);
  for (const id of counts.keys())
    if (!heads.some(({ partitionKey }) => partitionKey === id)) faults.push(`ticket ${id} has no head`);
  for (const { disposition, ticketId, number } of decisions) {
    const head =
      disposition === 'ticket' ? heads.find(({ partitionKey }) => partitionKey === ticketId) : undefined;
    if (head !== undefined && head['number'] !== number)
      faults.push(`ticket ${ticketId} is #${head['number']}, decided was #${number}`);
  }
  return faults;
}

function derivedFaults(heads: readonly Row[], index: readonly Row[], numbers: readonly Row[]): string[] {
  const faults: string[] = [];
  const unique = new Set(heads.map((head) => head['number']));
  if (unique.size !== heads.length) faults.push(`${heads.length} tickets share ${unique.size} numbers`);
  for (const head of heads) {
    const listed = index.filter((row) => row['id'] === head.partitionKey);
    if (listed.length !== 1 || listed[0]?.partitionKey !== head['status'])
      faults.push(`ticket #${head['number']} is listed ${listed.length} times`);
    // Other numbers that a crashed run reserved for it are gaps.
    const named = numbers.find((row) => Number(row.rowKey) === head['number']);
    if (named?.['ticketId'] !== head.partitionKey)
      faults.push(`ticket #${head['number']} is not found under its number`);
  }
  if (index.length !== heads.length) faults.push(`${index.length} rows list ${heads.length} tickets`);
  return faults;
}

async function allRows(connectionString: string, table: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [name, columns] of await dumpTables(connectionString, table)) {
    const [, partitionKey = '', ...rest] = name.split('/');
    rows.push({
      ...Object.fromEntries(JSON.parse(columns) as [string, string | number | boolean][]),
      partitionKey,
      rowKey: rest.join('/'),
    });
  }
  return rows;
}
