import { mapLimited } from '../platform/concurrency.ts';
import { log } from '../platform/log.ts';
import type { Seam } from '../platform/seam.ts';
import type { ProviderStore } from '../providers/provider-store.ts';
import type { Account } from './account.ts';
import type { AccountStore } from './account-store.ts';
import type { AccessTokens } from './get-access-token.ts';

interface RenewDeps {
  seam: Seam;
  providers: Pick<ProviderStore, 'list'>;
  accounts: Pick<AccountStore, 'listOf'>;
  accessTokens: Pick<AccessTokens, 'renew'>;
}

export interface Renewals {
  /** How many idled. */
  idle: number;
  renewed: number;
  /** Refused, now or for now. */
  refused: number;
  /** Broke, as when storage is away; the log says why. */
  broken: number;
  /** Left for the next day, because the time was over. */
  left: number;
}

// Entra ends a refresh token that was not used for 90 days, Google one of six months: a week leaves many tries.
// https://learn.microsoft.com/entra/identity-platform/refresh-tokens#token-lifetime
export const IDLE_MS = 7 * 86_400_000;
const AT_A_TIME = 4;
/** Less than the five minutes after which the Functions host may end a run. */
const TIME_MS = 4 * 60_000;

/**
 * Uses every grant that nobody has used for a week, so that it does not end unnoticed. Each account for itself: what
 * breaks one stops no other. Those that idled longest come first, and what does not fit into the time is for tomorrow.
 */
export async function renewIdleAccounts(deps: RenewDeps): Promise<Renewals> {
  const begunAt = deps.seam.now();
  const providers = await deps.providers.list();
  const accounts = await mapLimited(providers, AT_A_TIME, ({ id }) => deps.accounts.listOf(id));
  const idle = accounts
    .flat()
    .filter((account) => isIdle(account, begunAt))
    .sort((a, b) => Date.parse(a.tokens.receivedAt) - Date.parse(b.tokens.receivedAt));
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
 * One that waits for a person idles too, but only that person can use it again; an app has no grant that could end. Pure.
 */
export const isIdle = (account: Account, now: number): boolean =>
  account.kind !== 'app' &&
  account.state !== 'action-required' &&
  now - Date.parse(account.tokens.receivedAt) >= IDLE_MS;
