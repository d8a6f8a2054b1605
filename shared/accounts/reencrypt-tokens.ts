import type { Blobs } from '../platform/blobs.ts';
import { describeError } from '../platform/errors.ts';
import { log } from '../platform/log.ts';
import type { Provider } from '../providers/provider.ts';
import type { ProviderStore } from '../providers/provider-store.ts';
import { type Account, type TokenPurpose, tokenContext } from './account.ts';
import type { AccountStore } from './account-store.ts';
import { type TokenCipher, versionOfSealed } from './token-encryption.ts';

export interface ReencryptDeps {
  blobs: Pick<Blobs, 'lease'>;
  providers: Pick<ProviderStore, 'list'>;
  accounts: Pick<AccountStore, 'listOf' | 'get' | 'replace'>;
  sealer: TokenCipher;
}

export interface Reencrypted {
  /** Accounts whose tokens now use the newest version of the encryption key. */
  reencrypted: number;
  /** Accounts that still have a token under an older version; the next run continues. */
  left: number;
}

/** At one run a day, an installation of a thousand accounts takes less than a week. */
const MAX_A_RUN = 200;
const LEASE_SECONDS = 60;

const isUnderOther = ({ tokens, graph }: Account, version: string): boolean =>
  [tokens.access, graph?.access, tokens.refresh, tokens.previousRefresh].some(
    (sealed) => sealed !== undefined && versionOfSealed(sealed) !== version,
  );

/** Number of accounts with a token under an older version of the encryption key. */
export async function countUnderOlderKeys(
  deps: Pick<ReencryptDeps, 'providers' | 'accounts'>,
  newest: string,
): Promise<number> {
  return (await underOther(deps, newest)).length;
}

/**
 * Encrypts tokens again that use an older version of the encryption key, so that the old version can be
 * disabled. Accounts that are being refreshed, or whose last refresh never ended, are left for a later run.
 * @throws PostroomError when the vault or storage is unavailable
 */
export async function reencryptTokens(deps: ReencryptDeps, most: number = MAX_A_RUN): Promise<Reencrypted> {
  const newest = await deps.sealer.newestVersion();
  const waiting = await underOther(deps, newest);
  let reencrypted = 0;
  for (const { account, provider } of waiting.slice(0, most))
    if (await reencryptOne(deps, account, provider, newest)) reencrypted += 1;
  return { reencrypted, left: waiting.length - reencrypted };
}

async function underOther(
  deps: Pick<ReencryptDeps, 'providers' | 'accounts'>,
  newest: string,
): Promise<{ account: Account; provider: Provider }[]> {
  const found: { account: Account; provider: Provider }[] = [];
  for (const provider of await deps.providers.list())
    for (const account of await deps.accounts.listOf(provider.id))
      if (isUnderOther(account, newest)) found.push({ account, provider });
  return found;
}

async function reencryptOne(
  deps: ReencryptDeps,
  listed: Account,
  provider: Provider,
  newest: string,
): Promise<boolean> {
  // The same lease as a refresh: a change of the row during a refresh would lose the token it just
  // received.
  const lease = await deps.blobs.lease(`lease/account-${listed.accountId}`, LEASE_SECONDS);
  if (lease === undefined) return false;
  try {
    const stored = await deps.accounts.get(listed);
    if (stored === undefined || stored.account.refreshBegunAt !== undefined) return false;
    const { account } = stored;
    if (!isUnderOther(account, newest)) return true;
    const next = { ...account, ...(await reencryptAccount(deps.sealer, account, provider)) };
    return (await deps.accounts.replace(next, stored.etag)) !== undefined;
  } catch (error) {
    // Affects one account only: an old version was disabled too early, or the text is corrupt.
    log.warn('account not re-encrypted', { account: listed.accountId, error: describeError(error) });
    return false;
  } finally {
    await lease.release().catch(() => undefined);
  }
}

/**
 * Each token is encrypted for the registration that it was decrypted for, so none moves to another one.
 */
async function reencryptAccount(
  sealer: TokenCipher,
  account: Account,
  provider: Provider,
): Promise<Pick<Account, 'tokens' | 'graph'>> {
  const again = async (sealed: string, purpose: TokenPurpose): Promise<string> => {
    const context = tokenContext(account, purpose, provider);
    return sealer.seal(await sealer.open(sealed, context), context);
  };
  const { tokens, graph } = account;
  const { access, refresh, previousRefresh } = tokens;
  return {
    tokens: {
      ...tokens,
      access: access && (await again(access, 'access')),
      refresh: refresh && (await again(refresh, 'refresh')),
      previousRefresh: previousRefresh && (await again(previousRefresh, 'refresh')),
    },
    graph: graph && { ...graph, access: graph.access && (await again(graph.access, 'graph')) },
  };
}
