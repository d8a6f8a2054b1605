import type { Secret } from '../platform/secret.ts';
import type { Vault } from '../platform/vault.ts';
import { type ClientCertificate, type ClientSecret, secretName } from './credential.ts';

interface KeepDeps {
  vault: Vault;
  seam: { now(): number };
}

/**
 * Stores a client secret in the vault, as a new version of the provider's entry. `expiresOn`: ISO time,
 * undefined if it does not expire. `key`: its ID at the provider, if known.
 */
export async function storeSecret(
  deps: KeepDeps,
  providerId: string,
  secret: { value: Secret; expiresOn: string | undefined; key?: string },
): Promise<ClientSecret> {
  const vaultName = secretName(providerId);
  const { version } = await deps.vault.set(vaultName, secret.value, {
    ...(secret.expiresOn !== undefined && { expiresOn: secret.expiresOn }),
    contentType: 'text/plain; what=oauth-client-secret',
    tags: { provider: providerId, ...(secret.key !== undefined && { key: secret.key }) },
  });
  const setAt = new Date(deps.seam.now()).toISOString();
  return { kind: 'secret', vaultName, version, setAt, expiresOn: secret.expiresOn };
}

/**
 * Creates a key with its certificate and stores both in the vault as a new version of the provider's entry.
 * `expiresOn`: ISO time.
 */
export async function storeNewCertificate(
  deps: KeepDeps,
  provider: { id: string; name: string },
  expiresOn: string,
): Promise<ClientCertificate> {
  const vaultName = secretName(provider.id);
  const now = deps.seam.now();
  // Imported on demand, because most processes never create a certificate.
  const { createCertificate } = await import('./create-certificate.ts');
  const { certificate, pem } = await createCertificate(`Postroom ${provider.name}`, now, expiresOn);
  const { version } = await deps.vault.set(vaultName, pem, {
    expiresOn,
    contentType: 'application/x-pem-file; what=oauth-client-certificate',
    tags: { provider: provider.id },
  });
  const setAt = new Date(now).toISOString();
  return { kind: 'certificate', vaultName, version, setAt, expiresOn, certificate };
}
