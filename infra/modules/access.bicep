// All role assignments of this installation in one place. Three identities, seven roles, no keys. A role
// assignment can't change its principal, so its name is derived from the identity's name, which is known
// before anything exists: a deployment preview then shows every assignment.
@description('The app (identity.bicep).')
param appIdentityName string
param appPrincipalId string

@description('Stores packages and starts instances from them (packages.bicep).')
param deploymentIdentityName string
param deploymentPrincipalId string

@description('Event Grid, which delivers the vault’s events (vault-topic.bicep).')
param topicName string
param topicPrincipalId string
param storageName string
param packagesName string
param vaultName string
param insightsName string

// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
var roles = {
  blobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  blobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  queueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  tableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  queueDataMessageSender: 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a'
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
}

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' existing = { name: storageName }
resource packages 'Microsoft.Storage/storageAccounts@2025-06-01' existing = { name: packagesName }
resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = { name: vaultName }
resource insights 'Microsoft.Insights/components@2020-02-02' existing = { name: insightsName }

// The account contains only this installation, so it is the narrowest scope that works for the next three:
// the Functions host creates containers, queues and a table beside ours, and requires exactly these roles.
// https://learn.microsoft.com/azure/azure-functions/functions-reference#connecting-to-host-storage-with-an-identity

// shared/platform/azure-blobs.ts: raw email, attachments and leases. The host: its locks and timers.
resource appBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account
  name: guid(account.id, appIdentityName, roles.blobDataOwner)
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.blobDataOwner)
  }
}

// shared/platform/azure-queues.ts sends; the host receives, and moves abandoned messages to -poison.
resource appQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account
  name: guid(account.id, appIdentityName, roles.queueDataContributor)
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.queueDataContributor
    )
  }
}

// shared/platform/azure-tables.ts: all records. The host: the table of its diagnostics.
resource appTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account
  name: guid(account.id, appIdentityName, roles.tableDataContributor)
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.tableDataContributor
    )
  }
}

// The platform writes the deployed package and reads it at every start, with this identity only. The
// account contains nothing else. Code in the app that requests a token of this identity by its ID would get
// one: the separation limits what the app's own identity can do, which all of its storage code uses.
// https://learn.microsoft.com/azure/azure-functions/flex-consumption-how-to#configure-deployment-settings
resource deploymentPackages 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: packages
  name: guid(packages.id, deploymentIdentityName, roles.blobDataContributor)
  properties: {
    principalId: deploymentPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.blobDataContributor
    )
  }
}

// shared/platform/azure-vault.ts reads, writes, disables and deletes secrets. The built-in roles allow too
// little ("Secrets User" only reads) or too much ("Secrets Officer" has `secrets/*`, which includes purge):
// someone who takes over the app could destroy the encryption key, and every encrypted token with it. With
// these five actions, everything deleted can be recovered.
// https://learn.microsoft.com/azure/role-based-access-control/permissions/security#microsoftkeyvault
resource secretsRole 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(vault.id, 'secrets-without-purge')
  properties: {
    // Role names are unique in the tenant.
    roleName: 'Postroom secrets without purge (${vaultName})'
    description: 'Reads, writes and deletes secrets of one vault. Cannot purge, back up or restore.'
    type: 'CustomRole'
    assignableScopes: [resourceGroup().id]
    permissions: [
      {
        dataActions: [
          'Microsoft.KeyVault/vaults/secrets/getSecret/action'
          'Microsoft.KeyVault/vaults/secrets/setSecret/action'
          'Microsoft.KeyVault/vaults/secrets/readMetadata/action'
          'Microsoft.KeyVault/vaults/secrets/update/action'
          'Microsoft.KeyVault/vaults/secrets/delete'
        ]
      }
    ]
  }
}

resource appSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault
  name: guid(vault.id, appIdentityName, secretsRole.name)
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: secretsRole.id
  }
}

// shared/platform/open-telemetry.ts sends traces and metrics, the host sends log lines and requests;
// Application Insights accepts no key from either.
resource appTelemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: insights
  name: guid(insights.id, appIdentityName, roles.monitoringMetricsPublisher)
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.monitoringMetricsPublisher
    )
  }
}

// shared/platform/queues.ts names the queue that Event Grid writes to: it may add messages there and read
// none. Scoped to the account and not to the queue, because the destination of a subscription is an account
// and a queue name, and the role is checked on that account when the subscription is created.
// https://learn.microsoft.com/azure/event-grid/add-identity-roles
resource topicQueue 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account
  name: guid(account.id, topicName, roles.queueDataMessageSender)
  properties: {
    principalId: topicPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.queueDataMessageSender
    )
  }
}
