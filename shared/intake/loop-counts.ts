import { recordMailLoop } from '../mailboxes/mail-loops.ts';
import { mapLimited } from '../platform/concurrency.ts';
import { openRecords } from '../platform/open-records.ts';
import type { Tables } from '../platform/tables.ts';
import { type AutomaticMail, countedAs, foldLoops, type LoopCount } from './fold-loops.ts';
import { countKey, loopCountKind } from './ledger-records.ts';

/** A batch has at most 50 emails, and each is counted at most twice. */
const MAX_COUNTS = 100;

/**
 * Reads the counts of these emails' senders and conversations: one
 * request each; none if no email is automatic.
 */
export async function readLoopCounts(
  tables: Tables,
  mailboxId: string,
  emails: readonly AutomaticMail[],
): Promise<Map<string, LoopCount>> {
  const names = [...new Set(emails.flatMap(countedAs))];
  const counts = openRecords(tables, loopCountKind);
  const found = await mapLimited(names, 16, (name) => counts.find(mailboxId, countKey(name)));
  return new Map(
    names.flatMap((name, index) => {
      const one = found[index];
      return one === undefined ? [] : [[name, { hour: one.hour, count: one.count }] as const];
    }),
  );
}

/**
 * Counts emails whose decision is stored, in one transaction. A run that dies before it counts misses one
 * batch, so a few more emails stay unfolded.
 */
export async function countAutomatic(
  tables: Tables,
  mailboxId: string,
  emails: readonly AutomaticMail[],
  before: ReadonlyMap<string, LoopCount>,
): Promise<void> {
  const { counts } = foldLoops(emails, before);
  const names = new Set(emails.flatMap(countedAs));
  const counted = [...counts].filter(([name]) => names.has(name)).slice(0, MAX_COUNTS);
  await tables.open('Ledger').commit(
    mailboxId,
    counted.map(([name, count]) => ({
      kind: 'put',
      row: loopCountKind.toRow({ mailboxId, key: countKey(name), ...count }),
    })),
  );
  const newest = emails.findLast(({ decision }) => decision.folded !== undefined);
  if (newest?.decision.ticketId === undefined) return;
  const { sender, receivedAt: at, decision } = newest;
  const ofSender = counts.get(`sender|${sender ?? ''}`)?.count ?? 0;
  const { ticketId } = newest.decision;
  const ofConversation = counts.get(`conversation|${ticketId}`)?.count ?? 0;
  const count = Math.max(ofSender, decision.opens ? 0 : ofConversation);
  await recordMailLoop(tables, { mailboxId, sender: sender ?? 'an unknown sender', at, ticketId, count });
}
