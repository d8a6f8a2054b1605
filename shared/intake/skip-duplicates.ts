import type { MessageMeta } from '../mailboxes/inbox.ts';
import { mapLimited } from '../platform/concurrency.ts';
import { isCausedByContent } from '../platform/errors.ts';
import { type LedgerMail, type LedgerPlace, uidOfPlace } from './ledger.ts';
import type { NewEntry } from './quarantine-store.ts';
import type { IntakeDeps } from './process-batch.ts';

/** An email on the server that is known from another place. */
export interface StandingCopy {
  facts: MessageMeta;
  copy: LedgerPlace;
}

/**
 * Copies of settled mail are shown as skipped, then count as settled; others wait for a later run (UIDs of both).
 * @param again an earlier run claimed them: what it did show is neither shown nor counted twice.
 */
export async function skipDuplicates(
  { ledger, quarantine }: Pick<IntakeDeps, 'ledger' | 'quarantine'>,
  mailboxId: string,
  copies: readonly StandingCopy[],
  { again }: { again: boolean },
): Promise<{ settled: number[]; waiting: number[]; skipped: number }> {
  const mails = await ledger.mails(
    mailboxId,
    copies.map(({ copy }) => copy.key),
  );
  const entries = copies.flatMap(({ facts, copy }): NewEntry[] => {
    const original = mails.get(copy.key);
    return original?.state === 'done' ? [entryOf(facts, copy, original)] : [];
  });
  const fresh = again ? await quarantine.missing(mailboxId, entries) : entries;
  const refused = new Set(await show(quarantine, mailboxId, fresh));
  const settled = entries.flatMap(({ place }) => (refused.has(place) ? [] : [uidOfPlace(place)]));
  return {
    settled,
    waiting: copies.map(({ facts }) => facts.uid).filter((uid) => !settled.includes(uid)),
    skipped: fresh.length - refused.size,
  };
}

/** Writes entries, one by one where storage refuses some of them; gives the places of those that it refuses. */
async function show(
  quarantine: IntakeDeps['quarantine'],
  mailboxId: string,
  entries: readonly NewEntry[],
): Promise<string[]> {
  try {
    await quarantine.put(mailboxId, entries);
    return [];
  } catch (error) {
    if (!isCausedByContent(error)) throw error;
    if (entries.length === 1) return entries.map(({ place }) => place);
    return (await mapLimited(entries, 1, (entry) => show(quarantine, mailboxId, [entry]))).flat();
  }
}

function entryOf(facts: MessageMeta, copy: LedgerPlace, original: LedgerMail): NewEntry {
  return {
    kind: 'skipped',
    reason: reasonOfCopy(original),
    at: facts.receivedAt,
    from: undefined,
    subject: undefined,
    messageId: facts.messageId || undefined,
    size: original.size,
    rawBlob: original.rawBlob === '' ? undefined : original.rawBlob,
    contentKey: copy.key,
    place: copy.place,
  };
}

/** How the reason of every skipped copy begins. */
export const reasonOfCopyBegins = 'copy of an email';

function reasonOfCopy({ decision }: LedgerMail): string {
  if (decision?.fate === 'ticket') return `${reasonOfCopyBegins} in ticket #${decision.number ?? '?'}`;
  return `${reasonOfCopyBegins} that was ${decision?.fate === 'skip' ? 'skipped' : 'not imported'}`;
}
