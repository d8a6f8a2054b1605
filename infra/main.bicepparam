// The default: one command, and the least that Azure charges for. azd fills in the environment; the defaults behind the
// names are there so that the file can also be compiled and compared without one.
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
