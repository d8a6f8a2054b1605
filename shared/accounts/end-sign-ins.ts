import type { Account, Problem } from './account.ts';
import type { AccountStore } from './account-store.ts';

/** Marks accounts so that each says why somebody has to sign in again. What another process writes meanwhile is kept. */
export async function endSignIns(
  accounts: AccountStore,
  ended: readonly Account[],
  problem: Problem,
  at: string,
): Promise<void> {
  for (const ref of ended) {
    for (;;) {
      const stored = await accounts.get(ref);
      if (stored === undefined) break;
      const { account, etag } = stored;
      const next: Account = {
        ...account,
        state: 'needs-person',
        stateSince: account.state === 'needs-person' ? account.stateSince : at,
        problem,
        retryAt: undefined,
        refusedAsOf: undefined,
      };
      if ((await accounts.replace(next, etag)) !== undefined) break;
    }
  }
}
