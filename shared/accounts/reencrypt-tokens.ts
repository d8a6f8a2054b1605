import type { Blobs } from '../platform/blobs.ts';
import { describeError } from '../platform/errors.ts';
import { log } from '../platform/log.ts';
import type { Provider } from '../providers/provider.ts';
import type { ProviderStore } from '../providers/provider-store.ts';
import { type Account, type EncryptedTokens, tokenContext } from './account.ts';
import type { AccountStore } from './account-store.ts';
import { type TokenCipher, versionOfSealed } from './token-encryption.ts';

export interface ReencryptDeps {
  blobs: Pick<Blobs, 'lease'>;
  providers: Pick<ProviderStore, 'list'>;
  accounts: Pick<AccountStore, 'listOf' | 'get' | 'replace'>;
  sealer: TokenCipher;
}

export interface Reencrypted {
  /** Accounts whose tokens are now under the newest version of the data key. */
  resealed: number;
  /** Accounts with a token under an older one: for the next run. */
  left: number;
}

/** A run a day: with this many each, an installation of a thousand accounts is through in a week. */
const MAX_A_RUN = 200;
const LEASE_SECONDS = 60;

const isUnderOther = ({ tokens }: Account, version: string): boolean =>
  [tokens.access, tokens.refresh, tokens.previousRefresh].some(
    (sealed) => sealed !== undefined && versionOfSealed(sealed) !== version,
  );

/** How many accounts have a token under another than the newest version of the data key. */
export async function countUnderOlderKeys(
  deps: Pick<ReencryptDeps, 'providers' | 'accounts'>,
  newest: string,
): Promise<number> {
  return (await underOther(deps, newest)).length;
}

/**
 * Seals tokens again that rest under an older version of the data key, so that the old version can be disabled. Of an
 * account that is being refreshed, or whose last refresh never ended, nothing is touched: its row is waited for.
 * @throws PostroomError when the vault or storage is away.
 */
export async function reencryptTokens(deps: ReencryptDeps, most: number = MAX_A_RUN): Promise<Reencrypted> {
  const newest = await deps.sealer.newestVersion();
  const waiting = await underOther(deps, newest);
  let resealed = 0;
  for (const { account, provider } of waiting.slice(0, most))
    if (await resealOne(deps, account, provider, newest)) resealed += 1;
  return { resealed, left: waiting.length - resealed };
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

async function resealOne(
  deps: ReencryptDeps,
  listed: Account,
  provider: Provider,
  newest: string,
): Promise<boolean> {
  // The same lease as a refresh: a row that changes under it would cost the token that was just received.
  const lease = await deps.blobs.lease(`lease/account-${listed.accountId}`, LEASE_SECONDS);
  if (lease === undefined) return false;
  try {
    const stored = await deps.accounts.get(listed);
    if (stored === undefined || stored.account.refreshBegunAt !== undefined) return false;
    const { account } = stored;
    if (!isUnderOther(account, newest)) return true;
    const next = { ...account, tokens: await resealTokens(deps.sealer, account, provider) };
    return (await deps.accounts.replace(next, stored.etag)) !== undefined;
  } catch (error) {
    // Of one account alone: an old version that was disabled too early, or a text that is not what was sealed.
    log.warn('account not sealed again', { account: listed.accountId, error: describeError(error) });
    return false;
  } finally {
    await lease.release().catch(() => undefined);
  }
}

/** Each token is sealed for the registration it opens for, so that this path moves none to another one. */
async function resealTokens(
  sealer: TokenCipher,
  account: Account,
  provider: Provider,
): Promise<EncryptedTokens> {
  const again = async (sealed: string, purpose: 'access' | 'refresh'): Promise<string> => {
    const context = tokenContext(account, purpose, provider);
    return sealer.seal(await sealer.open(sealed, context), context);
  };
  const { tokens } = account;
  const { access, refresh, previousRefresh } = tokens;
  return {
    ...tokens,
    access: access && (await again(access, 'access')),
    refresh: refresh && (await again(refresh, 'refresh')),
    previousRefresh: previousRefresh && (await again(previousRefresh, 'refresh')),
  };
}
