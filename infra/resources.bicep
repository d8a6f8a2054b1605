// All resources of one installation, in an existing resource group. In order: the app's identity, its storage, the
// alerts, the app itself, and last the role assignments.
import {
  alwaysReadyGroup
  flexRegion
  regionsWithZones
  resourceTags
  storageRedundancy
} from 'modules/types.bicep'

@description('Azure region of all resources: in the public cloud, with Flex Consumption.')
param location flexRegion

@description('Tags for all resources.')
param tags resourceTags = { product: 'postroom' }

@description('Sets the defaults of the parameters below. `hardened`: private network, two always-ready instances, purge protection, zone-redundant storage, longer retention.')
param shape 'standard' | 'hardened' = 'standard'

@description('Client ID of the app registration for signing in to the pages. Empty: no one can sign in, and every page refuses.')
param signInClientId string = ''

@description('Object IDs of people who are admins without the role, separated by spaces.')
param adminObjectIds string = ''

@description('Public URL of the pages, https://…, if it is not the one that Azure assigns.')
param publicUrl string = ''

@description('Email address for Azure’s alerts. Empty: the owners of the subscription.')
param monitorEmail string = ''

@description('Email addresses for Postroom’s own alerts, separated by commas. Empty: the address for Azure’s alerts.')
param alertEmail string = ''

@description('SMTP relay for alert email, and for mailboxes that send over it: `smtps://user:password@host:465`. Stored as the secret `smtp-relay-url`. Empty: an existing secret is not changed.')
@secure()
param smtpRelayUrl string = ''

@description('Webhook for alerts. Stored as the secret `alert-webhook-url`. Empty: an existing secret is not changed.')
@secure()
param alertWebhookUrl string = ''

@description('Key that signs webhook requests: at least 24 bytes, as `whsec_` and base64 or as plain text. Stored as the secret `alert-webhook-key`. Empty: an existing secret is not changed.')
@secure()
param alertWebhookKey string = ''

@description('Connects storage, vault and app over a private network and gives the app a fixed outbound IP address.')
param privateNetworking bool = shape == 'hardened'

@description('Memory of an instance in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('Maximum number of instances, over all functions.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = shape == 'hardened' ? 100 : 40

@description('Always-ready instances. Each is billed by the hour.')
param alwaysReady alwaysReadyGroup[] = shape == 'hardened' ? [{ name: 'http', instanceCount: 2 }] : []

@description('Storage redundancy.')
param storageRedundancyOption storageRedundancy = shape == 'hardened' ? 'Standard_ZRS' : 'Standard_LRS'

@description('Days during which a deleted blob can be recovered.')
@minValue(1)
@maxValue(365)
param blobRecoveryDays int = shape == 'hardened' ? 30 : 7

@description('Purge protection: a deleted vault or secret cannot be purged before its retention ends. Cannot be turned off again.')
param purgeProtection bool = shape == 'hardened'

@description('Days during which a deleted vault or secret can be recovered. Cannot be changed after the vault is created.')
@minValue(7)
@maxValue(90)
param vaultRecoveryDays int = 90

@description('Recovers a deleted vault of this installation instead of creating one.')
param recoverVault bool = false

@description('Retention of logs in days.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = shape == 'hardened' ? 90 : 30

@description('Daily limit of logs in gigabytes, as a string because Bicep has only integers.')
param logDailyCapGb string = shape == 'hardened' ? '2' : '0.5'

@description('Number of locations that test /health/ready. Each is billed per test.')
@minValue(1)
@maxValue(5)
param readinessPlaces int = shape == 'hardened' ? 5 : 2

@description('Turns on the alert on /health/ready. Off until the app is deployed: before that, every test fails.')
param readinessAlert bool = true

// Equal names at every deployment to the same group; storage accounts, vaults and apps share a global namespace. The
// modules refer to each other by these names and not by outputs: so a deployment preview shows every resource before
// the first one exists, and `dependsOn` states the order.
var token = uniqueString(resourceGroup().id)
var names = {
  identity: 'postroom-identity'
  deploymentIdentity: 'postroom-deployment'
  network: 'postroom-network'
  storage: 'postroom${token}'
  packages: 'postroompkg${token}'
  vault: 'postroom-${token}'
  vaultTopic: 'postroom-vault'
  app: 'postroom-${token}'
  logs: 'postroom-logs'
  insights: 'postroom-insights'
  people: 'postroom-people'
}

// Rejected before anything is created: a region without zones does not support such an account.
var redundancy = endsWith(storageRedundancyOption, 'ZRS') && !contains(regionsWithZones, location)
  ? fail('${location} has no availability zones: choose another region, or storageRedundancyOption Standard_LRS or Standard_GRS.')
  : storageRedundancyOption

module identity 'modules/identity.bicep' = {
  params: { name: names.identity, location: location, tags: tags }
}

module deploymentIdentity 'modules/identity.bicep' = {
  params: { name: names.deploymentIdentity, location: location, tags: tags }
}

module monitoring 'modules/monitoring.bicep' = {
  params: {
    workspaceName: names.logs
    insightsName: names.insights
    actionGroupName: names.people
    location: location
    tags: tags
    retentionDays: logRetentionDays
    dailyCapGb: logDailyCapGb
    monitorEmail: monitorEmail
  }
}

module storage 'modules/storage.bicep' = {
  params: {
    name: names.storage
    location: location
    tags: tags
    redundancy: redundancy
    recoveryDays: blobRecoveryDays
    privateNetworking: privateNetworking
  }
}

module packages 'modules/packages.bicep' = {
  params: {
    name: names.packages
    location: location
    tags: tags
    redundancy: redundancy
    recoveryDays: blobRecoveryDays
    workspaceName: names.logs
    privateNetworking: privateNetworking
  }
  dependsOn: [monitoring]
}

module vault 'modules/vault.bicep' = {
  params: {
    name: names.vault
    location: location
    tags: tags
    purgeProtection: purgeProtection
    recoveryDays: vaultRecoveryDays
    recover: recoverVault
    workspaceName: names.logs
    privateNetworking: privateNetworking
  }
  dependsOn: [monitoring]
}

module secrets 'modules/secrets.bicep' = {
  params: {
    vaultName: names.vault
    smtpRelayUrl: smtpRelayUrl
    alertWebhookUrl: alertWebhookUrl
    alertWebhookKey: alertWebhookKey
  }
  dependsOn: [vault]
}

module vaultTopic 'modules/vault-topic.bicep' = {
  params: { name: names.vaultTopic, location: location, tags: tags, vaultName: names.vault }
  dependsOn: [vault]
}

module network 'modules/network.bicep' = if (privateNetworking) {
  params: { name: names.network, location: location, tags: tags }
}

module privateEndpoints 'modules/private-endpoints.bicep' = if (privateNetworking) {
  params: {
    location: location
    tags: tags
    networkName: names.network
    storageName: names.storage
    packagesName: names.packages
    vaultName: names.vault
  }
  dependsOn: [network, storage, packages, vault]
}

module access 'modules/access.bicep' = {
  params: {
    appIdentityName: names.identity
    appPrincipalId: identity.outputs.principalId
    deploymentIdentityName: names.deploymentIdentity
    deploymentPrincipalId: deploymentIdentity.outputs.principalId
    topicName: names.vaultTopic
    topicPrincipalId: vaultTopic.outputs.principalId
    storageName: names.storage
    packagesName: names.packages
    vaultName: names.vault
    insightsName: names.insights
  }
  dependsOn: [storage, packages, vault, monitoring]
}

module app 'modules/app.bicep' = {
  params: {
    name: names.app
    location: location
    tags: tags
    identityName: names.identity
    deploymentIdentityName: names.deploymentIdentity
    storageName: names.storage
    packagesName: names.packages
    vaultName: names.vault
    insightsName: names.insights
    networkName: privateNetworking ? names.network : ''
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReady: alwaysReady
    signInClientId: signInClientId
    adminObjectIds: adminObjectIds
    publicUrl: publicUrl
    alertEmail: empty(alertEmail) ? monitorEmail : alertEmail
  }
  // The first start reads the package, acquires locks and reads the vault: without its roles, or without network
  // access, it fails until it is restarted.
  dependsOn: [access, privateEndpoints, secrets]
}

module events 'modules/events.bicep' = {
  params: {
    topicName: names.vaultTopic
    storageName: names.storage
    actionGroupName: names.people
  }
  // Event Grid tests the queue when the subscription is created, so its role comes first.
  dependsOn: [access]
}

module alerts 'modules/alerts.bicep' = {
  params: {
    location: location
    tags: tags
    insightsName: names.insights
    actionGroupName: names.people
    readyUrl: '${app.outputs.url}/health/ready'
    readinessPlaces: readinessPlaces
    readinessAlert: readinessAlert
  }
}

module workbook 'modules/workbook.bicep' = {
  params: { location: location, tags: tags, insightsName: names.insights }
  dependsOn: [monitoring]
}

output url string = app.outputs.url
output appName string = names.app
output identityPrincipalId string = identity.outputs.principalId
output vaultName string = names.vault
output storageName string = names.storage
