import type { Activity } from '../activity/activity.ts';
import type { ActivityStore } from '../activity/activity-store.ts';
import type { Seam } from '../platform/seam.ts';
import { telemetry } from '../platform/telemetry.ts';
import type { Account } from './account.ts';
import type { RefreshOutcome } from './refresh-store.ts';

interface NoteDeps {
  seam: Pick<Seam, 'now'>;
  activity: Pick<ActivityStore, 'note'>;
}

/** Runs a refresh, measures it, and records an activity row if something changed. */
export async function recordRefresh(
  deps: NoteDeps,
  before: Account,
  refresh: () => Promise<RefreshOutcome>,
): Promise<RefreshOutcome> {
  const { providerId: provider, accountId: account } = before;
  return telemetry.span('refresh token', { fields: { provider, account } }, async (span) => {
    const began = deps.seam.now();
    const outcome = await refresh();
    span.add({ result: outcome.kind });
    if (outcome.kind === 'changed' || outcome.kind === 'taken') return outcome;
    telemetry.measure('refreshes', 1, { result: outcome.kind });
    const now = deps.seam.now();
    const entry = refreshActivity(before, outcome, now, now - began);
    if (entry !== undefined) await deps.activity.note([entry]);
    return outcome;
  });
}

/**
 * An outage is one row, not one per minute. Pure.
 * @param now milliseconds since the epoch
 */
export function refreshActivity(
  before: Account,
  outcome: Exclude<RefreshOutcome, { kind: 'changed' | 'taken' }>,
  now: number,
  ms: number,
): Activity | undefined {
  const { accountId: aboutId, user: about } = outcome.account;
  const problem = outcome.kind === 'refused' ? outcome.problem : outcome.account.problem;
  const entry = { kind: 'refresh', at: new Date(now).toISOString(), aboutId, about, ms } as const;
  if (outcome.kind === 'refreshed') return { ...entry, result: 'done', what: 'Token refreshed.' };
  if (outcome.kind === 'refused') {
    const known = Object.values(before.refused ?? {}).some((one) => one.problem.code === problem?.code);
    return known ? undefined : { ...entry, result: 'action-required', what: outcome.problem.message };
  }
  if (before.problem?.code === problem?.code && before.state === outcome.account.state) return undefined;
  const what = problem?.message ?? 'The token could not be refreshed.';
  return { ...entry, result: outcome.kind === 'retrying' ? 'retrying' : 'action-required', what };
}
