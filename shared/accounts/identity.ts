import type { Identity } from './account.ts';

/** Reads who signed in from the verified claims of an id_token. */
export function identityOf(claims: Readonly<Record<string, unknown>>): Identity {
  const text = (name: string): string | undefined => {
    const value = claims[name];
    return typeof value === 'string' && value !== '' && value.length <= 512 ? value : undefined;
  };
  // Microsoft's `email` does not prove ownership and may be absent; Google sends no preferred_username and
  // says whether the address is verified.
  // https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference
  const verifiedEmail = claims['email_verified'] === true ? text('email') : undefined;
  const user = text('preferred_username') ?? verifiedEmail;
  const claimed = user === undefined ? text('email') : undefined;
  return {
    issuer: text('iss') ?? '',
    subject: text('sub') ?? '',
    tenantId: text('tid'),
    objectId: text('oid'),
    user,
    ...(claimed !== undefined && { claimed }),
    name: text('name'),
  };
}
