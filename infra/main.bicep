// One desk in one resource group of its own. `azd up` begins here; who has a resource group already and does not use
// azd deploys desk.bicep.
targetScope = 'subscription'

import { alwaysReadyGroup, resourceTags, storageRedundancy } from 'modules/types.bicep'

@description('Name of the azd environment. The resource group is named after it.')
@minLength(1)
@maxLength(60)
param environmentName string

@description('Azure region of everything, for example westeurope.')
@minLength(1)
param location string

@description('Client id of the app registration for signing in to the pages. Empty: nobody can sign in and every page refuses.')
param signInClientId string = ''

@description('Object ids of people who are admins without the role, separated by blanks.')
param adminObjectIds string = ''

@description('Address people open, https://…, when it is not the one Azure gives.')
param publicUrl string = ''

@description('Where alerts are mailed to. Empty: to the owners of the subscription.')
param alertEmail string = ''

@description('Secret-free address of an SMTP relay for mail of the desk itself.')
param smtpRelayUrl string = ''

@description('Who reads the mail that notices make: addresses with commas between them. Empty: who reads the alerts.')
param noticeEmail string = ''

@description('Webhook that hears of notices. Its key is the secret `notice-webhook-key` in the vault.')
param noticeWebhookUrl string = ''

@description('Storage, vault and app talk over a network of their own and the app has a fixed outbound address.')
param privateNetworking bool = false

@description('Memory of an instance in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('Most instances at a time, over all functions.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Instances kept warm. Each is paid for by the hour.')
param alwaysReady alwaysReadyGroup[] = []

@description('Copies that storage keeps.')
param storageRedundancyOption storageRedundancy = 'Standard_LRS'

@description('Days in which a deleted blob can be brought back.')
@minValue(1)
@maxValue(365)
param blobRecoveryDays int = 7

@description('A deleted vault or secret cannot be purged before its time. Once on, nobody can switch it off.')
param purgeProtection bool = false

@description('Brings a deleted vault of this desk back instead of making one. See docs/operations.md.')
param recoverVault bool = false

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Most gigabytes of logs a day, as text because Bicep knows whole numbers only.')
param logDailyCapGb string = '0.5'

@description('Places in the world that ask /health/ready. Each is paid for by the question.')
@minValue(1)
@maxValue(5)
param readinessPlaces int = 2

@description('Further tags of everything.')
param tags resourceTags = {}

var allTags = union(tags, { 'azd-env-name': environmentName, product: 'postroom' })

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'postroom-${environmentName}'
  location: location
  tags: allTags
}

module desk 'desk.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    signInClientId: signInClientId
    adminObjectIds: adminObjectIds
    publicUrl: publicUrl
    alertEmail: alertEmail
    smtpRelayUrl: smtpRelayUrl
    noticeEmail: noticeEmail
    noticeWebhookUrl: noticeWebhookUrl
    privateNetworking: privateNetworking
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReady: alwaysReady
    storageRedundancyOption: storageRedundancyOption
    blobRecoveryDays: blobRecoveryDays
    purgeProtection: purgeProtection
    recoverVault: recoverVault
    logRetentionDays: logRetentionDays
    logDailyCapGb: logDailyCapGb
    readinessPlaces: readinessPlaces
  }
}

// azd keeps these in its environment; the app registrations are finished with them.
output AZURE_RESOURCE_GROUP string = group.name
output POSTROOM_URL string = desk.outputs.url
output POSTROOM_REDIRECT_URI string = '${desk.outputs.url}/oauth/callback'
output POSTROOM_SIGN_IN_REDIRECT_URI string = '${desk.outputs.url}/.auth/login/aad/callback'
output POSTROOM_IDENTITY_CLIENT_ID string = desk.outputs.identityClientId
output POSTROOM_IDENTITY_PRINCIPAL_ID string = desk.outputs.identityPrincipalId
output POSTROOM_APP_NAME string = desk.outputs.appName
output POSTROOM_VAULT_NAME string = desk.outputs.vaultName
output POSTROOM_STORAGE_NAME string = desk.outputs.storageName
