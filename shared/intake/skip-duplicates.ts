import type { MessageMeta, MessageRef } from '../mailboxes/message-ref.ts';
import { mapLimited } from '../platform/concurrency.ts';
import { isCausedByContent } from '../platform/errors.ts';
import type { IntakeDeps } from './batch.ts';
import { type LedgerMail, type LedgerPlace, refOfPlace } from './ledger.ts';
import type { NewEntry } from './quarantine-store.ts';

/** An email on the server that is known from another place. */
export interface KnownCopy {
  meta: MessageMeta;
  copy: LedgerPlace;
}

/**
 * Lists copies of completed emails as skipped and completes them; other copies wait for a later run.
 * @param again an earlier run claimed them: entries it already wrote are neither written nor counted twice
 */
export async function skipDuplicates(
  { ledger, quarantine }: Pick<IntakeDeps, 'ledger' | 'quarantine'>,
  mailboxId: string,
  copies: readonly KnownCopy[],
  { again }: { again: boolean },
): Promise<{ completed: MessageRef[]; waiting: MessageRef[]; skipped: number }> {
  const emails = await ledger.emails(
    mailboxId,
    copies.map(({ copy }) => copy.key),
  );
  const entries = copies.flatMap(({ meta, copy }): NewEntry[] => {
    const original = emails.get(copy.key);
    return original?.state === 'done' ? [entryOf(meta, copy, original)] : [];
  });
  const fresh = again ? await quarantine.missing(mailboxId, entries) : entries;
  const refused = new Set(await show(quarantine, mailboxId, fresh));
  const completed = entries.flatMap(({ place }) => (refused.has(place) ? [] : [refOfPlace(place)]));
  return {
    completed,
    waiting: copies.map(({ meta }) => meta.ref).filter((ref) => !completed.includes(ref)),
    skipped: fresh.length - refused.size,
  };
}

/** Writes entries, one by one if storage refuses some of them; returns the places of the refused ones. */
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

function entryOf(meta: MessageMeta, copy: LedgerPlace, original: LedgerMail): NewEntry {
  return {
    kind: 'skipped',
    reason: reasonOfCopy(original),
    at: meta.receivedAt,
    from: undefined,
    subject: undefined,
    messageId: meta.messageId || undefined,
    size: original.size,
    rawBlob: original.rawBlob === '' ? undefined : original.rawBlob,
    contentKey: copy.key,
    place: copy.place,
  };
}

/** Prefix of the reason of every skipped copy. */
export const reasonOfCopyBegins = 'copy of an email';

function reasonOfCopy({ decision }: LedgerMail): string {
  if (decision?.disposition === 'ticket') return `${reasonOfCopyBegins} in ticket #${decision.number ?? '?'}`;
  return `${reasonOfCopyBegins} that was ${decision?.disposition === 'skip' ? 'skipped' : 'not imported'}`;
}
