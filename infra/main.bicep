// One installation in one resource group of its own. `azd up` begins here; who has a resource group already and does not use
// azd deploys resources.bicep.
targetScope = 'subscription'

import { alwaysReadyGroup, flexRegion, resourceTags, storageRedundancy } from 'modules/types.bicep'

@description('Name of the azd environment. The resource group is named after it.')
@minLength(1)
@maxLength(60)
param environmentName string

@description('Azure region of everything: of the public cloud, with Flex Consumption.')
param location flexRegion

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

@description('Further tags of everything.')
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

// azd keeps these in its environment: dev/register-app finishes the registrations with them, docs/operations.md takes
// them in its commands.
output AZURE_RESOURCE_GROUP string = group.name
output POSTROOM_URL string = installation.outputs.url
output POSTROOM_IDENTITY_PRINCIPAL_ID string = installation.outputs.identityPrincipalId
output POSTROOM_APP_NAME string = installation.outputs.appName
output POSTROOM_VAULT_NAME string = installation.outputs.vaultName
output POSTROOM_STORAGE_NAME string = installation.outputs.storageName
