import { mapLimited } from '../platform/concurrency.ts';
import { log } from '../platform/log.ts';
import type { Seam } from '../platform/seam.ts';
import type { ProviderStore } from '../providers/provider-store.ts';
import type { AccessTokens } from './access-token.ts';
import type { Account } from './account.ts';
import { lastRefreshedAt } from './account-resources.ts';
import type { AccountStore } from './account-store.ts';

interface RenewDeps {
  seam: Seam;
  providers: Pick<ProviderStore, 'list'>;
  accounts: Pick<AccountStore, 'listOf'>;
  accessTokens: Pick<AccessTokens, 'renew'>;
}

export interface Renewals {
  /** Number of idle accounts. */
  idle: number;
  renewed: number;
  /** Refused, permanently or temporarily. */
  refused: number;
  /** Failed, for example because storage is unavailable; the log says why. */
  broken: number;
  /** Left for the next day, because time ran out. */
  left: number;
}

// Entra expires a refresh token after 90 days without use, Google after six months. Renewing after a week
// leaves many retries. https://learn.microsoft.com/entra/identity-platform/refresh-tokens#token-lifetime
export const IDLE_MS = 7 * 86_400_000;
const AT_A_TIME = 4;
/** Less than the five minutes after which the Functions host may end a run. */
const TIME_MS = 4 * 60_000;

/**
 * Refreshes every grant that was not used for a week, so that it does not expire unnoticed. Accounts are
 * independent: one failure does not stop the others. The longest idle come first, and the rest waits until
 * the next day.
 */
export async function renewIdleAccounts(deps: RenewDeps): Promise<Renewals> {
  const begunAt = deps.seam.now();
  const providers = await deps.providers.list();
  const accounts = await mapLimited(providers, AT_A_TIME, ({ id }) => deps.accounts.listOf(id));
  const idle = accounts
    .flat()
    .filter((account) => isIdle(account, begunAt))
    .sort((a, b) => Date.parse(lastRefreshedAt(a)) - Date.parse(lastRefreshedAt(b)));
  const ends = await mapLimited(idle, AT_A_TIME, async (account): Promise<keyof Renewals> => {
    if (deps.seam.now() - begunAt >= TIME_MS) return 'left';
    try {
      const answer = await deps.accessTokens.renew(account);
      return answer.kind === 'token' ? 'renewed' : 'refused';
    } catch (error) {
      log.error('account not renewed', error, { provider: account.providerId, account: account.accountId });
      return 'broken';
    }
  });
  const count = (end: keyof Renewals): number => ends.filter((one) => one === end).length;
  return {
    idle: idle.length,
    renewed: count('renewed'),
    refused: count('refused'),
    broken: count('broken'),
    left: count('left'),
  };
}

/**
 * False for an account that requires a person's action (only that person can use it again) and for an app
 * (it has no grant that could expire). Pure.
 */
export const isIdle = (account: Account, now: number): boolean =>
  account.kind !== 'app' &&
  account.state !== 'action-required' &&
  now - Date.parse(lastRefreshedAt(account)) >= IDLE_MS;
