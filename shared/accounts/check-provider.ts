import { isReadyToSignIn, type Preflight } from '../providers/preflight.ts';
import { type PromoteDeps, promoteCredential } from '../providers/promote-credential.ts';
import type { Provider } from '../providers/provider.ts';
import type { AccountStore } from './account-store.ts';
import type { OAuthClient } from './oauth-client.ts';
import { preflightProvider } from './preflight-provider.ts';

interface CheckDeps extends PromoteDeps {
  accounts: Pick<AccountStore, 'listOf'>;
  oauth: OAuthClient;
}

/**
 * Runs the preflight of a provider and stores its result. A next credential that worked replaces the
 * current one. Returns the updated provider.
 */
export async function checkProvider(deps: CheckDeps, provider: Provider): Promise<Provider> {
  const found = await preflightProvider(deps, provider);
  const { nextCredential } = provider;
  if (found.next === 'proven' && nextCredential !== undefined)
    await promoteCredential(deps, provider, nextCredential);
  const refused = await hasRefused(deps, provider);
  const kept = await deps.providers.change(provider.id, (current) =>
    current.changedAt === provider.changedAt ? withFound(current, found, refused) : undefined,
  );
  return kept ?? (await deps.providers.get(provider.id)) ?? provider;
}

/** True when an account was refused because of the provider's current settings. */
async function hasRefused({ accounts }: CheckDeps, { id, changedAt }: Provider): Promise<boolean> {
  return (await accounts.listOf(id)).some(({ refusedAsOf }) => refusedAsOf === changedAt);
}

function withFound(provider: Provider, found: Preflight, refused: boolean): Provider {
  const preflight = provider.nextCredential === undefined ? asPresent(found) : found;
  const isFixed = isReadyToSignIn(preflight) && (refused || !isReadyToSignIn(provider.preflight));
  return {
    ...provider,
    preflight,
    // Something was fixed at the provider itself: accounts that it refused are retried at their next fetch.
    changedAt: isFixed ? found.at : provider.changedAt,
  };
}

/** The next credential has worked and is now the only one. */
function asPresent(found: Preflight): Preflight {
  const { at, tenant, client, credential, evidence, next, enterpriseId } = found;
  const ids = enterpriseId === undefined ? {} : { enterpriseId };
  if (next !== 'proven')
    return { at, tenant, client, credential, ...ids, ...(evidence !== undefined && { evidence }) };
  return { at, tenant, client, credential: next, ...ids };
}
