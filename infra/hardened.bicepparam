// The hardened desk: storage and vault without a public door, a fixed outbound address, pages that are always warm, and
// longer memories. To use it with azd, copy it over main.bicepparam.
using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'desk')
param location = readEnvironmentVariable('AZURE_LOCATION', 'westeurope')

// Set by `npm run register-app`, or by hand with `azd env set`.
param signInClientId = readEnvironmentVariable('POSTROOM_SIGN_IN_CLIENT_ID', '')

// Who deploys is the first admin.
param adminObjectIds = readEnvironmentVariable(
  'POSTROOM_ADMIN_OBJECT_IDS',
  readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')
)

param publicUrl = readEnvironmentVariable('POSTROOM_PUBLIC_URL', '')
param alertEmail = readEnvironmentVariable('POSTROOM_ALERT_EMAIL', '')
param recoverVault = bool(readEnvironmentVariable('POSTROOM_RECOVER_VAULT', 'false'))

param privateNetworking = true
param purgeProtection = true
param alwaysReady = [{ name: 'http', instanceCount: 2 }]
param maximumInstanceCount = 100
param storageRedundancyOption = 'Standard_ZRS'
param blobRecoveryDays = 30
param logRetentionDays = 90
param logDailyCapGb = '2'
param readinessPlaces = 5
