import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { importPKCS8, type JWTPayload, SignJWT } from 'jose';
import type { KnownTenant, KnownUser, SigningKey } from './directory.ts';
import { appRolesOf, OIDC_SCOPES, SOFT_OFFLINE, shortNames, words } from './scopes.ts';

/** Access tokens for Exchange have Entra's version 1 claims and this issuer, even from the v2 endpoints. */
export const accessTokenIssuer = (tenantId: string): string => `https://sts.windows.net/${tenantId}/`;

/**
 * Real tokens are this long: code that truncates lines or headers at 1 or 2 kB must fail here, not in
 * production.
 */
const ACCESS_TOKEN_PADDING = 630;
const REFRESH_TOKEN_PADDING = 750;

export interface AccessTokenFacts {
  tenant: KnownTenant;
  /** Undefined for an app's own token (client credentials). */
  user: KnownUser | undefined;
  clientId: string;
  audience: string;
  scope: string;
  issuedAt: number;
  expires: number;
  id?: string;
}

export function accessTokenClaims(facts: AccessTokenFacts): JWTPayload {
  const { user, tenant } = facts;
  const scp = shortNames(facts.scope);
  return {
    aud: facts.audience,
    iss: accessTokenIssuer(tenant.id),
    iat: facts.issuedAt,
    nbf: facts.issuedAt,
    exp: facts.expires,
    acr: '1',
    amr: ['pwd'],
    appid: facts.clientId,
    appidacr: '1',
    jti: facts.id ?? randomUUID(),
    ...(user === undefined
      ? {
          idtyp: 'app',
          ...appIds(enterpriseIdOf(tenant.id, facts.clientId)),
          roles: scp === '.default' ? appRolesOf(facts.audience) : [],
        }
      : {
          app_displayname: 'Postroom',
          // Always present, as in Exchange's tokens: Dovecot 2.3 treats a missing claim as a match.
          idtyp: 'user',
          ipaddr: '127.0.0.1',
          name: user.name,
          oid: user.oid,
          sub: user.oid,
          scp,
          unique_name: user.upn,
          upn: user.upn,
        }),
    tid: tenant.id,
    ver: '1.0',
    rh: `0.${randomBytes(ACCESS_TOKEN_PADDING).toString('base64url')}`,
  };
}

/** The object id of an app's enterprise application in a directory: neither its client id nor that of its registration. */
export function enterpriseIdOf(tenantId: string, clientId: string): string {
  const hex = createHash('sha256').update(`${tenantId}/${clientId}`).digest('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

const appIds = (enterpriseId: string): { oid: string; sub: string } => ({
  oid: enterpriseId,
  sub: enterpriseId,
});

export const accessTokenHeader = (kid: string): { typ: string; alg: string; x5t: string; kid: string } => ({
  // oidc-provider would write at+jwt (RFC 9068); Entra writes JWT, and Dovecot accepts nothing else.
  typ: 'JWT',
  alg: 'RS256',
  x5t: kid,
  kid,
});

export async function signAccessToken(claims: JWTPayload, key: SigningKey): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader(accessTokenHeader(key.kid))
    .sign(await importPKCS8(key.privatePem, 'RS256'));
}

/** `1.<id>.<padding>`, about 1 kB, as Entra's are. */
export const dressRefreshToken = (id: string): string =>
  `1.${id}.${randomBytes(REFRESH_TOKEN_PADDING).toString('base64url')}`;

/** The ID inside a refresh token; other values are returned unchanged. */
export const undressRefreshToken = (token: string): string =>
  token.startsWith('1.') ? (token.split('.')[1] ?? token) : token;

/** The token endpoint's success response: Entra's fields in Entra's order. */
export function tokenAnswer(answer: Record<string, unknown>, tenantId: string): Record<string, unknown> {
  const scope = words(text(answer['scope']))
    .filter((name) => name !== SOFT_OFFLINE && name !== OIDC_SCOPES[3])
    .join(' ');
  const refreshToken = text(answer['refresh_token']);
  const idToken = text(answer['id_token']);
  return {
    token_type: 'Bearer',
    scope,
    expires_in: answer['expires_in'],
    ext_expires_in: answer['expires_in'],
    access_token: answer['access_token'],
    ...(refreshToken !== undefined && { refresh_token: dressRefreshToken(refreshToken) }),
    ...(idToken !== undefined && { id_token: idToken, client_info: clientInfo(idToken, tenantId) }),
  };
}

function clientInfo(idToken: string, tenantId: string): string {
  const claims = JSON.parse(Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString()) as {
    sub?: string;
  };
  return Buffer.from(JSON.stringify({ uid: claims.sub, utid: tenantId })).toString('base64url');
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
