import { type HealthFacts, silentWithoutReason } from './health-facts.ts';
import { collectFindings } from './collect-findings.ts';
import { byGravity, type Finding, keyOf, type Alert, type AlertKind, shownOf } from './alert.ts';

/** Kinds that can be computed from tables: for these, a page need not wait for the next monitor run. */
const seenByPages: ReadonlySet<AlertKind> = new Set<AlertKind>([
  'mailbox-silent',
  'marking-refused',
  'consent-dead',
  'secret-expired',
  'secret-refused',
  'timer-late',
  'quarantine-grown',
]);

const isWholeVault = ({ kind, subject }: Finding): boolean =>
  kind === 'vault-failing' && subject.kind === 'vault';

/**
 * What is wrong at this moment, gravest first: what a page sees itself, and of the open notices what it cannot see. A
 * fault that was mended a second ago is gone, one that began a second ago is there. Pure.
 */
export function currentFindings(
  open: readonly Alert[],
  facts: Omit<HealthFacts, 'suspects'>,
  now: number,
): Finding[] {
  const live = collectFindings({ ...facts, suspects: new Set(silentWithoutReason(facts, now)) }, now);
  // A page does not ask the vault itself: where the monitor found that it fails, no provider is to blame.
  const isVaultFailing = open.some(({ held }) => held.watch !== undefined && isWholeVault(held.watch));
  const seen = live.filter((one) => !isVaultFailing || one.kind !== 'vault-failing');
  const standing = new Map(seen.map((finding) => [keyOf(finding), finding]));
  for (const alert of open) {
    const { watch, ...others } = alert.held;
    const kept = watch === undefined || seenByPages.has(watch.kind) ? others : alert.held;
    if (Object.keys(kept).length > 0 && !standing.has(alert.key))
      standing.set(alert.key, shownOf({ held: kept }));
  }
  return [...standing.values()].sort(byGravity);
}
