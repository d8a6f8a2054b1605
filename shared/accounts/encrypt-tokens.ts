import type { Resource } from '../providers/protocol-access.ts';
import type { Registration } from '../providers/registration.ts';
import { type Account, purposeFor, tokenContext } from './account.ts';
import { type Grant, lifetimeOf } from './grant.ts';
import type { TokenCipher } from './token-encryption.ts';

/**
 * The encrypted tokens of an account after a refresh for one resource. A new refresh token replaces the one
 * before for all resources; the access token of the other resource stays.
 * @param now milliseconds since the epoch
 */
export async function encryptTokens(
  sealer: Pick<TokenCipher, 'seal'>,
  account: Account,
  { provider, resource }: { provider: Registration; resource: Resource },
  grant: Grant,
  now: number,
): Promise<Pick<Account, 'tokens' | 'graph'>> {
  const { tokens, graph } = account;
  const [access, refresh] = await Promise.all([
    grant.accessToken &&
      sealer.seal(grant.accessToken, tokenContext(account, purposeFor(resource), provider)),
    grant.refreshToken && sealer.seal(grant.refreshToken, tokenContext(account, 'refresh', provider)),
  ]);
  const received = { access, ...lifetimeOf(grant.expiresInSeconds, now) };
  return {
    tokens: {
      ...tokens,
      ...(resource === 'outlook' && received),
      refresh: refresh ?? tokens.refresh,
      // The token just used is known to work; the new one is not proven yet.
      previousRefresh: refresh === undefined ? tokens.previousRefresh : tokens.refresh,
    },
    graph: resource === 'graph' ? received : graph,
  };
}
