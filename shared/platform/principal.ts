import { z } from 'zod';

/** Who is signed in on the pages, as the platform's sign-in says. */
export interface Principal {
  /** Object id in the directory: what allow-lists and the audit name. */
  id: string;
  name: string;
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
const ROLES = ['roles', 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role'];

export interface PrincipalRules {
  platformSignIn: boolean;
  /** Tenants whose people may come. */
  signInTenants: readonly string[];
  adminObjectIds: readonly string[];
}

/** `foreign`: signed in, but at another provider than Entra, or in another tenant. */
export type PrincipalReading =
  | { kind: 'known'; principal: Principal }
  | { kind: 'foreign' }
  | { kind: 'nobody' };

/**
 * Reads `X-MS-CLIENT-PRINCIPAL`: base64 of JSON, unsigned, so it is believed only while the platform's sign-in is on,
 * which strips the header from outside requests. Roles and object ids mean something in our tenant alone: another
 * provider that somebody adds to the platform's sign-in may hand out the same words.
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
  return { kind: 'known', principal: { id, name: claim(NAME)[0] ?? id, roles: [...roles] } };
}

/** The signed-in principal of ours; undefined for everybody else. */
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
