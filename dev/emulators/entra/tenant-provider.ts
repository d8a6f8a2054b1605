import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import {
  type JwtParts,
  type OidcContext,
  type OidcError,
  Provider,
  type StaticClient,
  type Token,
} from 'oidc-provider';
import { existingGrant, promptPolicy } from './consents.ts';
import { type Client, type KnownTenant, type SigningKey, userById } from './directory.ts';
import { OIDC_SCOPES, permissionsOf, resourcesOf, SOFT_OFFLINE, words } from './scopes.ts';
import { errorPage } from './sign-in-pages.ts';
import { accessTokenClaims, accessTokenHeader } from './token-shapes.ts';
import type { TokenStore } from './token-store.ts';

/** Lifetimes in seconds. Entra: 60 to 90 minutes for access tokens, 90 days without use for refresh tokens. */
export interface Lives {
  accessToken: number;
  refreshToken: number;
}

/** Per-request values that bypass oidc-provider, which knows one authentication method per client. */
export interface RequestFacts {
  hasAssertion: boolean;
  secret: string | undefined;
  /** Set when a federated token was already verified: the client counts as authenticated. */
  proven: boolean;
  /** The scopes that a refresh asks for. */
  wanted?: readonly string[];
  error?: OidcError;
}
export const requestFacts = new AsyncLocalStorage<RequestFacts>();

export interface TenantOptions {
  tenant: KnownTenant;
  issuer: string;
  signingKey: SigningKey;
  cookieKey: string;
  store: TokenStore;
  lives: Lives;
  /**
   * True: a used refresh token becomes invalid, and using it again ends the grant. Entra keeps the old one
   * valid.
   */
  strictRotation: boolean;
}

/** Builds the protocol engine of one tenant. */
export async function createTenantProvider(options: TenantOptions): Promise<Provider> {
  const provider = new Provider(options.issuer, configuration(options));
  for (const client of options.tenant.clients) {
    const engineClient = await provider.Client.find(client.id);
    if (engineClient === undefined) continue;
    acceptEverySecret(engineClient, client);
    // Read at each request, so additions and removals apply at once.
    Object.defineProperty(engineClient, 'redirectUris', { get: () => client.redirectUris });
  }
  widenRefreshTokens(provider);
  if (!options.strictRotation) provider.RefreshToken.prototype.consume = async () => {};
  for (const event of ['grant.error', 'authorization.error', 'server_error'])
    provider.on(event, (_context: OidcContext, error: OidcError) => {
      const facts = requestFacts.getStore();
      if (facts !== undefined) facts.error = error;
    });
  return provider;
}

/**
 * Entra binds a refresh token to a person and an app, not to the scopes of its first request ("Refresh tokens in
 * the Microsoft identity platform"); oidc-provider refuses what that request did not name. What was consented to
 * is checked afterwards: see token-endpoint.ts.
 */
function widenRefreshTokens(provider: Provider): void {
  const wanted = (): readonly string[] => requestFacts.getStore()?.wanted ?? [];
  Object.defineProperties(provider.RefreshToken.prototype, {
    scopes: {
      get(this: { scope?: string }) {
        return new Set([...words(this.scope), ...wanted()]);
      },
    },
    resourceIndicators: {
      get(this: { resource?: string | string[] }) {
        return new Set([this.resource ?? [], resourcesOf(wanted().join(' '))].flat());
      },
    },
  });
}

function configuration(options: TenantOptions): Record<string, unknown> {
  const { tenant, lives, store } = options;
  return {
    adapter: store.adapter(tenant.id),
    clients: tenant.clients.map(staticClient),
    clientAuthMethods: ['client_secret_post', 'client_secret_basic', 'private_key_jwt'],
    jwks: { keys: [options.signingKey.privateJwk] },
    cookies: {
      keys: [options.cookieKey],
      names: { session: 'ESTSAUTH', interaction: 'ESTSINT', resume: 'ESTSRES' },
    },
    routes: {
      authorization: '/oauth2/v2.0/authorize',
      token: '/oauth2/v2.0/token',
      jwks: '/discovery/v2.0/keys',
      userinfo: '/oidc/userinfo',
      end_session: '/oauth2/v2.0/logout',
    },
    scopes: [...OIDC_SCOPES, SOFT_OFFLINE],
    // Without `profile` an id_token tells neither the user nor the address (Microsoft: ID token claims reference).
    claims: {
      openid: ['sub', 'tid', 'ver', 'rh', 'uti'],
      profile: ['name', 'preferred_username', 'oid'],
      email: ['email'],
    },
    conformIdTokenClaims: false,
    pkce: { required: () => false },
    ttl: {
      AccessToken: lives.accessToken,
      ClientCredentials: lives.accessToken,
      RefreshToken: lives.refreshToken,
      // A consent outlives each refresh token that was rotated under it.
      Grant: 366 * 86_400,
      IdToken: 3600,
      AuthorizationCode: 600,
      Session: 86_400,
      Interaction: 3600,
    },
    rotateRefreshToken: true,
    issueRefreshToken: async (_context: OidcContext, _client: unknown, source: Token) =>
      source.scopes.has('offline_access') || source.scopes.has(SOFT_OFFLINE),
    expiresWithSession: async () => false,
    loadExistingGrant: (context: OidcContext & { oidc: { provider: Provider } }) =>
      existingGrant(context, options),
    findAccount: async (_context: OidcContext, oid: string) => findAccount(tenant, oid),
    interactions: {
      policy: promptPolicy(tenant),
      url: async (_context: OidcContext, interaction: { uid: string }) =>
        `/${tenant.id}/interaction/${interaction.uid}`,
    },
    formats: {
      customizers: {
        jwt: async (_context: OidcContext, token: Token, jwt: JwtParts) =>
          dressAccessToken(options, token, jwt),
      },
    },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: true },
      rpInitiatedLogout: { enabled: true },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        // Entra has no `resource` parameter: the prefix of the first scope names it.
        defaultResource: (context: OidcContext, _client: unknown, oneOf: string[] | undefined) =>
          resourcesOf(context.oidc.params?.['scope'])[0] ?? oneOf?.[0],
        getResourceServerInfo: (_context: OidcContext, resource: string) => ({
          audience: resource,
          scope: permissionsOf(resource),
          accessTokenFormat: 'jwt',
          accessTokenTTL: lives.accessToken,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    renderError: async (context: OidcContext, out: Record<string, string>) => {
      context.type = 'html';
      context.body = errorPage(`${out['error'] ?? 'error'}: ${out['error_description'] ?? ''}`);
    },
  };
}

const staticClient = (client: Client): Record<string, unknown> => ({
  client_id: client.id,
  client_name: client.name ?? client.id,
  // Never compared: acceptEverySecret checks the list.
  client_secret: randomBytes(24).toString('hex'),
  redirect_uris: client.redirectUris,
  grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
  response_types: ['code'],
  token_endpoint_auth_method: client.jwks === undefined ? 'client_secret_post' : 'private_key_jwt',
  ...(client.jwks !== undefined && { jwks: client.jwks }),
});

/**
 * Entra's registrations have several secrets with separate expiry dates, and certificates; oidc-provider
 * knows one secret and one method. The list is read at each request, so a secret added later applies at
 * once.
 */
function acceptEverySecret(engineClient: StaticClient, client: Client): void {
  Object.defineProperty(engineClient, 'clientAuthMethod', {
    get: () => (requestFacts.getStore()?.hasAssertion === true ? 'private_key_jwt' : 'client_secret_post'),
  });
  const secrets = (): readonly { value: string; expires?: number }[] => client.secrets ?? [];
  const isOver = (expires: number | undefined): boolean => expires !== undefined && expires <= Date.now();
  engineClient.compareClientSecret = async (value) =>
    requestFacts.getStore()?.proven === true ||
    secrets().some((secret) => secret.value === value && !isOver(secret.expires));
  engineClient.checkClientSecretExpiration = (detail) => {
    const used = requestFacts.getStore()?.secret;
    if (isOver(secrets().find((secret) => secret.value === used)?.expires)) throw invalidClient(detail);
  };
}

function invalidClient(detail: string): Error {
  return Object.assign(new Error('invalid_client'), {
    error: 'invalid_client',
    error_description: 'client authentication failed',
    error_detail: detail,
    status: 401,
    statusCode: 401,
    expose: true,
  });
}

function findAccount(
  tenant: KnownTenant,
  oid: string,
): { accountId: string; claims(): Promise<Record<string, unknown>> } | undefined {
  const user = userById(tenant, oid);
  if (user === undefined || user.disabled === true) return undefined;
  return {
    accountId: oid,
    claims: async () => ({
      sub: oid,
      oid,
      tid: tenant.id,
      ver: '2.0',
      rh: '0.AAAA.',
      uti: randomBytes(16).toString('base64url'),
      name: user.name,
      preferred_username: user.upn,
      email: user.email ?? user.upn,
    }),
  };
}

function dressAccessToken(options: TenantOptions, token: Token, jwt: JwtParts): void {
  const { payload } = jwt;
  const text = (name: string): string => (typeof payload[name] === 'string' ? payload[name] : '');
  jwt.header = accessTokenHeader(options.signingKey.kid);
  jwt.payload = accessTokenClaims({
    tenant: options.tenant,
    user: token.accountId === undefined ? undefined : userById(options.tenant, token.accountId),
    clientId: text('client_id'),
    audience: text('aud'),
    scope: text('scope'),
    issuedAt: Number(payload['iat']),
    expires: Number(payload['exp']),
    id: text('jti'),
  });
}
