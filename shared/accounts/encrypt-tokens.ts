import type { Registration } from '../providers/registration.ts';
import { type Account, type EncryptedTokens, tokenContext } from './account.ts';
import { type Grant, lifetimeOf } from './grant.ts';
import type { TokenCipher } from './token-encryption.ts';

/**
 * The encrypted tokens of an account after a refresh.
 * @param now milliseconds since the epoch
 */
export async function encryptTokens(
  sealer: Pick<TokenCipher, 'seal'>,
  account: Account,
  provider: Registration,
  grant: Grant,
  now: number,
): Promise<EncryptedTokens> {
  const { tokens } = account;
  const [access, refresh] = await Promise.all([
    grant.accessToken && sealer.seal(grant.accessToken, tokenContext(account, 'access', provider)),
    grant.refreshToken && sealer.seal(grant.refreshToken, tokenContext(account, 'refresh', provider)),
  ]);
  return {
    access,
    ...lifetimeOf(grant.expiresInSeconds, now),
    refresh: refresh ?? tokens.refresh,
    // The token just used is known to work; the new one is not proven yet.
    previousRefresh: refresh === undefined ? tokens.previousRefresh : tokens.refresh,
  };
}
