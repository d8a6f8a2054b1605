import type { DemoWorld } from '../platform/config.ts';
import { PostroomError } from '../platform/errors.ts';
import type { Secret } from '../platform/secret.ts';
import { protocols } from '../providers/presets.ts';
import type { Resource } from '../providers/protocol-access.ts';
import { mailScopesOf, type Provider } from '../providers/provider.ts';
import { type Account, tokenContext } from './account.ts';
import { appScopeOf } from './app-account.ts';
import { isMicrosoftShaped } from './issuer-rules.ts';
import type { OAuthClient, Refreshed } from './oauth-client.ts';
import type { TokenCipher } from './token-encryption.ts';
import { blamesResource, judgeFailure } from './token-failure.ts';

interface RequestDeps {
  config: { demo: DemoWorld | undefined };
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
  resource: Resource,
  hold: Hold,
): Promise<Refreshed> =>
  account.kind === 'app'
    ? requestAsApp(deps, provider, resource, hold)
    : requestWithToken(deps, provider, account, resource, hold);

/** The app authenticates with its credential only. */
async function requestAsApp(
  { oauth }: RequestDeps,
  provider: Provider,
  resource: Resource,
  hold: Hold,
): Promise<Refreshed> {
  const answer = await oauth.clientCredentials(provider, [appScopeOf(provider, resource)], { before: hold });
  return answer.kind === 'granted' ? { ...answer, kind: 'refreshed' } : answer;
}

/** Uses the newest refresh token; if it is refused, the previous one, which Entra keeps valid. */
async function requestWithToken(
  { sealer, oauth, config }: RequestDeps,
  provider: Provider,
  account: Account,
  resource: Resource,
  hold: Hold,
): Promise<Refreshed> {
  const { refresh: newest, previousRefresh } = account.tokens;
  const open = (sealed: string): Promise<Secret> =>
    sealer.open(sealed, tokenContext(account, 'refresh', provider));
  if (newest === undefined) throw new PostroomError('sealed-unreadable', 'There is no refresh token.');
  const options = { before: hold, ...refreshScopes(provider, config, account, resource) };
  const first = await oauth.refresh(provider, await open(newest), options);
  if (first.kind !== 'failed' || first.failure.error !== 'invalid_grant' || previousRefresh === undefined)
    return first;
  const verdict = judgeFailure(first.failure);
  if (verdict.kind === 'retrying' || first.failure.suberror !== undefined) return first;
  if (blamesResource(first.failure)) return first;
  const second = await oauth.refresh(provider, await open(previousRefresh), options);
  return second.kind === 'refreshed' ? second : first;
}

/**
 * The scopes of the request: exactly those that were granted for this resource, so that Entra issues the
 * token for it. Providers with one resource need none.
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#refresh-the-access-token
 */
function refreshScopes(
  provider: Provider,
  config: RequestDeps['config'],
  account: Account,
  resource: Resource,
): { scopes?: readonly string[] } {
  if (!isMicrosoftShaped(provider)) return {};
  const granted = new Set(account.scopes.map(permissionOf));
  const known = [false, true].flatMap((shared) =>
    mailScopesOf(provider, config, protocols, { shared, resource }),
  );
  const scopes = new Set(known.filter((scope) => granted.has(permissionOf(scope))));
  return scopes.size === 0 ? {} : { scopes: [...scopes, 'offline_access'] };
}

/** Microsoft shortens scope names in its responses. */
const permissionOf = (scope: string): string => scope.slice(scope.lastIndexOf('/') + 1).toLowerCase();
