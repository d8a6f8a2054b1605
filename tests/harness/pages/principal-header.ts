import { SIGN_IN_TENANT } from '../../../dev/host/sign-in.ts';

/** A claim by its type and value. */
export type Claim = readonly [type: string, value: string];

/** `X-MS-CLIENT-PRINCIPAL` as the platform writes it for a user of the tenant that the local host signs in. */
export function principalHeaderOf(
  claims: readonly Claim[],
  { provider = 'aad', tenant = SIGN_IN_TENANT }: { provider?: string; tenant?: string | undefined } = {},
): string {
  const all: Claim[] = [...(tenant === '' ? [] : [['tid', tenant] as const]), ...claims];
  const principal = { auth_typ: provider, claims: all.map(([typ, val]) => ({ typ, val })) };
  return Buffer.from(JSON.stringify(principal)).toString('base64');
}

/** Settings with which the pages accept that header. */
export const signedInSettings = {
  WEBSITE_AUTH_ENABLED: 'true',
  WEBSITE_AUTH_AAD_ALLOWED_TENANTS: SIGN_IN_TENANT,
} as const;
