import { type Alert, byGravity, type Finding, isSeenInTables, keyOf, shownOf } from './alert.ts';
import { collectFindings } from './collect-findings.ts';
import { type HealthFacts, silentWithoutReason } from './health-facts.ts';

const isWholeVault = ({ kind, subject }: Finding): boolean =>
  kind === 'vault-failing' && subject.kind === 'vault';

/**
 * All current findings, most severe first: what a page can check itself, and from the open alerts what it
 * can't. A fault fixed a second ago is gone, and a new one is shown at once. Pure.
 */
export function currentFindings(
  open: readonly Alert[],
  facts: Omit<HealthFacts, 'suspects'>,
  now: number,
): Finding[] {
  const live = collectFindings({ ...facts, suspects: new Set(silentWithoutReason(facts, now)) }, now);
  // A page does not call the vault. If the monitor found that the vault fails, no provider is to blame.
  const isVaultFailing = open.some(
    ({ findings }) => findings.watch !== undefined && isWholeVault(findings.watch),
  );
  const seen = live.filter((one) => !isVaultFailing || one.kind !== 'vault-failing');
  const standing = new Map(seen.map((finding) => [keyOf(finding), finding]));
  for (const alert of open) {
    const { watch, ...others } = alert.findings;
    const kept = watch === undefined || isSeenInTables(watch.kind) ? others : alert.findings;
    if (Object.keys(kept).length > 0 && !standing.has(alert.key))
      standing.set(alert.key, shownOf({ findings: kept }));
  }
  return [...standing.values()].sort(byGravity);
}
