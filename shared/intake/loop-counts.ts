import { createHash } from 'node:crypto';
import { recordMailLoop } from '../mailboxes/mail-loops.ts';
import { mapLimited } from '../platform/concurrency.ts';
import type { Tables } from '../platform/tables.ts';
import { type AutomaticMail, countedAs, foldLoops, type LoopCount } from './fold-loops.ts';

// Ledger: mailboxId / `auto|<hash of what is counted>`   automatic mail of the last hour that had some; a sender or a
//                                                        conversation each, overwritten by the next hour
const keyOf = (name: string): string =>
  `auto|${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
/** A batch has at most 50 emails, and each is counted at most twice. */
const MOST = 100;

/** What is known of these emails' senders and conversations: one request each; none where nothing is automatic. */
export async function readLoopCounts(
  tables: Tables,
  mailboxId: string,
  mails: readonly AutomaticMail[],
): Promise<Map<string, LoopCount>> {
  const names = [...new Set(mails.flatMap(countedAs))];
  const ledger = tables.open('Ledger');
  const rows = await mapLimited(names, 16, (name) => ledger.get(mailboxId, keyOf(name)));
  return new Map(
    names.flatMap((name, index) => {
      const row = rows[index];
      const [hour, count] = [row?.['hour'], row?.['count']];
      return typeof hour === 'string' && typeof count === 'number' ? [[name, { hour, count }] as const] : [];
    }),
  );
}

/**
 * Counts mail whose decision is stored: one transaction. A run that dies before it counts a batch too little, which lets
 * a few more emails pass unfolded.
 */
export async function countAutomatic(
  tables: Tables,
  mailboxId: string,
  mails: readonly AutomaticMail[],
  before: ReadonlyMap<string, LoopCount>,
): Promise<void> {
  const { counts } = foldLoops(mails, before);
  const names = new Set(mails.flatMap(countedAs));
  const counted = [...counts].filter(([name]) => names.has(name)).slice(0, MOST);
  await tables.open('Ledger').commit(
    mailboxId,
    counted.map(([name, count]) => ({
      kind: 'put',
      row: { partitionKey: mailboxId, rowKey: keyOf(name), ...count },
    })),
  );
  const newest = mails.findLast(({ decision }) => decision.folded !== undefined);
  if (newest?.decision.ticketId === undefined) return;
  const { sender, receivedAt: at, decision } = newest;
  const ofSender = counts.get(`sender|${sender ?? ''}`)?.count ?? 0;
  const { ticketId } = newest.decision;
  const ofConversation = counts.get(`conversation|${ticketId}`)?.count ?? 0;
  const count = Math.max(ofSender, decision.opens ? 0 : ofConversation);
  await recordMailLoop(tables, { mailboxId, sender: sender ?? 'an unknown sender', at, ticketId, count });
}
