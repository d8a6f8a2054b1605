// The parameters of an installation in a resource group that exists, from variables of the environment: what deploy.yml deploys.
// main.bicepparam is the same for azd.
using 'resources.bicep'

param location = readEnvironmentVariable('AZURE_LOCATION', 'westeurope')

// Set by `register-app`, or by hand.
param signInClientId = readEnvironmentVariable('POSTROOM_SIGN_IN_CLIENT_ID', '')

// Who deploys is the first admin.
param adminObjectIds = readEnvironmentVariable(
  'POSTROOM_ADMIN_OBJECT_IDS',
  readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')
)

param shape = readEnvironmentVariable('POSTROOM_SHAPE', 'standard')
param publicUrl = readEnvironmentVariable('POSTROOM_PUBLIC_URL', '')
param monitorEmail = readEnvironmentVariable('POSTROOM_MONITOR_EMAIL', '')
param alertEmail = readEnvironmentVariable('POSTROOM_ALERT_EMAIL', '')
param smtpRelayUrl = readEnvironmentVariable('POSTROOM_SMTP_RELAY_URL', '')
param alertWebhookUrl = readEnvironmentVariable('POSTROOM_ALERT_WEBHOOK_URL', '')
param alertWebhookKey = readEnvironmentVariable('POSTROOM_ALERT_WEBHOOK_KEY', '')
param recoverVault = json(readEnvironmentVariable('POSTROOM_RECOVER_VAULT', 'false'))

// Not set means null, and null means the template's own default, which may depend on the shape.
param privateNetworking = json(readEnvironmentVariable('POSTROOM_PRIVATE_NETWORKING', 'null'))
param instanceMemoryMB = json(readEnvironmentVariable('POSTROOM_INSTANCE_MEMORY_MB', 'null'))
param maximumInstanceCount = json(readEnvironmentVariable('POSTROOM_MAXIMUM_INSTANCE_COUNT', 'null'))
param alwaysReady = json(readEnvironmentVariable('POSTROOM_ALWAYS_READY', 'null'))
param blobRecoveryDays = json(readEnvironmentVariable('POSTROOM_BLOB_RECOVERY_DAYS', 'null'))
param vaultRecoveryDays = json(readEnvironmentVariable('POSTROOM_VAULT_RECOVERY_DAYS', 'null'))
param purgeProtection = json(readEnvironmentVariable('POSTROOM_PURGE_PROTECTION', 'null'))
param logRetentionDays = json(readEnvironmentVariable('POSTROOM_LOG_RETENTION_DAYS', 'null'))
param readinessPlaces = json(readEnvironmentVariable('POSTROOM_READINESS_PLACES', 'null'))

// azd knows the address of an installation once it has made it. Before that there is no app which could answer; after the first
// deployment `npm run watch-installation` switches the alert on (azure.yaml), and every later provisioning leaves it on.
param readinessAlert = json(readEnvironmentVariable(
  'POSTROOM_READINESS_ALERT',
  empty(readEnvironmentVariable('AZURE_ENV_NAME', '')) || !empty(readEnvironmentVariable('POSTROOM_URL', ''))
    ? 'true'
    : 'false'
))

var redundancy = readEnvironmentVariable('POSTROOM_STORAGE_REDUNDANCY', '')
param storageRedundancyOption = empty(redundancy) ? null : redundancy

var dailyCap = readEnvironmentVariable('POSTROOM_LOG_DAILY_CAP_GB', '')
param logDailyCapGb = empty(dailyCap) ? null : dailyCap

var ownTags = json(readEnvironmentVariable('POSTROOM_TAGS', '{}'))
param tags = union(ownTags, { product: 'postroom' })
