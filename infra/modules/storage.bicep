// Email, records and queues of the installation, and what the Functions host stores beside them: locks and
// timer state. The deployed package is in a separate account (packages.bicep).
import { queueNames, resourceTags, storageRedundancy } from 'types.bicep'

param name string
param location string
param tags resourceTags
param redundancy storageRedundancy
param recoveryDays int

@description('Allows only private endpoints and trusted Azure services; otherwise also the internet. Always requires Entra tokens.')
param privateNetworking bool

// shared/platform/tables.ts and azure-blobs.ts have the same names; a test compares them.
var tableNames = [
  'Providers'
  'Accounts'
  'Mailboxes'
  'Consents'
  'MailboxState'
  'Ledger'
  'Tickets'
  'TicketIndex'
  'MessageIds'
  'Numbers'
  'Quarantine'
  'Audit'
  'Alerts'
  'Activity'
  'ConnectionTests'
  'OutboxDue'
]
var mailContainerName = 'postroom'

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: redundancy }
  properties: {
    accessTier: 'Hot'
    // Access keys are disabled: a leaked setting, log or pipeline has nothing to use.
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    // Not 'Disabled' in a private network: Event Grid reaches the queue as a trusted service, which is an
    // exception to the firewall and requires it.
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      defaultAction: privateNetworking ? 'Deny' : 'Allow'
      bypass: 'AzureServices'
    }
  }

  resource blobs 'blobServices' = {
    name: 'default'
    properties: {
      deleteRetentionPolicy: { enabled: true, days: recoveryDays }
      containerDeleteRetentionPolicy: { enabled: true, days: recoveryDays }
    }

    resource mail 'containers' = {
      name: mailContainerName
      properties: { publicAccess: 'None' }
    }
  }

  resource queueService 'queueServices' = {
    name: 'default'

    resource queues 'queues' = [for queue in queueNames: { name: queue }]

    // The host would create these for the first abandoned message. They exist from the start, so that an
    // empty queue and a missing one are distinguishable.
    resource poisonQueues 'queues' = [for queue in queueNames: { name: '${queue}-poison' }]
  }

  resource tableService 'tableServices' = {
    name: 'default'

    resource tables 'tables' = [for table in tableNames: { name: table }]
  }
}
