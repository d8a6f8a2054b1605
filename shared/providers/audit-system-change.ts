import type { AuditStore } from '../audit/audit-store.ts';
import { log } from '../platform/log.ts';
import type { Seam } from '../platform/seam.ts';
import { type Credential, expiryOf, thumbprintOf } from './credential.ts';
import type { Provider } from './provider.ts';

export interface RecordDeps {
  audit: Pick<AuditStore, 'record'>;
  seam: Pick<Seam, 'now'>;
}

/** Audit actor for changes the system makes itself. */
const postroom = { id: 'postroom', name: 'Postroom (automatic)' };

/**
 * Records an automatic change of a provider's credentials in the audit log. The change has already been
 * made, so unavailable storage is only logged.
 * @param action a past participle: `new credential in use`
 */
export async function auditSystemChange(
  { audit, seam }: RecordDeps,
  action: string,
  before: Provider,
  after: Provider,
): Promise<void> {
  try {
    await audit.record({
      at: seam.now(),
      principal: postroom,
      action,
      subject: { kind: 'provider', id: after.id, name: after.name },
      before: credentialsForAudit(before),
      after: credentialsForAudit(after),
    });
  } catch (error) {
    log.error('change not in the audit', error, { provider: after.id, action });
  }
}

/** The credentials as shown in the audit log: kind and expiry date, never a secret. Pure. */
export const credentialsForAudit = ({
  credential,
  nextCredential,
}: Pick<Provider, 'credential' | 'nextCredential'>): Readonly<Record<string, string | undefined>> => ({
  credential: credential && credentialInWords(credential),
  'new credential': nextCredential && credentialInWords(nextCredential),
});

function credentialInWords(credential: Credential): string {
  const set = `set at ${credential.setAt}`;
  if (credential.kind === 'federated') return `managed identity, ${set}`;
  const expiresOn = expiryOf(credential);
  const until = expiresOn === undefined ? 'that does not expire' : `until ${expiresOn.slice(0, 10)}`;
  return credential.kind === 'secret'
    ? `client secret ${until}, ${set}`
    : `certificate ${thumbprintOf(credential.certificate)} ${until}, ${set}`;
}
