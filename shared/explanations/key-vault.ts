import type { LineEntry } from './explanation.ts';

const giveVaultRole =
  'Open the key vault, “Access control (IAM)”, and give the managed identity of Postroom the role Key Vault Secrets Officer.';
const waitForRole = 'A new role works after up to ten minutes. Then it goes on by itself.';
const letIn =
  'Connect the function app with a virtual network, and give the key vault a private endpoint or a rule for that network. Functions do not count as a trusted service.';

/** What Key Vault, the storage account and the managed identity say to the app itself. */
export const azureEntries: readonly LineEntry[] = [
  {
    code: 'key-vault-role-missing',
    pattern: /\bForbiddenByRbac\b|\bCaller is not authorized to perform action on resource\b/i,
    title: 'Postroom may not read its key vault',
    cause: 'The managed identity has no role at the key vault, or it was given a moment ago.',
    who: 'you',
    retry: 'after-fix',
    steps: [giveVaultRole, waitForRole],
    links: ['key-vaults', 'function-apps'],
  },
  {
    code: 'key-vault-private-only',
    pattern: /\bPublic network access is disabled and request is not from a trusted service\b/i,
    title: 'The key vault is closed to the public network',
    cause: 'The key vault takes requests over a private endpoint only, and Postroom comes another way.',
    who: 'you',
    retry: 'after-fix',
    steps: [letIn, 'Check that the name of the vault resolves to a private address in that network.'],
    links: ['key-vaults', 'function-apps'],
  },
  {
    code: 'key-vault-firewall',
    pattern:
      /\bForbiddenByFirewall\b|\bClient address is not authorized and caller is not a trusted service\b/i,
    title: 'The firewall of the key vault keeps Postroom out',
    cause: 'The address from which Postroom comes is not allowed at the key vault.',
    who: 'you',
    retry: 'after-fix',
    steps: [letIn, 'Try again after a minute.'],
    links: ['key-vaults', 'function-apps'],
  },
  {
    code: 'key-vault-throttled',
    pattern:
      /\bVaultRequestTypeLimitReached\b|\bvault\.azure\.net\b.{0,200}\b429\b|\bKey Vault did not .{1,160}\(status 429\)/i,
    title: 'The key vault slows Postroom down',
    cause: 'The vault takes 4,000 requests in ten seconds, from all who use it together.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [
      'Nothing is to be done: Postroom waits a little longer each time.',
      'If it lasts: give Postroom a vault of its own.',
    ],
    links: ['key-vaults'],
  },
  {
    code: 'key-vault-secret-missing',
    pattern: /\bSecretNotFound\b/,
    title: 'The secret is not in the key vault',
    cause: 'It was deleted in the vault, or the vault is another one than before.',
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
    title: 'The name is taken by something deleted',
    cause: 'Azure keeps deleted vaults and secrets for a while, and their names with them.',
    who: 'you',
    retry: 'after-fix',
    steps: ['Recover what was deleted, or purge it if you may.', 'Or choose another name.'],
    links: ['key-vaults'],
  },
  {
    code: 'key-vault-conflict',
    pattern: /\bConflictError\b/,
    title: 'Two changes of one secret met',
    cause: 'Another change of the same secret was under way.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: ['Nothing is to be done: it is tried again.'],
    links: [],
  },
  {
    code: 'key-vault-tenant',
    pattern: /\bAKV10032\b/,
    title: 'The key vault belongs to another tenant',
    cause: 'The vault trusts a tenant which is not that of the managed identity.',
    who: 'you',
    retry: 'after-fix',
    steps: ['Create the key vault in the tenant of the function app, and set KEY_VAULT_URI to it.'],
    links: ['key-vaults'],
  },
  {
    code: 'key-vault-refused',
    pattern: /\bKey Vault did not .{1,160}\(status 403\)/i,
    title: 'The key vault refuses Postroom',
    cause: 'The managed identity has no role at the key vault, or its firewall keeps Postroom out.',
    who: 'you',
    retry: 'after-fix',
    steps: [giveVaultRole, waitForRole, `If the role is there: ${letIn}`],
    links: ['key-vaults', 'function-apps'],
  },
  {
    code: 'storage-role-missing',
    pattern: /\bAuthorizationPermissionMismatch\b/,
    title: 'Postroom may not use its storage',
    cause: 'The managed identity lacks a role for data at the storage account, or it was given a moment ago.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Open the storage account, “Access control (IAM)”, and give the managed identity Storage Table Data Contributor, Storage Blob Data Contributor and Storage Queue Data Contributor.',
      waitForRole,
    ],
    links: ['storage-accounts', 'function-apps'],
  },
  {
    code: 'storage-keys-off',
    pattern: /\bKeyBasedAuthenticationNotPermitted\b/,
    title: 'The storage account takes no keys',
    cause: 'A connection string with a key is set, and the storage account has keys switched off.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'In the settings of the function app, replace DataStorage and AzureWebJobsStorage by their identity-based forms, as in the Bicep file.',
    ],
    links: ['storage-accounts', 'function-apps'],
  },
  {
    code: 'managed-identity-missing',
    pattern:
      /\bManagedIdentityCredential\b.{0,200}\b(?:no managed identity|identity not found|unavailable|authentication failed)\b|\bno managed identity (?:endpoint )?(?:found|assigned)\b/i,
    title: 'The managed identity is missing',
    cause: 'The function app has no user-assigned identity, or AZURE_CLIENT_ID names another one.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Open the function app, Identity, “User assigned”, and add the identity.',
      'Set AZURE_CLIENT_ID in its settings to the client ID of that identity.',
    ],
    links: ['function-apps'],
  },
];
