import type { Flag } from './audit-messages.ts';
import type { StoredRow } from './records.ts';

export interface AllRows {
  tickets: readonly StoredRow[];
  index: readonly StoredRow[];
  numbers: readonly StoredRow[];
  messageIds: readonly StoredRow[];
  ledger: readonly StoredRow[];
  accounts: readonly StoredRow[];
}

/** Columns that a ticket's row and its row in the list share. */
const SHARED = ['status', 'lastAt', 'messageCount', 'preview', 'subject', 'number'];

/** Finds rows that contradict each other. Pure. */
export function auditRows(rows: AllRows): Flag[] {
  const heads = new Map(
    rows.tickets.filter(({ rowKey }) => rowKey === 'head').map((head) => [head.partitionKey, head]),
  );
  return [
    ...auditTickets(rows.tickets, heads),
    ...auditNumbers(rows.numbers, heads),
    ...auditIndex(rows.index, heads),
    ...rows.messageIds
      .filter(({ ticketId }) => !heads.has(String(ticketId)))
      .map(({ rowKey }) => ({ kind: 'message id leads to no ticket', detail: rowKey })),
    ...rows.ledger
      .filter((row) => row.rowKey.startsWith('mail|') && row['state'] !== 'done')
      .map((row) => ({
        kind: 'ledger not done',
        detail: `${row.rowKey} ${row['state']} ${row['attempts']}`,
      })),
    ...rows.accounts
      .filter((row) => stateOf(row) === 'action-required')
      .map((row) => ({ kind: 'account does not work', detail: `${row.partitionKey}/${row.rowKey}` })),
  ];
}

type Heads = ReadonlyMap<string, StoredRow>;

function auditTickets(tickets: readonly StoredRow[], heads: Heads): Flag[] {
  const flags: Flag[] = [];
  const messages = tickets.filter(({ rowKey }) => rowKey.startsWith('m|'));
  const places = new Set(messages.map(({ partitionKey, rowKey }) => `${partitionKey}/${rowKey}`));
  const perTicket = Map.groupBy(messages, ({ partitionKey }) => partitionKey);
  for (const { partitionKey, rowKey } of tickets) {
    if (!heads.has(partitionKey))
      flags.push({ kind: 'row of a ticket without a head', detail: `${partitionKey}/${rowKey}` });
    // a|<inverted time>|<content key>|<index> belongs to m|<inverted time>|<content key>
    const [kind, time, key] = rowKey.split('|');
    if (kind === 'a' && !places.has(`${partitionKey}/m|${time}|${key}`))
      flags.push({ kind: 'attachment without its message', detail: `${partitionKey}/${rowKey}` });
  }
  for (const [id, head] of heads) {
    const count = perTicket.get(id)?.length ?? 0;
    if (count === 0 || count !== head['messageCount'])
      flags.push({
        kind: 'head counts wrong',
        detail: `#${head['number']} ${head['messageCount']} of ${count}`,
      });
  }
  return flags;
}

function auditNumbers(numbers: readonly StoredRow[], heads: Heads): Flag[] {
  const flags: Flag[] = [];
  const given = numbers.filter(({ partitionKey }) => partitionKey === 'n');
  const byTicket = Map.groupBy(given, ({ ticketId }) => String(ticketId));
  for (const same of Map.groupBy(heads.values(), (head) => head['number']).values())
    if (same.length > 1) flags.push({ kind: 'ticket number given twice', detail: `#${same[0]?.['number']}` });
  for (const [id, head] of heads) {
    const own = byTicket.get(id) ?? [];
    // A number reserved by a run that died remains a gap: its ticket then has another one.
    if (!own.some(({ rowKey }) => Number(rowKey) === head['number']))
      flags.push({
        kind: 'number row wrong',
        detail: `#${head['number']} ${own.map(({ rowKey }) => rowKey)}`,
      });
  }
  return flags;
}

function auditIndex(index: readonly StoredRow[], heads: Heads): Flag[] {
  const flags: Flag[] = [];
  const listed = Map.groupBy(index, ({ id }) => String(id));
  for (const [id, head] of heads) {
    const own = listed.get(id) ?? [];
    if (own.length !== 1)
      flags.push({ kind: 'ticket not listed once', detail: `#${head['number']} ${own.length}` });
    const differing = SHARED.filter((column) => own[0] !== undefined && own[0][column] !== head[column]);
    if (differing.length > 0)
      flags.push({ kind: 'list differs from head', detail: `#${head['number']} ${differing.join(', ')}` });
  }
  for (const id of listed.keys())
    if (!heads.has(id)) flags.push({ kind: 'listed ticket does not exist', detail: id });
  return flags;
}

function stateOf({ state, json }: StoredRow): unknown {
  if (state !== undefined) return state;
  return typeof json === 'string' ? (JSON.parse(json) as { state?: unknown }).state : undefined;
}
