import { createPrivateKey, type KeyObject } from 'node:crypto';
import type { IdentityAssertion } from '../platform/credential.ts';
import { PostroomError } from '../platform/errors.ts';
import type { Seam } from '../platform/seam.ts';
import type { Secret } from '../platform/secret.ts';
import type { Vault, VaultEntry } from '../platform/vault.ts';
import { type Credential, sha256ThumbprintOf, type VaultVersion } from '../providers/credential.ts';
import { exchangeAudienceOf, type Provider } from '../providers/provider.ts';

/** The client authentication of a token request. */
export type ClientProof =
  | { kind: 'secret'; value: Secret }
  /** `thumbprint`: `x5t#S256` of the certificate. */
  | { kind: 'certificate'; privateKey: KeyObject; thumbprint: string }
  | { kind: 'assertion'; value: Secret };

export interface ProofDeps {
  seam: Seam;
  vault: Vault;
  identityAssertion: IdentityAssertion;
}

/** The entry is missing from Key Vault, or that version is disabled. */
export type ProofGap = 'missing' | 'disabled';

/**
 * Fetches the secret, key or assertion of a credential.
 * @throws PostroomError when the vault or the identity endpoint is unavailable
 */
export async function proofOf(
  deps: ProofDeps,
  provider: Provider,
  credential: Credential,
): Promise<ClientProof | { kind: 'gap'; gap: ProofGap }> {
  if (credential.kind === 'federated')
    return { kind: 'assertion', value: await assertionFor(deps, provider) };
  const entry = await entryOf(deps.vault, credential);
  if (entry === 'missing' || entry === 'disabled') return { kind: 'gap', gap: entry };
  if (credential.kind === 'secret') return { kind: 'secret', value: entry.value };
  return {
    kind: 'certificate',
    privateKey: createPrivateKey(entry.value.expose()),
    thumbprint: sha256ThumbprintOf(credential.certificate),
  };
}

async function entryOf(vault: Vault, { vaultName, version }: VaultVersion): Promise<VaultEntry | ProofGap> {
  try {
    return (await vault.get(vaultName, version)) ?? 'missing';
  } catch (error) {
    if (error instanceof PostroomError && error.code === 'secret-disabled') return 'disabled';
    throw error;
  }
}

/**
 * Gets an assertion of the managed identity for this app, for the provider's cloud.
 * @throws PostroomError `no-identity` when there is no identity endpoint, or it returns no token
 */
export async function assertionFor(
  deps: Pick<ProofDeps, 'seam' | 'identityAssertion'>,
  provider: Provider,
): Promise<Secret> {
  try {
    return await deps.seam.call('token.identity', () => deps.identityAssertion(exchangeAudienceOf(provider)));
  } catch (error) {
    if (error instanceof PostroomError) throw error;
    throw new PostroomError(
      'no-identity',
      'The managed identity returned no token: it must be user-assigned to the Functions app.',
      { cause: error },
    );
  }
}
