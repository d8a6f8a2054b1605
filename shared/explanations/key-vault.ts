import type { LineEntry } from './explanation.ts';
import { giveVaultRole, letIntoVault, waitForRole } from './phrases.ts';
import { ownEntry } from './problem-meanings.ts';

/** Errors of Key Vault, the storage account and the managed identity. */
export const azureEntries: readonly LineEntry[] = [
  {
    code: 'key-vault-role-missing',
    pattern: /\bForbiddenByRbac\b|\bCaller is not authorized to perform action on resource\b/i,
    title: 'Postroom is not allowed to read its key vault',
    cause: 'The managed identity has no role on the key vault, or was given it only a moment ago.',
    who: 'you',
    retry: 'after-fix',
    steps: [giveVaultRole, waitForRole],
    links: ['key-vaults', 'function-apps'],
  },
  {
    code: 'key-vault-private-only',
    pattern: /\bPublic network access is disabled and request is not from a trusted service\b/i,
    title: 'The key vault is closed to the public network',
    cause: 'The key vault accepts requests only over a private endpoint, and Postroom does not use it.',
    who: 'you',
    retry: 'after-fix',
    steps: [letIntoVault, 'Check that the vault’s name resolves to a private address in that network.'],
    links: ['key-vaults', 'function-apps'],
  },
  {
    code: 'key-vault-firewall',
    pattern:
      /\bForbiddenByFirewall\b|\bClient address is not authorized and caller is not a trusted service\b/i,
    title: 'The key vault’s firewall blocks Postroom',
    cause: 'The key vault does not allow Postroom’s address.',
    who: 'you',
    retry: 'after-fix',
    steps: [letIntoVault, 'Try again after a minute.'],
    links: ['key-vaults', 'function-apps'],
  },
  ownEntry(
    'key-vault-throttled',
    /\bVaultRequestTypeLimitReached\b|\bvault\.azure\.net\b.{0,200}\b429\b|\bKey Vault did not .{1,160}\(status 429\)/i,
  ),
  {
    code: 'key-vault-secret-missing',
    pattern: /\bSecretNotFound\b/,
    title: 'The secret is not in the key vault',
    cause: 'It was deleted in the vault, or Postroom uses a different vault than before.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Open the key vault, Secrets, “Manage deleted secrets”, and recover it.',
      'Or open the provider in Postroom and enter the client secret again.',
    ],
    links: ['key-vaults'],
  },
  {
    code: 'key-vault-deleted',
    pattern: /\bdeleted but recoverable state\b|\bObjectIsDeletedButRecoverable\b|\bVaultAlreadyExists\b/i,
    title: 'The name is still reserved by a deleted item',
    cause: 'Azure keeps deleted vaults and secrets for some time, and their names stay reserved.',
    who: 'you',
    retry: 'after-fix',
    steps: ['Recover the deleted item, or purge it if you are allowed to.', 'Or choose another name.'],
    links: ['key-vaults'],
  },
  {
    code: 'key-vault-conflict',
    pattern: /\bConflictError\b/,
    title: 'Two changes to one secret collided',
    cause: 'Another change to the same secret was in progress.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: ['No action needed: Postroom tries again.'],
    links: [],
  },
  {
    code: 'key-vault-tenant',
    pattern: /\bAKV10032\b/,
    title: 'The key vault belongs to another tenant',
    cause: 'The vault trusts a tenant other than the managed identity’s.',
    who: 'you',
    retry: 'after-fix',
    steps: ['Create the key vault in the function app’s tenant, and set KEY_VAULT_URI to it.'],
    links: ['key-vaults'],
  },
  ownEntry('key-vault-denied', /\bKey Vault did not .{1,160}\(status 403\)/i),
  {
    code: 'storage-role-missing',
    pattern: /\bAuthorizationPermissionMismatch\b/,
    title: 'Postroom is not allowed to use its storage',
    cause:
      'The managed identity lacks a data role on the storage account, or was given it only a moment ago.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Open the storage account, “Access control (IAM)”, and give the managed identity the roles Storage Table Data Contributor, Storage Blob Data Contributor and Storage Queue Data Contributor.',
      waitForRole,
    ],
    links: ['storage-accounts', 'function-apps'],
  },
  {
    code: 'storage-keys-off',
    pattern: /\bKeyBasedAuthenticationNotPermitted\b/,
    title: 'The storage account does not accept keys',
    cause: 'A connection string with a key is set, but key access to the storage account is disabled.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'In the function app’s settings, replace DataStorage and AzureWebJobsStorage with their identity-based forms, as in the Bicep file.',
    ],
    links: ['storage-accounts', 'function-apps'],
  },
  {
    code: 'managed-identity-missing',
    pattern:
      /\bManagedIdentityCredential\b.{0,200}\b(?:no managed identity|identity not found|unavailable|authentication failed)\b|\bno managed identity (?:endpoint )?(?:found|assigned)\b/i,
    title: 'The managed identity is missing',
    cause: 'The function app has no user-assigned identity, or AZURE_CLIENT_ID is the ID of another one.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Open the function app, Identity, “User assigned”, and add the identity.',
      'In its settings, set AZURE_CLIENT_ID to the client ID of that identity.',
    ],
    links: ['function-apps'],
  },
];
