import type { Account, Problem } from './account.ts';
import type { AccountStore } from './account-store.ts';

/**
 * Erases the tokens of accounts and sets the problem that requires a new sign-in. An app only loses its
 * access token and gets another one with its credential. Concurrent changes are kept, except for tokens.
 * @param at ISO time
 */
export async function invalidateAccounts(
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
      if ((await accounts.replace(endedAs(account, problem, at), etag)) !== undefined) break;
    }
  }
}

function endedAs(account: Account, problem: Problem, at: string): Account {
  const tokens = { ...account.tokens, access: undefined, refresh: undefined, previousRefresh: undefined };
  const erased = { ...account, tokens, graph: undefined, refused: undefined };
  if (account.kind === 'app') return erased;
  return {
    ...erased,
    state: 'action-required',
    stateSince: account.state === 'action-required' ? account.stateSince : at,
    problem,
    retryAt: undefined,
    refusedAsOf: undefined,
    refreshBegunAt: undefined,
  };
}
