import { z } from 'zod';

const proof = z.enum(['proven', 'wrong', 'unknown']);
/** As it is stored beside its provider. */
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

/** Unknown: nothing answered, or something before it was wrong already. */
export type Proof = z.infer<typeof proof>;

/**
 * What was found out about a provider before anybody signs in: whether the tenant (or the issuer) exists, whether it
 * knows the client ID, and whether it accepts the credential. `enterpriseId` is the object id of the enterprise
 * application, where the token of the check said so; links lead to its pages with it.
 */
export type Preflight = Readonly<z.infer<typeof preflight>>;

/** True when everything was proven, so that a sign-in can begin. */
export const isReadyToSignIn = (found: Preflight | undefined): boolean =>
  found !== undefined && [found.tenant, found.client, found.credential].every((one) => one === 'proven');
