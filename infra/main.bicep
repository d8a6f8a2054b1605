// One installation in its own resource group. `azd up` starts here; to use an existing resource group without
// azd, deploy resources.bicep.
targetScope = 'subscription'

import { alwaysReadyGroup, flexRegion, resourceTags, storageRedundancy } from 'modules/types.bicep'

@description('Name of the azd environment. The resource group is named after it.')
@minLength(1)
@maxLength(60)
param environmentName string

@description('Azure region of all resources: in the public cloud, with Flex Consumption.')
param location flexRegion

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

@description('Additional tags for all resources.')
param tags resourceTags = {}

var allTags = union(tags, { 'azd-env-name': environmentName, product: 'postroom' })

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'postroom-${environmentName}'
  location: location
  tags: allTags
}

module installation 'resources.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    shape: shape
    signInClientId: signInClientId
    adminObjectIds: adminObjectIds
    publicUrl: publicUrl
    monitorEmail: monitorEmail
    alertEmail: alertEmail
    smtpRelayUrl: smtpRelayUrl
    alertWebhookUrl: alertWebhookUrl
    alertWebhookKey: alertWebhookKey
    privateNetworking: privateNetworking
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReady: alwaysReady
    storageRedundancyOption: storageRedundancyOption
    blobRecoveryDays: blobRecoveryDays
    purgeProtection: purgeProtection
    vaultRecoveryDays: vaultRecoveryDays
    recoverVault: recoverVault
    logRetentionDays: logRetentionDays
    logDailyCapGb: logDailyCapGb
    readinessPlaces: readinessPlaces
    readinessAlert: readinessAlert
  }
}

// azd stores these in its environment: dev/register-app finishes the registrations with them, and the commands of
// docs/operations.md use them.
output AZURE_RESOURCE_GROUP string = group.name
output POSTROOM_URL string = installation.outputs.url
output POSTROOM_IDENTITY_PRINCIPAL_ID string = installation.outputs.identityPrincipalId
output POSTROOM_APP_NAME string = installation.outputs.appName
output POSTROOM_VAULT_NAME string = installation.outputs.vaultName
output POSTROOM_STORAGE_NAME string = installation.outputs.storageName
