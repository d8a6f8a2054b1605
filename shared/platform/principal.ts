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
  claims: z.array(z.object({ typ: z.string(), val: z.string() })),
});
const OBJECT_ID = ['http://schemas.microsoft.com/identity/claims/objectidentifier', 'oid'];
const NAME = ['name', 'preferred_username', 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name'];
const ROLES = ['roles', 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role'];

/**
 * Reads `X-MS-CLIENT-PRINCIPAL`: base64 of JSON, unsigned, so it is believed only while the platform's sign-in is on,
 * which strips the header from outside requests.
 * https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities
 */
export function readPrincipal(
  header: string | undefined,
  config: { platformSignIn: boolean; adminObjectIds: readonly string[] },
): Principal | undefined {
  if (!config.platformSignIn || header === undefined) return undefined;
  const parsed = clientPrincipal.safeParse(jsonOf(header));
  if (!parsed.success) return undefined;
  const claim = (types: readonly string[]): string[] =>
    parsed.data.claims.filter(({ typ }) => types.includes(typ)).map(({ val }) => val);
  const [id] = claim(OBJECT_ID);
  if (id === undefined) return undefined;
  const roles = new Set<Role>(
    claim(ROLES).filter((role): role is Role => role === 'admin' || role === 'agent'),
  );
  if (config.adminObjectIds.includes(id)) roles.add('admin');
  return { id, name: claim(NAME)[0] ?? id, roles: [...roles] };
}

function jsonOf(base64: string): unknown {
  try {
    return JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
  } catch {
    return undefined;
  }
}
