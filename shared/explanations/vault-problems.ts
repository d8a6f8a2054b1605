import type { VaultCode } from '../platform/problem.ts';
import type { Meaning, Meanings } from './explanation.ts';
import { giveVaultRole, letIntoVault, nothingToDo, waitForRole } from './phrases.ts';

const recoverEncryptionKey =
  'If the encryption key was deleted, recover it: open the key vault, Secrets, “Manage deleted secrets”.';

/** Key Vault, the managed identity that it is asked with, and the encryption key in it. */
export const vaultProblems = {
  'key-vault': {
    title: 'Key Vault does not respond',
    cause: 'Azure Key Vault is down, or Postroom’s network blocks the request.',
    who: 'you',
    retry: 'by-itself',
    steps: [nothingToDo, 'If it continues, open the key vault in the Azure portal and check its networking.'],
    links: ['key-vaults'],
  },
  'key-vault-denied': {
    title: 'Key Vault denies access to this installation',
    cause: 'The managed identity has no role on the key vault, or the vault’s firewall blocks Postroom.',
    who: 'you',
    retry: 'after-fix',
    steps: [giveVaultRole, waitForRole, `If it already has the role: ${letIntoVault}`],
    links: ['key-vaults', 'function-apps'],
  },
  'key-vault-throttled': {
    title: 'Key Vault is throttling requests',
    cause: 'The vault accepts 4,000 requests in ten seconds from all its clients together.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [
      'No action needed: Postroom waits a little longer each time.',
      'If it continues, give Postroom its own vault.',
    ],
    links: ['key-vaults'],
  },
  'no-identity': {
    title: 'The managed identity returns no token',
    cause:
      'The provider trusts Postroom’s managed identity, but the function app has none that issues tokens, or Postroom is not running on Azure.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Open the function app, Identity, “User assigned”, and check that the installation’s identity is listed there.',
      'Outside Azure: in Postroom, open the provider and enter a client secret or a certificate.',
    ],
    links: ['function-apps'],
  },
  'secret-disabled': {
    title: 'The credential is disabled in the key vault',
    cause: 'Someone disabled the entry of the provider’s credential.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Open the key vault, Secrets, the entry of this provider, and set its newest version to “Enabled”.',
      'Postroom checks it again within ten minutes.',
    ],
    links: ['key-vaults'],
  },
  'bad-encryption-key': {
    title: 'The encryption key in Key Vault was not created by Postroom',
    cause:
      'Someone added a version of the encryption key that is not 32 bytes in base64. Postroom does not use it.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Open the key vault, Secrets, postroom-encryption-key, and disable the version that was added there.',
    ],
    links: ['key-vaults'],
  },
  'sealed-unreadable': {
    title: 'Stored tokens cannot be read: the encryption key in Key Vault was replaced or removed',
    cause: 'Data can only be decrypted with the key that encrypted it, and the vault no longer has that key.',
    who: 'you',
    retry: 'after-fix',
    steps: [recoverEncryptionKey],
    links: ['key-vaults'],
  },
  'no-graph': {
    title: 'This installation does not use Microsoft Graph',
    cause:
      'Postroom is running on a developer’s machine, where it does not send requests to Microsoft Graph.',
    who: 'you',
    retry: 'after-fix',
    steps: ['In Postroom, open the provider and replace its credential yourself.'],
    links: [],
  },
} satisfies Meanings;

const encryptionKeyDisabled: Meaning = {
  title: 'The encryption key is disabled in Key Vault',
  cause: 'Someone disabled the newest version of the encryption key, which protects all stored sign-ins.',
  who: 'you',
  retry: 'after-fix',
  steps: ['Open the key vault, Secrets, postroom-encryption-key, and set its newest version to “Enabled”.'],
  links: ['key-vaults'],
};

/** What a failure of the vault means where the encryption key, and not a provider's credential, was asked for. Pure. */
export const vaultMeaning = (code: VaultCode): Meaning =>
  code === 'secret-disabled' ? encryptionKeyDisabled : vaultProblems[code];
