import { encryptionKeyName } from '../../shared/accounts/token-encryption.ts';
import type { AuditChange } from '../../shared/audit/audit.ts';
import type { Services } from '../services.ts';

/**
 * Creates a new version of the encryption key, used from now on. The audit entry is written before the key, once the vault
 * has responded.
 * @throws PostroomError when the vault or storage is unavailable
 */
export async function replaceEncryptionKey(
  { audit, seam, sealer, vault }: Pick<Services, 'audit' | 'seam' | 'sealer' | 'vault'>,
  by: AuditChange['principal'],
): Promise<void> {
  await vault.versionsOf(encryptionKeyName);
  await audit.record({
    at: seam.now(),
    principal: by,
    action: 'encryption key replaced',
    subject: { kind: 'secret', id: encryptionKeyName, name: 'encryption key' },
  });
  await sealer.rotate();
}
