import { protocolsIn } from '../providers/permissions.ts';
import type { Protocol } from '../providers/presets.ts';
import { type Resource, resourceOfScope, resources, resourcesOf } from '../providers/protocol-access.ts';
import type { Account, EncryptedAccess, SignedIn } from './account.ts';

// An account has one refresh token, and an access token for each resource. Pure.

/** The ways in which its granted scopes, or an app's roles, let an account read, send and learn of mail. */
export const grantedWays = ({ scopes }: Pick<Account, 'scopes'>): readonly Protocol[] => protocolsIn(scopes);

/**
 * The resources that may be asked for a token of this account, the usual one first. Scopes without a known
 * name, such as those of a custom provider, are for mail servers. An app gets a token for any resource: what
 * it may do there can also be granted in Exchange, which no token shows.
 */
export function resourcesOfAccount(account: Pick<Account, 'kind' | 'scopes'>): readonly Resource[] {
  if (account.kind === 'app') return resources;
  const granted = resourcesOf(grantedWays(account));
  return granted.length === 0 ? ['outlook'] : granted;
}

/** The stored access token for one resource; undefined when none was obtained yet. */
export const accessFor = (
  { tokens, graph }: Pick<Account, 'tokens' | 'graph'>,
  resource: Resource,
): EncryptedAccess | undefined => (resource === 'graph' ? graph : tokens);

/** ISO time of the newest answer with tokens, for whichever resource. */
export const lastRefreshedAt = ({ tokens, graph }: Pick<Account, 'tokens' | 'graph'>): string =>
  graph !== undefined && graph.receivedAt > tokens.receivedAt ? graph.receivedAt : tokens.receivedAt;

/**
 * The scopes of an account after an answer for one resource. Such an answer says nothing about the other
 * resource, although Microsoft may list scopes of the same names.
 */
export function scopesAfter(
  before: readonly string[],
  resource: Resource,
  granted: readonly string[] | undefined,
): readonly string[] {
  if (granted === undefined) return before;
  const isOther = (scope: string): boolean => (resourceOfScope(scope) ?? resource) !== resource;
  return [...granted.filter((scope) => !isOther(scope)), ...before.filter(isOther)];
}

/** The account without the refusal of one resource. */
export function withoutRefusal(refused: SignedIn['refused'], resource: Resource): SignedIn['refused'] {
  const { [resource]: _over, ...others } = refused ?? {};
  return Object.keys(others).length === 0 ? undefined : others;
}
