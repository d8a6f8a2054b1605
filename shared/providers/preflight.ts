import { z } from 'zod';

const proof = z.enum(['proven', 'wrong', 'unknown']);
/** As stored with its provider. */
export const preflight = z.object({
  at: z.string(),
  tenant: proof,
  client: proof,
  credential: proof,
  evidence: z.string().optional(),
  next: proof.optional(),
  nextEvidence: z.string().optional(),
  enterpriseId: z.string().optional(),
});

/** `unknown`: there was no response, or an earlier check failed. */
export type Proof = z.infer<typeof proof>;

/**
 * The result of checking a provider before anyone signs in: whether the tenant (or issuer) exists, whether
 * it knows the client ID, and whether it accepts the credential. `enterpriseId` is the object ID of the
 * enterprise application, if the token contained it; links to its pages use it.
 */
export type Preflight = Readonly<z.infer<typeof preflight>>;

/** True when everything was proven, so that a sign-in can start. */
export const isReadyToSignIn = (found: Preflight | undefined): boolean =>
  found !== undefined && [found.tenant, found.client, found.credential].every((one) => one === 'proven');
