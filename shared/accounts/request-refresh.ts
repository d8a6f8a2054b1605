import { PostroomError } from '../platform/errors.ts';
import type { Secret } from '../platform/secret.ts';
import type { Provider } from '../providers/provider.ts';
import { type Account, tokenContext } from './account.ts';
import { appScopeOf } from './app-account.ts';
import type { OAuthClient, Refreshed } from './oauth-client.ts';
import type { TokenCipher } from './token-encryption.ts';
import { judgeFailure } from './token-failure.ts';

interface RequestDeps {
  sealer: TokenCipher;
  oauth: OAuthClient;
}

/** Called before a request; throws when the lease on the account is lost. */
export type Hold = () => Promise<void>;

/**
 * Asks the provider for new tokens of an account.
 * @throws PostroomError `sealed-unreadable` when a refresh token can't be decrypted or is missing
 */
export const requestRefresh = (
  deps: RequestDeps,
  provider: Provider,
  account: Account,
  hold: Hold,
): Promise<Refreshed> =>
  account.kind === 'app'
    ? requestAsApp(deps, provider, hold)
    : requestWithToken(deps, provider, account, hold);

/** The app authenticates with its credential only. */
async function requestAsApp({ oauth }: RequestDeps, provider: Provider, hold: Hold): Promise<Refreshed> {
  const answer = await oauth.clientCredentials(provider, [appScopeOf(provider)], { before: hold });
  return answer.kind === 'granted' ? { ...answer, kind: 'refreshed' } : answer;
}

/** Uses the newest refresh token; if it is refused, the previous one, which Entra keeps valid. */
async function requestWithToken(
  { sealer, oauth }: RequestDeps,
  provider: Provider,
  account: Account,
  hold: Hold,
): Promise<Refreshed> {
  const { refresh: newest, previousRefresh } = account.tokens;
  const open = (sealed: string): Promise<Secret> =>
    sealer.open(sealed, tokenContext(account, 'refresh', provider));
  if (newest === undefined) throw new PostroomError('sealed-unreadable', 'There is no refresh token.');
  const first = await oauth.refresh(provider, await open(newest), { before: hold });
  if (first.kind !== 'failed' || first.failure.error !== 'invalid_grant' || previousRefresh === undefined)
    return first;
  const verdict = judgeFailure(first.failure);
  if (verdict.kind === 'retrying' || first.failure.suberror !== undefined) return first;
  const second = await oauth.refresh(provider, await open(previousRefresh), { before: hold });
  return second.kind === 'refreshed' ? second : first;
}
