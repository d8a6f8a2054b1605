import type { IdentityAssertion } from '../platform/credential.ts';
import { PostroomError } from '../platform/errors.ts';
import type { Seam } from '../platform/seam.ts';
import type { Provider } from '../providers/provider.ts';
import { assertionFor } from './client-proof.ts';
import { objectOf } from './token-failure.ts';

/** Issuer and subject to enter in the app registration, or why they are unknown. */
export type TrustedIdentity =
  | { kind: 'known'; issuer: string; subject: string }
  | { kind: 'silent'; sentence: string };

/**
 * Reads issuer and subject from the managed identity's own token, the one that Entra compares with the app
 * registration, so that they can't differ from it.
 */
export async function trustedIdentityFor(
  deps: { seam: Seam; identityAssertion: IdentityAssertion },
  provider: Provider,
): Promise<TrustedIdentity> {
  try {
    const token = await assertionFor(deps, provider);
    const [, payload = ''] = token.expose().split('.');
    const claims = objectOf(Buffer.from(payload, 'base64url').toString('utf8'));
    return { kind: 'known', issuer: String(claims['iss'] ?? ''), subject: String(claims['sub'] ?? '') };
  } catch (error) {
    if (error instanceof PostroomError) return { kind: 'silent', sentence: error.message };
    throw error;
  }
}
