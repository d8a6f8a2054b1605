import { traitsOf } from '../providers/presets.ts';
import type { Provider } from '../providers/provider.ts';
import { objectOf } from './token-failure.ts';

/** The issuer of Microsoft's multi-tenant endpoints has a placeholder for the user's tenant. */
const TENANT_PLACE = '{tenantid}';
const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export const isMicrosoftShaped = (provider: Provider): boolean => traitsOf(provider).shape === 'entra';

/** A tenant given by domain has the issuer of its ID; multi-tenant endpoints have a placeholder. */
export function isIssuerOf(provider: Provider, asked: string, announced: string): boolean {
  if (announced === asked || announced === asked.replace(/\/$/, '')) return true;
  if (!isMicrosoftShaped(provider) || GUID.test(provider.tenant ?? '')) return false;
  const [, origin, tenant] = /^(https?:\/\/[^/]+)\/([^/]+)\/v2\.0$/.exec(announced) ?? [];
  if (origin !== new URL(asked).origin || tenant === undefined) return false;
  return provider.tenant === 'organizations' ? tenant === TENANT_PLACE : GUID.test(tenant);
}

/** The issuer that the callback must name, if it names one (RFC 9207). */
export function issuerOfCallback(issuer: string, parameters: URLSearchParams): string {
  const iss = parameters.get('iss');
  const [before = '', after] = issuer.split(TENANT_PLACE);
  if (iss === null || after === undefined) return issuer;
  const tenant = iss.slice(before.length, iss.length - after.length);
  return GUID.test(tenant) ? issuer.replace(TENANT_PLACE, tenant) : issuer;
}

/**
 * The same check for manually entered endpoints without a known issuer. RFC 9207 (section 2.4) compares
 * `iss` with the issuer the client knows, and here only the host is known. The check guards against mix-up
 * attacks (RFC 9700 section 4.4): the state belongs to one provider, the code is sent to that provider's
 * own token endpoint, and it is useless without the app's credential there. Undefined: `iss` names another
 * host than both endpoints.
 */
export function issuerByHand(
  server: { issuer: string; authorization_endpoint?: string; token_endpoint?: string },
  parameters: URLSearchParams,
): string | undefined {
  const iss = parameters.get('iss');
  if (iss === null) return server.issuer;
  const { authorization_endpoint = '', token_endpoint = '' } = server;
  const origins = [authorization_endpoint, token_endpoint].map((address) => URL.parse(address)?.origin);
  const origin = URL.parse(iss)?.origin;
  return origin !== undefined && origin !== 'null' && origins.includes(origin) ? iss : undefined;
}

/** The issuer the id_token must name. Unverified claims only select among the tenants of one issuer. */
export function issuerOfToken(issuer: string, hasKeys: boolean, idToken: string): string {
  const claims = objectOf(Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString('utf8'));
  if (!hasKeys) return String(claims['iss'] ?? issuer);
  const tenant = String(claims['tid'] ?? '');
  return GUID.test(tenant) ? issuer.replace(TENANT_PLACE, tenant) : issuer;
}
