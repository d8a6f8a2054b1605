// The function app: one package, its own identity and the deployment identity, settings without secrets,
// the platform's sign-in.
import { alwaysReadyGroup, packageContainer, resourceTags } from 'types.bicep'

param name string
param location string
param tags resourceTags
param identityName string
param deploymentIdentityName string
param storageName string
param packagesName string
param vaultName string
param insightsName string

@description('Network whose subnet `app` carries all outbound traffic; empty: directly to the internet.')
param networkName string
param instanceMemoryMB int
param maximumInstanceCount int
param alwaysReady alwaysReadyGroup[]
param signInClientId string
param adminObjectIds string
param publicUrl string
param alertEmail string

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}
resource deploymentIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: deploymentIdentityName
}
resource account 'Microsoft.Storage/storageAccounts@2025-06-01' existing = { name: storageName }
resource packages 'Microsoft.Storage/storageAccounts@2025-06-01' existing = { name: packagesName }
resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = { name: vaultName }
resource insights 'Microsoft.Insights/components@2020-02-02' existing = { name: insightsName }

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' existing = if (!empty(networkName)) {
  name: networkName

  resource subnet 'subnets' existing = { name: 'app' }
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: '${name}-plan'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { tier: 'FlexConsumption', name: 'FC1' }
  properties: { reserved: true }
}

resource site 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  // azd finds the app of its service by this tag.
  tags: union(tags, { 'azd-service-name': 'installation' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity.id}': {}, '${deploymentIdentity.id}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: 'Enabled'
    virtualNetworkSubnetId: empty(networkName) ? null : network::subnet.id
    clientAffinityEnabled: false
    // Nothing else: Flex Consumption rejects most settings of other plans, in some regions and not in
    // others (tests/infra/flex-refusals.ts). FTP is off without it, see `ftpLogin`.
    siteConfig: { minTlsVersion: '1.2', scmMinTlsVersion: '1.2' }
    functionAppConfig: {
      runtime: { name: 'node', version: '24' }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${packages.properties.primaryEndpoints.blob}${packageContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: deploymentIdentity.id
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReady
      }
    }
  }

  // Everything below changes the site, which rejects parallel changes: one after another.

  // Deployments require an Entra token: user name and password are disabled for both endpoints.
  resource uploadLogin 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }
  resource ftpLogin 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
    dependsOn: [uploadLogin]
  }

  // A separate resource: only then can a setting contain the host name assigned to the site, which has a
  // random part where unique default host names are on.
  resource settings 'config' = {
    name: 'appsettings'
    properties: union(settingsOfHost, settingsOfApp, settingsOfSignIn, { PUBLIC_URL: url })
    dependsOn: [ftpLogin]
  }

  resource signIn 'config' = {
    name: 'authsettingsV2'
    properties: {
      platform: { enabled: !empty(signInClientId), runtimeVersion: '~1' }
      globalValidation: {
        // Unauthenticated requests are let through for the pages that need no sign-in (invitation, OAuth
        // callback, health); the app rejects all others (functions/http/guard.ts), even if this resource is
        // missing.
        requireAuthentication: false
        unauthenticatedClientAction: 'AllowAnonymous'
        redirectToProvider: 'azureactivedirectory'
      }
      httpSettings: { requireHttps: true }
      identityProviders: empty(signInClientId)
        ? {}
        : {
            azureActiveDirectory: {
              enabled: true
              registration: {
                clientId: signInClientId
                openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
                // Sign-in has no secret either: the setting of this name has the identity that
                // authenticates the app.
                // https://learn.microsoft.com/azure/app-service/configure-authentication-provider-aad
                clientSecretSettingName: signInIdentitySetting
              }
              validation: { allowedAudiences: [signInClientId, 'api://${signInClientId}'] }
            }
          }
      login: {
        // No tokens are stored: the pages only need the user's identity.
        tokenStore: { enabled: false }
        preserveUrlFragmentsForLogins: false
      }
    }
    dependsOn: [settings]
  }
}

// Without a path or a trailing slash: appended paths start with one.
var url = empty(publicUrl)
  ? 'https://${site.properties.defaultHostName}'
  : join(take(split(publicUrl, '/'), 3), '/')
var signInIdentitySetting = 'OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID'

// The Functions host's own storage. Identity-based: endpoints instead of a connection string.
// https://learn.microsoft.com/azure/azure-functions/functions-reference#connecting-to-host-storage-with-an-identity
var settingsOfHost = {
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identity.properties.clientId
  AzureWebJobsStorage__blobServiceUri: account.properties.primaryEndpoints.blob
  AzureWebJobsStorage__queueServiceUri: account.properties.primaryEndpoints.queue
  AzureWebJobsStorage__tableServiceUri: account.properties.primaryEndpoints.table
  // Maximum bytes of a request body for the host: the app's own limit for a reply with 25 MB of
  // attachments (functions/http/route.ts) plus the overhead of a form. Without it the host buffers bodies of up to 100 MB before the app can reject them.
  FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '29360128'
  APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.properties.clientId};Authorization=AAD'
}

// The settings that shared/platform/config.ts reads; a test compares them. None is secret: the app reads
// secrets from the vault.
var settingsOfApp = {
  DataStorage__credential: 'managedidentity'
  DataStorage__clientId: identity.properties.clientId
  DataStorage__blobServiceUri: account.properties.primaryEndpoints.blob
  DataStorage__queueServiceUri: account.properties.primaryEndpoints.queue
  DataStorage__tableServiceUri: account.properties.primaryEndpoints.table
  AZURE_CLIENT_ID: identity.properties.clientId
  KEY_VAULT_URI: vault.properties.vaultUri
  ADMIN_OBJECT_IDS: adminObjectIds
  ALERT_EMAIL: alertEmail
  UNDO_SEND_SECONDS: '10'
  // Every minute, on the minute. Without a value the timer would be off without an error.
  FETCH_SCHEDULE: '0 * * * * *'
}

// The tenant of the issuer above, for the platform and the app: both reject users of other tenants.
var settingsOfSignIn = {
  '${signInIdentitySetting}': identity.properties.clientId
  WEBSITE_AUTH_AAD_ALLOWED_TENANTS: tenant().tenantId
}

output url string = url
