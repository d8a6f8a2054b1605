import { type DeskFacts, silentWithoutReason } from './desk-facts.ts';
import { findConditions } from './find-conditions.ts';
import { byGravity, type Condition, keyOf, type Notice, type NoticeKind, shownOf } from './notice.ts';

/** What the tables alone tell: for these kinds a page need not wait for the next sweep. */
const seenByPages: ReadonlySet<NoticeKind> = new Set<NoticeKind>([
  'mailbox-silent',
  'marking-refused',
  'consent-dead',
  'secret-expired',
  'secret-refused',
  'timer-late',
  'quarantine-grown',
]);

const isWholeVault = ({ kind, subject }: Condition): boolean =>
  kind === 'vault-failing' && subject.kind === 'vault';

/**
 * What is wrong at this moment, gravest first: what a page sees itself, and of the open notices what it cannot see. A
 * fault that was mended a second ago is gone, one that began a second ago is there. Pure.
 */
export function standingConditions(
  open: readonly Notice[],
  facts: Omit<DeskFacts, 'suspects'>,
  now: number,
): Condition[] {
  const live = findConditions({ ...facts, suspects: new Set(silentWithoutReason(facts, now)) }, now);
  // A page does not ask the vault itself: where the sweep found that it fails, no provider is to blame.
  const isVaultFailing = open.some(({ held }) => held.watch !== undefined && isWholeVault(held.watch));
  const seen = live.filter((one) => !isVaultFailing || one.kind !== 'vault-failing');
  const standing = new Map(seen.map((condition) => [keyOf(condition), condition]));
  for (const notice of open) {
    const { watch, ...others } = notice.held;
    const kept = watch === undefined || seenByPages.has(watch.kind) ? others : notice.held;
    if (Object.keys(kept).length > 0 && !standing.has(notice.key))
      standing.set(notice.key, shownOf({ held: kept }));
  }
  return [...standing.values()].sort(byGravity);
}
