import type { VaultCode } from '../platform/problem.ts';
import type { Resource } from '../providers/protocol-access.ts';
import type { Provider } from '../providers/provider.ts';
import type { Account, Problem } from './account.ts';
import type { Unproven } from './oauth-client.ts';
import type { Lasting } from './token-failure.ts';
import { vaultInWords } from './vault-failure.ts';

/** The text for a person about a lasting refusal, and how to fix it. */
export function problemFor(
  verdict: Lasting,
  account: Account,
  provider: Provider | undefined,
  unfinished: string | undefined,
): Problem {
  const { code, message } = verdict;
  if (verdict.blames === 'credential')
    return {
      code,
      message: `${provider?.name ?? 'The provider'} refuses the client ID or the client secret of this app. Replace the provider’s secret. Server message: ${message}`,
    };
  if (verdict.blames === 'settings' || account.kind === 'app') return { code, message };
  if (unfinished !== undefined)
    return {
      code,
      message: `At ${unfinished} Postroom requested a new token and was stopped before the response was stored; the provider no longer accepts the previous one. Connect the mailbox again. Server message: ${message}`,
    };
  return {
    code,
    message: `The sign-in of ${account.user} has ended. Connect the mailbox again. Server message: ${message}`,
  };
}

const resourceInWords: Readonly<Record<Resource, string>> = {
  outlook: 'the mail servers',
  graph: 'Microsoft Graph',
};

/** The text about a refusal of one resource, while the sign-in works for the other. */
export const resourceRefused = (
  { code, message }: Lasting,
  { user }: Pick<Account, 'user'>,
  resource: Resource,
): Problem => ({
  code,
  message: `The provider returns no token for ${resourceInWords[resource]} for ${user}; the other protocols of this account keep working. Server message: ${message}`,
});

/** A token for a resource of which no permission was granted. */
export const notGranted = ({ user, kind }: Pick<Account, 'user' | 'kind'>, resource: Resource): Problem => ({
  code: 'permission-not-granted',
  message: `${kind === 'app' ? 'The app' : user} has no permission for ${resourceInWords[resource]}. Sign in again for this protocol and grant it.`,
});

export const credentialGone = (provider: Provider, reason: Unproven['reason']): Problem =>
  reason === 'disabled'
    ? {
        code: 'secret-disabled',
        message: `The credential of ${provider.name} is disabled in Key Vault. Enable it there, or replace the provider’s credential.`,
      }
    : {
        code: 'secret-missing',
        message: `The credential of ${provider.name} is not in Key Vault. Replace the provider’s credential.`,
      };

/** `code`: how the vault or the identity endpoint failed. No new sign-in is needed. */
export function credentialUnavailable({ name }: Provider, code: VaultCode): Problem {
  if (code === 'no-identity')
    return {
      code,
      message: `The managed identity returned no token for signing in at ${name}: it must be user-assigned to the Functions app. Postroom retries automatically.`,
    };
  const reason = vaultInWords({ code })
    .happened.replace(/^Key Vault\b/, 'it')
    .replace(/^The\b/, 'the');
  return {
    code,
    message: `Key Vault does not return the credential for ${name}: ${reason}. Postroom retries automatically.`,
  };
}

export const providerGone: Problem = {
  code: 'provider-missing',
  message: 'The provider was deleted. Connect the mailbox again.',
};

export const unreadable: Problem = {
  code: 'tokens-unreadable',
  message:
    'The stored sign-in cannot be read: it was made for different endpoints than the provider has now, or the encryption key in Key Vault was replaced or removed. Connect the mailbox again.',
};
