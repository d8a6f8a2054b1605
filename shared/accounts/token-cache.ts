import type { Seam } from '../platform/seam.ts';
import type { Secret } from '../platform/secret.ts';
import type { UsableToken } from './access-token.ts';
import type { Account, AccountRef, EncryptedTokens } from './account.ts';
import { isFresh } from './grant.ts';

export interface CachedToken {
  token: Secret;
  tokens: EncryptedTokens;
  user: string;
  /** The mail servers it may be sent to. */
  hosts: readonly string[];
  /** When the row was read, in milliseconds since the epoch. */
  seenAt: number;
}

/**
 * How long a cached token is used without reading its row. An account that another process deleted or
 * marked as refused stops here within this time (if storage is available; without it, the token is used
 * until it expires). With a fetch each minute, every second fetch reads a row: for 100 accounts, 2.2
 * million reads a month.
 */
const TRUSTED_MS = 90_000;

/** The newest token of each account that this process has read or received. */
export interface TokenCache {
  get(ref: AccountRef): CachedToken | undefined;
  /** @param hosts the mail servers that may receive the token */
  put(account: Account, hosts: readonly string[], token: Secret): UsableToken;
  forget(ref: AccountRef): void;
}

export function createTokenCache(seam: Pick<Seam, 'now'>): TokenCache {
  const cached = new Map<string, CachedToken>();
  return {
    get: (ref) => cached.get(accountKey(ref)),
    put(account, hosts, token) {
      const { tokens, user } = account;
      const entry = { token, tokens, user, hosts, seenAt: seam.now() };
      cached.set(accountKey(account), entry);
      return toUsable(entry);
    },
    forget(ref) {
      cached.delete(accountKey(ref));
    },
  };
}

/** Identifies an account within this process. Pure. */
export const accountKey = ({ providerId, accountId }: AccountRef): string => `${providerId}/${accountId}`;

/**
 * True while a token may be used without reading its row. A clock that was set back must not extend the
 * trust. Pure.
 */
export const isTrusted = ({ tokens, seenAt }: CachedToken, now: number): boolean =>
  isFresh(tokens, now) && now >= seenAt && now - seenAt < TRUSTED_MS;

/** True until the token expires: it may be used while its row can't be read. Pure. */
export const isUnexpired = ({ tokens }: CachedToken, now: number): boolean =>
  Date.parse(tokens.accessExpiresAt) > now;

/** Pure. */
export const toUsable = ({ token, tokens, user, hosts }: CachedToken): UsableToken => ({
  kind: 'token',
  token,
  expiresAt: tokens.accessExpiresAt,
  user,
  hosts,
});
