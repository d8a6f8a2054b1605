import type { VaultCode } from '../platform/problem.ts';
import type { Meaning, Meanings } from './explanation.ts';
import { giveVaultRole, letIntoVault, nothingToDo, waitForRole } from './phrases.ts';

const recoverDataKey =
  'If the encryption key was deleted, recover it: open the key vault, Secrets, “Manage deleted secrets”.';

/** Key Vault, the managed identity that it is asked with, and the encryption key in it. */
export const vaultProblems = {
  'key-vault': {
    title: 'Key Vault does not respond',
    cause: 'Azure Key Vault is away, or the network of Postroom does not let the request out.',
    who: 'you',
    retry: 'by-itself',
    steps: [nothingToDo, 'If it lasts: open the key vault in the Azure portal, and check its networking.'],
    links: ['key-vaults'],
  },
  'key-vault-denied': {
    title: 'Key Vault denies access to this installation',
    cause: 'The managed identity has no role at the key vault, or its firewall keeps Postroom out.',
    who: 'you',
    retry: 'after-fix',
    steps: [giveVaultRole, waitForRole, `If the role is there: ${letIntoVault}`],
    links: ['key-vaults', 'function-apps'],
  },
  'key-vault-throttled': {
    title: 'Key Vault is throttling requests',
    cause: 'The vault takes 4,000 requests in ten seconds, from all who use it together.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [
      'Nothing is to be done: Postroom waits a little longer each time.',
      'If it lasts: give Postroom a vault of its own.',
    ],
    links: ['key-vaults'],
  },
  'no-identity': {
    title: 'The managed identity returns no token',
    cause:
      'The provider trusts the managed identity of Postroom, and the function app has none that gives tokens, or Postroom runs elsewhere than on Azure.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Open the function app, Identity, “User assigned”, and check that the identity of the installation is listed there.',
      'Elsewhere than on Azure: in Postroom, open the provider and enter a client secret or a certificate.',
    ],
    links: ['function-apps'],
  },
  'secret-disabled': {
    title: 'The credential is switched off in the key vault',
    cause: 'Somebody has disabled the entry of the provider’s credential.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Open the key vault, Secrets, the entry of this provider, and set its newest version to “Enabled”.',
      'Postroom looks again after ten minutes at most.',
    ],
    links: ['key-vaults'],
  },
  'bad-data-key': {
    title: 'The encryption key in Key Vault was not created by Postroom',
    cause:
      'Somebody added a version of the encryption key that is not 32 bytes in base64, and Postroom does not use it.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Open the key vault, Secrets, postroom-data-key, and disable the version that somebody added there.',
    ],
    links: ['key-vaults'],
  },
  'sealed-unreadable': {
    title: 'Stored tokens cannot be read: the encryption key in Key Vault was replaced or removed',
    cause: 'Data can only be decrypted with the key that encrypted it, and the vault no longer has that key.',
    who: 'you',
    retry: 'after-fix',
    steps: [recoverDataKey],
    links: ['key-vaults'],
  },
  'no-graph': {
    title: 'This installation does not ask Microsoft Graph',
    cause: 'Postroom runs on a developer’s machine, where it asks Microsoft Graph for nothing.',
    who: 'you',
    retry: 'after-fix',
    steps: ['In Postroom, open the provider and replace its credential by hand.'],
    links: [],
  },
} satisfies Meanings;

const dataKeyDisabled: Meaning = {
  title: 'The encryption key is disabled in Key Vault',
  cause:
    'Somebody has disabled the newest version of the encryption key, with which Postroom locks all sign-ins.',
  who: 'you',
  retry: 'after-fix',
  steps: ['Open the key vault, Secrets, postroom-data-key, and set its newest version to “Enabled”.'],
  links: ['key-vaults'],
};

/** What a failure of the vault means where the encryption key, and not a provider's credential, was asked for. Pure. */
export const vaultMeaning = (code: VaultCode): Meaning =>
  code === 'secret-disabled' ? dataKeyDisabled : vaultProblems[code];
