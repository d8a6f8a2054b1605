import type { LineEntry } from './explanation.ts';
import { ownEntry } from './problem-meanings.ts';

/** Postroom's own sentences about accounts and providers, which may be pasted without their code. */
export const postroomEntries: readonly LineEntry[] = [
  ownEntry('account-missing', /\bThe account that signs in was removed\b/),
  ownEntry('provider-missing', /\bThe provider was deleted\b/),
  ownEntry('refresh-busy', /\bAnother process is renewing the sign-in\b/),
  ownEntry('secret-missing', /\bThe (?:client secret|credential) of .{1,200} is not in Key Vault\b/),
  ownEntry('secret-disabled', /\bThe credential of .{1,200} is disabled in Key Vault\b/),
  ownEntry('tokens-unreadable', /\bThe stored sign-in cannot be read\b/),
  ownEntry('endpoint-private', /\bresolves to a private address\b/),
  ownEntry(
    'endpoint-refused',
    /\bhas a URL that cannot be used\b|\bhas no authorization endpoint\b|\bDiscovery at \S{1,300} (?:names another issuer|finds nothing)\b/,
  ),
  ownEntry('no-identity', /\bThe managed identity returned no token\b/),
  ownEntry('provider-changed', /\bThe tenant or the client ID of .{1,200} was changed\b/),
  ownEntry(
    'no-answer',
    /\bNo response from\b|\bThe sign-in service of .{1,200} does not respond\b|\bendpoint-silent\b/,
  ),
];
