import { z } from 'zod';

/** The signed-in user, as reported by the platform's sign-in. */
export interface Principal {
  /** Object ID in the directory, used by allow-lists and the audit log. */
  id: string;
  name: string;
  /** Email address as the directory states it, not checked; absent if it states none. */
  address?: string | undefined;
  roles: readonly Role[];
}
export type Role = 'admin' | 'agent';

const clientPrincipal = z.object({
  auth_typ: z.string().optional(),
  claims: z.array(z.object({ typ: z.string(), val: z.string() })),
});
const OBJECT_ID = ['http://schemas.microsoft.com/identity/claims/objectidentifier', 'oid'];
const TENANT = ['http://schemas.microsoft.com/identity/claims/tenantid', 'tid'];
const NAME = ['name', 'preferred_username', 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name'];
/** `email` is optional and is where email arrives; the sign-in name usually is an address, but may have no mailbox. */
const ADDRESS = [
  ['email', 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress'],
  ['preferred_username'],
] as const;
const ROLES = ['roles', 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role'];

export interface PrincipalRules {
  platformSignIn: boolean;
  /** Tenants whose users may sign in. */
  signInTenants: readonly string[];
  adminObjectIds: readonly string[];
}

/** `foreign`: signed in with a provider other than Entra, or in another tenant. */
export type PrincipalReading =
  | { kind: 'known'; principal: Principal }
  | { kind: 'foreign' }
  | { kind: 'nobody' };

/**
 * Reads `X-MS-CLIENT-PRINCIPAL`: base64 of JSON, unsigned. It is trusted only while the platform's sign-in
 * is on, which strips the header from outside requests. Roles and object IDs are only meaningful in our
 * tenant: another provider added to the platform's sign-in may issue the same strings.
 * https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities
 */
export function judgePrincipal(header: string | undefined, config: PrincipalRules): PrincipalReading {
  const nobody = { kind: 'nobody' } as const;
  if (!config.platformSignIn || header === undefined) return nobody;
  const parsed = clientPrincipal.safeParse(jsonOf(header));
  if (!parsed.success) return nobody;
  const claim = (types: readonly string[]): string[] =>
    parsed.data.claims.filter(({ typ }) => types.includes(typ)).map(({ val }) => val);
  const [id] = claim(OBJECT_ID);
  if (id === undefined) return nobody;
  const tenants = claim(TENANT).map((tenant) => tenant.toLowerCase());
  const isOurs = tenants.length > 0 && tenants.every((tenant) => config.signInTenants.includes(tenant));
  if (parsed.data.auth_typ !== 'aad' || !isOurs) return { kind: 'foreign' };
  const roles = new Set<Role>(
    claim(ROLES).filter((role): role is Role => role === 'admin' || role === 'agent'),
  );
  if (config.adminObjectIds.includes(id)) roles.add('admin');
  const [address] = ADDRESS.flatMap((types) => claim(types));
  return { kind: 'known', principal: { id, name: claim(NAME)[0] ?? id, address, roles: [...roles] } };
}

/** The signed-in principal of our tenants; undefined otherwise. */
export function readPrincipal(header: string | undefined, config: PrincipalRules): Principal | undefined {
  const reading = judgePrincipal(header, config);
  return reading.kind === 'known' ? reading.principal : undefined;
}

function jsonOf(base64: string): unknown {
  try {
    return JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
  } catch {
    return undefined;
  }
}
