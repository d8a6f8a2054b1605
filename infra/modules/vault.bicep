// Client secrets, the encryption key for tokens, and the secrets of secrets.bicep. Roles decide who can
// read them; there is no access policy.
import { resourceTags } from 'types.bicep'

param name string
param location string
param tags resourceTags
param purgeProtection bool
param recoveryDays int
param recover bool

@description('Log Analytics workspace for the log of reads and writes of secrets.')
param workspaceName string

@description('Allows only the private endpoint; otherwise also the internet, with Entra tokens.')
param privateNetworking bool

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = { name: workspaceName }

// Older versions of this API retire on 2027-02-27.
// https://learn.microsoft.com/azure/key-vault/general/access-control-default
resource vault 'Microsoft.KeyVault/vaults@2026-02-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    createMode: recover ? 'recover' : 'default'
    enableRbacAuthorization: true
    enableSoftDelete: true
    // Without the encryption key every mailbox would have to be connected again, so the default is the
    // longest possible time to notice a deletion. It can't be changed later.
    softDeleteRetentionInDays: recoveryDays
    // Protects against people: the app's own role can't purge (access.bicep). The service rejects `false`:
    // absent means off.
    enablePurgeProtection: purgeProtection ? true : null
    publicNetworkAccess: privateNetworking ? 'Disabled' : 'Enabled'
    networkAcls: {
      defaultAction: privateNetworking ? 'Deny' : 'Allow'
      bypass: 'None'
    }
  }
}

// No stable version of this type exists.
#disable-next-line use-recent-api-versions
resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'audit'
  properties: {
    workspaceId: workspace.id
    logs: [{ category: 'AuditEvent', enabled: true }]
  }
}
