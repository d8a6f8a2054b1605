import type { AuditChange, Settings } from '../audit/audit.ts';
import { credentialsForAudit } from './audit-system-change.ts';
import type { Provider } from './provider.ts';

/**
 * A change of a provider as the audit log shows it, under its new name. Pure.
 * @param change `at`: milliseconds since the epoch; `before` is absent for a new provider, `after` for a
 * deleted one
 */
export function providerEntry(
  change: Pick<AuditChange, 'at' | 'principal' | 'action'> &
    ({ before?: Provider; after: Provider } | { before: Provider; after?: undefined }),
): AuditChange {
  const { before, after, ...rest } = change;
  const { id, name } = after ?? before;
  return {
    ...rest,
    subject: { kind: 'provider', id, name },
    ...(before !== undefined && { before: settingsForAudit(before) }),
    ...(after !== undefined && { after: settingsForAudit(after) }),
  };
}

/** Never contains a secret: the type refuses it. */
function settingsForAudit(provider: Provider): Settings {
  const { endpoints } = provider;
  return {
    name: provider.name,
    state: provider.state,
    kind: provider.preset,
    cloud: provider.cloud,
    tenant: provider.tenant,
    'client ID': provider.clientId,
    issuer: endpoints?.kind === 'discovery' ? endpoints.issuer : undefined,
    'authorization endpoint': endpoints?.kind === 'manual' ? endpoints.authorization : undefined,
    'token endpoint': endpoints?.kind === 'manual' ? endpoints.token : undefined,
    'IMAP server': provider.mailHosts?.imap,
    'SMTP server': provider.mailHosts?.smtp,
    'POP3 server': provider.mailHosts?.pop3,
    scopes: provider.scopes,
    'reads and sends over': provider.ways,
    ...credentialsForAudit(provider),
  };
}
