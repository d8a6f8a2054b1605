import type { Registration } from '../providers/registration.ts';
import { type Account, type EncryptedTokens, tokenContext } from './account.ts';
import { type Grant, lifetimeOf } from './grant.ts';
import type { TokenCipher } from './token-encryption.ts';

/** The tokens of an account after a refresh, as they rest in its row. @param now milliseconds since the epoch */
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
    // The one just used has worked; the new one has still to show that it does.
    previousRefresh: refresh === undefined ? tokens.previousRefresh : tokens.refresh,
  };
}
