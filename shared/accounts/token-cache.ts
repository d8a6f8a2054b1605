import type { Seam } from '../platform/seam.ts';
import type { Secret } from '../platform/secret.ts';
import { type Resource, resources } from '../providers/protocol-access.ts';
import type { UsableToken } from './access-token.ts';
import type { Account, AccountRef, EncryptedAccess } from './account.ts';
import { isFresh } from './grant.ts';

export interface CachedToken {
  token: Secret;
  tokens: EncryptedAccess;
  resource: Resource;
  user: string;
  /** The hosts it may be sent to. */
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

/** The newest tokens of each account that this process has read or received, one for each resource. */
export interface TokenCache {
  /** The token for a host. Where one host serves several resources, `resource` chooses. */
  get(ref: AccountRef, host: string, resource: Resource | undefined): CachedToken | undefined;
  put(account: Account, issued: Omit<CachedToken, 'user' | 'seenAt'>): UsableToken;
  forget(ref: AccountRef): void;
}

/** Access tokens of this process, by account and resource. */
export function createTokenCache(seam: Pick<Seam, 'now'>): TokenCache {
  const cached = new Map<string, Partial<Record<Resource, CachedToken>>>();
  return {
    get(ref, host, resource) {
      const known = cached.get(accountKey(ref));
      return resources
        .filter((one) => resource === undefined || one === resource)
        .map((one) => known?.[one])
        .find((one) => one?.hosts.includes(host.toLowerCase()));
    },
    put(account, issued) {
      const entry = { ...issued, user: account.user, seenAt: seam.now() };
      const key = accountKey(account);
      cached.set(key, { ...cached.get(key), [issued.resource]: entry });
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
export const toUsable = ({
  token,
  tokens,
  user,
  hosts,
  resource,
}: Omit<CachedToken, 'seenAt'>): UsableToken => ({
  kind: 'token',
  token,
  expiresAt: tokens.accessExpiresAt,
  user,
  hosts,
  resource,
});
