import { type OwnKeys, ownKeysOf } from './own-key.ts';
import type { Found } from './records.ts';

/** A violation of a promise. */
export interface Flag {
  kind: string;
  detail: string;
}

/** A message that is on the server at the end, with Postroom's records of it. */
export interface JudgedMessage {
  address: string;
  place: string;
  seen: boolean;
  raw: Buffer;
  keys: OwnKeys;
  found: readonly Found[];
}

/**
 * The records at a UID that concern the message there now. If a server reused the UID, there are also
 * records of the previous message; otherwise every record counts.
 */
export async function judge(
  message: { address: string; place: string; seen: boolean; raw: Buffer; reused: boolean },
  atPlace: readonly Found[],
  blob: (name: string) => Promise<Buffer | undefined>,
): Promise<{ judged: JudgedMessage; flags: Flag[] }> {
  const { address, place, seen, raw, reused } = message;
  const flags: Flag[] = [];
  const found: Found[] = [];
  for (const record of atPlace) {
    const name = record.row['rawBlob'];
    const stored = typeof name === 'string' ? await blob(name) : undefined;
    const isOther =
      stored !== undefined && !isOf(record, stored, raw) && !isNotedAsShort(record, stored, raw);
    if (isOther && reused) continue;
    found.push(record);
    if (typeof name === 'string' && stored === undefined)
      flags.push({ kind: 'raw blob missing', detail: `${place} ${name}` });
    else if (isOther)
      flags.push({
        kind: 'raw blob differs from the message',
        detail: `${place} ${stored.length} of ${raw.length} bytes`,
      });
  }
  if (found.length === 0) flags.push({ kind: 'LOST', detail: place });
  if (found.length > 1)
    flags.push({
      kind: 'DOUBLED',
      detail: `${place} ${found.map(({ kind, row }) => `${kind} ${row.partitionKey}/${row.rowKey}`).join(', ')}`,
    });
  if (!seen && found.length > 0) flags.push({ kind: 'stored and still unread', detail: place });
  return { judged: { address, place, seen, raw, keys: ownKeysOf(raw), found }, flags };
}

/**
 * A copy is stored as the message that it duplicates, whose trace headers may differ; everything else is
 * equal byte for byte.
 */
function isOf(record: Found, stored: Buffer, raw: Buffer): boolean {
  return isCopy(record) ? ownKeysOf(stored).loose === ownKeysOf(raw).loose : stored.equals(raw);
}

/** Two faults hit the same message: it was truncated at the same byte twice, and its record says so. */
const isNotedAsShort = ({ row }: Found, stored: Buffer, raw: Buffer): boolean =>
  raw.subarray(0, stored.length).equals(stored) && String(row['notes']).includes('The mail server announced');

const isCopy = ({ kind, row }: Found): boolean =>
  kind === 'skipped' && String(row['reason']).startsWith('copy of');

/** Each content is imported once per mailbox, and a message skipped as a duplicate has its original. Pure. */
export function auditCopies(messages: readonly JudgedMessage[]): Flag[] {
  const flags: Flag[] = [];
  const filed = messages.filter(({ found }) => found.some((record) => !isCopy(record)));
  for (const same of Map.groupBy(filed, ({ address, keys }) => `${address} ${keys.strict}`).values())
    if (same.length > 1)
      flags.push({
        kind: 'same content filed more than once',
        detail: same.map(({ place }) => place).join(', '),
      });
  const originals = new Set(filed.map(({ address, keys }) => `${address} ${keys.loose}`));
  for (const { address, place, keys, found } of messages)
    if (found.some(isCopy) && !originals.has(`${address} ${keys.loose}`))
      flags.push({ kind: 'skipped as a copy without a twin', detail: place });
  return flags;
}
