import type { Secret } from '../platform/secret.ts';
import type { Vault } from '../platform/vault.ts';
import { type ClientSecret, secretName } from './credential.ts';

/** Puts a client secret into the vault, as a new version of the provider's entry. `expiresOn`: ISO time. */
export async function keepSecret(
  deps: { vault: Vault; seam: { now(): number } },
  providerId: string,
  secret: { value: Secret; expiresOn: string },
): Promise<ClientSecret> {
  const vaultName = secretName(providerId);
  const { version } = await deps.vault.set(vaultName, secret.value, {
    expiresOn: secret.expiresOn,
    contentType: 'text/plain; what=oauth-client-secret',
    tags: { provider: providerId },
  });
  const setAt = new Date(deps.seam.now()).toISOString();
  return { kind: 'secret', vaultName, version, setAt, expiresOn: secret.expiresOn };
}
