import { auditCopies, type Flag, type JudgedMessage, judge } from './audit-messages.ts';
import { type AllRows, auditRows } from './audit-rows.ts';
import type { InboxTruth } from './inbox-truth.ts';
import { isOfLostMessage, placeName, type Records, type StoredRow } from './records.ts';
import type { StormRecord } from './storm.ts';
import type { ChaosWorld } from './world.ts';

export interface Audit {
  flags: Flag[];
  /** Number of messages by disposition. */
  dispositions: Record<string, number>;
  /** Why messages were quarantined or skipped. */
  reasons: Record<string, number>;
  tickets: number;
  attachments: number;
}

const PAGES = [
  '/',
  '/unimported',
  '/alerts',
  '/mailboxes',
  '/health',
  '/accounts',
  '/audit',
  '/activity',
  '/secrets',
];
/** Number of tickets that are opened as a person would. */
const OPENED = 60;

/** Compares the messages on the mail servers, every stored row and blob, and the pages with each other. */
export async function audit(world: ChaosWorld, truth: InboxTruth, storm: StormRecord): Promise<Audit> {
  const rows = await readRows(world.records, storm);
  const messages = await auditMessages(world, truth, storm);
  const blobs = await auditBlobs(world, rows.tickets);
  const found = messages.judged.flatMap((message) => message.found);
  // The ticket of a copy does not matter here.
  const reasons = found.flatMap(({ kind, row }) =>
    kind === 'message' ? [] : [String(row['reason']).replace(/#\d+/, '#n')],
  );
  return {
    flags: [
      ...[...storm.wronglyMarked].map((place) => ({ kind: 'marked and not stored', detail: place })),
      ...messages.flags,
      ...auditCopies(messages.judged),
      ...auditRows(rows),
      ...blobs.flags,
      ...(await auditPages(world)),
    ],
    dispositions: tally(found.map(({ kind }) => kind)),
    reasons: tally(reasons),
    tickets: rows.tickets.filter(({ rowKey }) => rowKey === 'head').length,
    attachments: blobs.count,
  };
}

async function readRows(records: Records, { restoredFrom }: StormRecord): Promise<AllRows> {
  return {
    tickets: await records.rows('Tickets'),
    index: await records.rows('TicketIndex'),
    numbers: await records.rows('Numbers'),
    messageIds: await records.rows('MessageIds'),
    ledger: (await records.rows('Ledger')).filter((row) => !isOfLostMessage(row, restoredFrom)),
    accounts: await records.rows('Accounts'),
  };
}

function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

async function auditMessages(
  world: ChaosWorld,
  truth: InboxTruth,
  storm: StormRecord,
): Promise<{ judged: JudgedMessage[]; flags: Flag[] }> {
  const byPlace = await world.records.byPlace();
  const judged: JudgedMessage[] = [];
  const flags: Flag[] = [];
  for (const box of world.boxes) {
    const { uidValidity, messages } = await truth.messages(box);
    const delivered = storm.delivered.get(box.address) ?? 0;
    // Not an error of the product, but without this the rest would prove nothing.
    if (messages.length !== delivered)
      flags.push({
        kind: 'server and deliveries differ',
        detail: `${box.address} ${messages.length} of ${delivered}`,
      });
    const restoredFrom = storm.restoredFrom.get(box.id) ?? Number.POSITIVE_INFINITY;
    for (const { uid, seen, raw } of messages) {
      const place = placeName(box.id, uidValidity, uid);
      const message = { address: box.address, place, seen, raw, reused: uid > restoredFrom };
      const result = await judge(message, byPlace.get(place) ?? [], world.records.blob);
      judged.push(result.judged);
      flags.push(...result.flags);
    }
  }
  return { judged, flags };
}

/** Everything that a message names exists, and attachments have the stated length. */
async function auditBlobs(
  { records }: ChaosWorld,
  tickets: readonly StoredRow[],
): Promise<{ flags: Flag[]; count: number }> {
  const flags: Flag[] = [];
  const wanted: { blob: string; size?: number }[] = [];
  for (const row of tickets) {
    const { rowKey, textBlob, htmlBlob, manifestBlob, blob, size } = row;
    if (rowKey.startsWith('a|')) wanted.push({ blob: String(blob), size: Number(size) });
    for (const name of rowKey.startsWith('m|') ? [textBlob, htmlBlob, manifestBlob] : [])
      if (typeof name === 'string') wanted.push({ blob: name });
    if (typeof manifestBlob === 'string') {
      const manifest = (await records.blob(manifestBlob))?.toString() ?? '[]';
      wanted.push(...(JSON.parse(manifest) as { blob: string; size: number }[]));
    }
  }
  for (const { blob, size } of wanted) {
    const stored = await records.blob(blob);
    if (stored === undefined) flags.push({ kind: 'blob missing', detail: blob });
    else if (size !== undefined && stored.length !== size)
      flags.push({ kind: 'attachment of another length', detail: `${blob} ${stored.length} of ${size}` });
  }
  return { flags, count: wanted.filter(({ size }) => size !== undefined).length };
}

/** The page as a person sees it. */
async function auditPages(world: ChaosWorld): Promise<Flag[]> {
  const { host, visitor } = await world.openPages();
  try {
    const list = await visitor.get('/tickets');
    const tickets = new Set([...list.html.matchAll(/\/tickets\/[a-z2-7]{26}/g)].map(([path]) => path));
    const flags: Flag[] = [];
    for (const path of ['/tickets', ...PAGES, ...[...tickets].slice(0, OPENED)]) {
      const { status } = await visitor.get(path);
      if (status !== 200) flags.push({ kind: 'page', detail: `${path} ${status}` });
    }
    return flags;
  } finally {
    await host.stop();
  }
}
