import { createHash } from 'node:crypto';
import type { Seam } from '../platform/seam.ts';
import type { Secret } from '../platform/secret.ts';
import { base32 } from '../providers/base32.ts';
import { clouds } from '../providers/clouds.ts';
import type { Credential } from '../providers/credential.ts';
import type { Resource } from '../providers/protocol-access.ts';
import type { Provider } from '../providers/provider.ts';
import { type Account, purposeFor, tokenContext } from './account.ts';
import { scopesAfter } from './account-resources.ts';
import type { AccountStore } from './account-store.ts';
import { type Grant, lifetimeOf } from './grant.ts';
import { isMicrosoftShaped } from './issuer-rules.ts';
import type { Failed, OAuthClient, Unproven } from './oauth-client.ts';
import type { TokenCipher } from './token-encryption.ts';
import { objectOf, silence } from './token-failure.ts';

/** The claims of an app's own token. */
export interface AppToken {
  token: Secret;
  grant: Grant;
  credential: Credential;
  /** Object ID of the enterprise application, which Exchange Online needs to know. */
  objectId: string | undefined;
  /** What it is for; absent: mail servers. */
  resource?: Resource;
  /** Application permissions, such as `IMAP.AccessAsApp` or `Mail.ReadWrite`. */
  roles: readonly string[];
}

// Endpoints for several directories don't issue app tokens (AADSTS9001023).
const NO_DIRECTORY = new Set(['common', 'organizations', 'consumers']);

/** App-only sign-in needs a single Microsoft 365 tenant: other mail servers don't accept such tokens. */
export const canSignInAsApp = (provider: Provider): boolean =>
  provider.state === 'ready' &&
  isMicrosoftShaped(provider) &&
  provider.tenant !== undefined &&
  !NO_DIRECTORY.has(provider.tenant.toLowerCase());

/** An app's token is for one resource, with all permissions granted to the app there. */
export const appScopeOf = ({ cloud }: Pick<Provider, 'cloud'>, resource: Resource = 'outlook'): string =>
  `${resource === 'graph' ? clouds[cloud].graph : clouds[cloud].outlookApp}/.default`;

/**
 * One account per app and provider, for any number of mailboxes: 130 bits of a hash, as for every account.
 */
export const appAccountId = (provider: Provider): string =>
  base32(
    createHash('sha256')
      .update(JSON.stringify([provider.id, 'app']))
      .digest(),
  ).slice(0, 26);

/** Requests a token for the app itself, without a person (RFC 6749 section 4.4). */
export async function askAppToken(
  oauth: Pick<OAuthClient, 'clientCredentials'>,
  provider: Provider,
  resource: Resource = 'outlook',
): Promise<({ kind: 'token' } & AppToken) | Failed | Unproven> {
  const answer = await oauth.clientCredentials(provider, [appScopeOf(provider, resource)]);
  if (answer.kind !== 'granted') return answer;
  const { grant, credential } = answer;
  if (grant.accessToken === undefined)
    return { kind: 'failed', failure: silence('The provider answered without an access token.') };
  return {
    kind: 'token',
    token: grant.accessToken,
    grant,
    credential,
    resource,
    ...claimsOfAppToken(grant.accessToken),
  };
}

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Object ID and roles from the token's own claims. Microsoft does not guarantee that a client can read
 * them: without them only the help text lacks these values. No decision depends on them.
 */
export function claimsOfAppToken(token: Secret): Pick<AppToken, 'objectId' | 'roles'> {
  const claims = objectOf(Buffer.from(token.expose().split('.')[1] ?? '', 'base64url').toString('utf8'));
  const { oid, roles } = claims;
  return {
    objectId: typeof oid === 'string' && GUID.test(oid) ? oid : undefined,
    roles: Array.isArray(roles)
      ? roles.filter((role): role is string => typeof role === 'string' && /^[\w.]{1,80}$/.test(role))
      : [],
  };
}

/**
 * Stores the app as an account, so that mailboxes can sign in with it.
 * @param by who set it up: object ID
 */
export async function saveAppAccount(
  deps: { accounts: AccountStore; sealer: TokenCipher; seam: Pick<Seam, 'now'> },
  provider: Provider,
  { token, grant, objectId, roles, resource = 'outlook' }: AppToken,
  connectRequest: { address: string; by: string },
): Promise<Account> {
  const now = deps.seam.now();
  const at = new Date(now).toISOString();
  const ref = { providerId: provider.id, accountId: appAccountId(provider) };
  const before = (await deps.accounts.get(ref))?.account;
  const received = {
    access: await deps.sealer.seal(token, tokenContext(ref, purposeFor(resource), provider)),
    ...lifetimeOf(grant.expiresInSeconds, now),
  };
  const none = { access: undefined, receivedAt: at, accessExpiresAt: at, refreshAt: at };
  const graph = resource === 'graph' ? received : before?.graph;
  const account: Account = {
    ...ref,
    kind: 'app',
    identity: {
      issuer: '',
      subject: provider.clientId,
      tenantId: provider.tenant,
      objectId,
      user: undefined,
      name: undefined,
    },
    user: 'The app itself',
    address: connectRequest.address,
    scopes: scopesAfter(before?.scopes ?? [], resource, roles),
    tokens: {
      ...(resource === 'outlook' ? received : (before?.tokens ?? none)),
      // An app gets no refresh token: it uses its credential each time.
      refresh: undefined,
      previousRefresh: undefined,
    },
    ...(graph !== undefined && { graph }),
    state: 'ok',
    stateSince: at,
    problem: undefined,
    retryAt: undefined,
    refusedAsOf: undefined,
    refreshBegunAt: undefined,
    consentedAt: at,
    consentedBy: connectRequest.by,
  };
  await deps.accounts.save(account);
  return account;
}
