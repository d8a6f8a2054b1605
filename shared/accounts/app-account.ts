import { createHash } from 'node:crypto';
import type { Seam } from '../platform/seam.ts';
import type { Secret } from '../platform/secret.ts';
import { base32 } from '../providers/base32.ts';
import { clouds } from '../providers/clouds.ts';
import type { Credential } from '../providers/credential.ts';
import type { Provider } from '../providers/provider.ts';
import { type Account, tokenContext } from './account.ts';
import type { AccountStore } from './account-store.ts';
import { type Grant, lifetimeOf } from './grant.ts';
import { isMicrosoftShaped } from './issuer-rules.ts';
import type { Failed, OAuthClient, Unproven } from './oauth-client.ts';
import type { TokenCipher } from './token-encryption.ts';
import { objectOf, silence } from './token-failure.ts';

/** What an app's own token says of the app. */
export interface AppToken {
  token: Secret;
  grant: Grant;
  credential: Credential;
  /** Of the enterprise application, which Exchange Online has to know. */
  objectId: string | undefined;
  /** Application permissions, such as `IMAP.AccessAsApp`. */
  roles: readonly string[];
}

// Endpoints for several directories at once have no app of their own (AADSTS9001023).
const NO_DIRECTORY = new Set(['common', 'organizations', 'consumers']);

/** An app signs in by itself at one directory of Microsoft 365 only: elsewhere mail servers know no such token. */
export const canSignInAsApp = (provider: Provider): boolean =>
  provider.state === 'ready' &&
  isMicrosoftShaped(provider) &&
  provider.tenant !== undefined &&
  !NO_DIRECTORY.has(provider.tenant.toLowerCase());

/** Mail servers take an app's token for this resource alone, and with all the permissions it was granted. */
export const appScopeOf = ({ cloud }: Pick<Provider, 'cloud'>): string =>
  `${clouds[cloud].outlookApp}/.default`;

/** One app signs in once at a provider, for however many mailboxes: 130 bits of a hash, as every account has. */
export const appAccountId = (provider: Provider): string =>
  base32(
    createHash('sha256')
      .update(JSON.stringify([provider.id, 'app']))
      .digest(),
  ).slice(0, 26);

/** Asks for a token of the app itself, without a person (RFC 6749 section 4.4). */
export async function askAppToken(
  oauth: Pick<OAuthClient, 'clientCredentials'>,
  provider: Provider,
): Promise<({ kind: 'token' } & AppToken) | Failed | Unproven> {
  const answer = await oauth.clientCredentials(provider, [appScopeOf(provider)]);
  if (answer.kind !== 'granted') return answer;
  const { grant, credential } = answer;
  if (grant.accessToken === undefined)
    return { kind: 'failed', failure: silence('The provider answered without an access token.') };
  return {
    kind: 'token',
    token: grant.accessToken,
    grant,
    credential,
    ...claimsOfAppToken(grant.accessToken),
  };
}

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Object id and roles from the token's own claims. Microsoft does not promise that a client can read them, so that a
 * token which cannot be read only leaves the help without these values; nothing is decided on them.
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

/** Keeps the app as an account, so that mailboxes can sign in with it. @param by who set it up: object id */
export async function saveAppAccount(
  deps: { accounts: AccountStore; sealer: TokenCipher; seam: Pick<Seam, 'now'> },
  provider: Provider,
  { token, grant, objectId, roles }: AppToken,
  wish: { address: string; by: string },
): Promise<Account> {
  const now = deps.seam.now();
  const at = new Date(now).toISOString();
  const ref = { providerId: provider.id, accountId: appAccountId(provider) };
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
    address: wish.address,
    scopes: roles,
    tokens: {
      access: await deps.sealer.seal(token, tokenContext(ref, 'access', provider)),
      ...lifetimeOf(grant.expiresInSeconds, now),
      // An app is given none: it asks with its credential each time.
      refresh: undefined,
      previousRefresh: undefined,
    },
    state: 'ok',
    stateSince: at,
    problem: undefined,
    retryAt: undefined,
    refusedAsOf: undefined,
    refreshBegunAt: undefined,
    consentedAt: at,
    consentedBy: wish.by,
  };
  await deps.accounts.save(account);
  return account;
}
