// Everything of one installation, in a resource group that exists. Read from top to bottom: who the app is, where it keeps
// things, who hears when something breaks, the app itself, and last who may do what.
import {
  alwaysReadyGroup
  flexRegion
  regionsWithZones
  resourceTags
  storageRedundancy
} from 'modules/types.bicep'

@description('Azure region of everything: of the public cloud, with Flex Consumption.')
param location flexRegion

@description('Tags of everything.')
param tags resourceTags = { product: 'postroom' }

@description('The shape of the installation: what the parameters below are unless given. `hardened`: a network of its own, two instances always warm, purge protection, copies in three zones, longer memories.')
param shape 'standard' | 'hardened' = 'standard'

@description('Client id of the app registration for signing in to the pages. Empty: nobody can sign in and every page refuses.')
param signInClientId string = ''

@description('Object ids of people who are admins without the role, separated by blanks.')
param adminObjectIds string = ''

@description('Address people open, https://…, when it is not the one Azure gives.')
param publicUrl string = ''

@description('Where alerts are mailed to. Empty: to the owners of the subscription.')
param monitorEmail string = ''

@description('Who reads the email that alerts of the installation make: addresses with commas between them. Empty: who reads the alerts of Azure.')
param alertEmail string = ''

@description('SMTP relay for email of the installation itself: `smtps://user:password@host:465`. Kept as the secret `smtp-relay-url`. Empty: the secret, if there is one, stays as it is.')
@secure()
param smtpRelayUrl string = ''

@description('Webhook that alerts are sent to. Kept as the secret `alert-webhook-url`. Empty: the secret, if there is one, stays as it is.')
@secure()
param alertWebhookUrl string = ''

@description('Key that signs what the webhook gets: at least 24 bytes, `whsec_` and base64 or a text as it stands. Kept as the secret `alert-webhook-key`. Empty: the secret, if there is one, stays as it is.')
@secure()
param alertWebhookKey string = ''

@description('Storage, vault and app talk over a network of their own and the app has a fixed outbound address.')
param privateNetworking bool = shape == 'hardened'

@description('Memory of an instance in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('Most instances at a time, over all functions.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = shape == 'hardened' ? 100 : 40

@description('Instances kept warm. Each is paid for by the hour.')
param alwaysReady alwaysReadyGroup[] = shape == 'hardened' ? [{ name: 'http', instanceCount: 2 }] : []

@description('Copies that storage keeps.')
param storageRedundancyOption storageRedundancy = shape == 'hardened' ? 'Standard_ZRS' : 'Standard_LRS'

@description('Days in which a deleted blob can be brought back.')
@minValue(1)
@maxValue(365)
param blobRecoveryDays int = shape == 'hardened' ? 30 : 7

@description('A deleted vault or secret cannot be purged before its time. Once on, nobody can switch it off.')
param purgeProtection bool = shape == 'hardened'

@description('Days in which a deleted vault or secret can be brought back. Fixed when the vault is made.')
@minValue(7)
@maxValue(90)
param vaultRecoveryDays int = 90

@description('Brings a deleted vault of this installation back instead of making one.')
param recoverVault bool = false

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = shape == 'hardened' ? 90 : 30

@description('Most gigabytes of logs a day, as text because Bicep knows whole numbers only.')
param logDailyCapGb string = shape == 'hardened' ? '2' : '0.5'

@description('Places in the world that ask /health/ready. Each is paid for by the question.')
@minValue(1)
@maxValue(5)
param readinessPlaces int = shape == 'hardened' ? 5 : 2

@description('Whether the alert on /health/ready is on. Off until the app is there: before that nothing can answer.')
param readinessAlert bool = true

// The same group gives the same names at every deployment; storage accounts, vaults and apps share one namespace with
// the whole world. The parts find each other by these names, not by each other's outputs: so a preview of a deployment
// knows every resource before the first one exists, and `dependsOn` says what must stand before what.
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

// Refused before anything is made: a region without zones takes such an account nowhere.
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
  // The first start reads the package, takes locks and asks the vault: without its roles, or without a way there, it
  // fails until somebody restarts it.
  dependsOn: [access, privateEndpoints, secrets]
}

module events 'modules/events.bicep' = {
  params: {
    topicName: names.vaultTopic
    storageName: names.storage
    actionGroupName: names.people
  }
  // Event Grid tries the queue when the subscription is made, so its role comes first.
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
