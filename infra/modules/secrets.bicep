// Deployment parameters that must not be readable in a setting. The app reads them from the vault, as it
// reads client secrets: the platform would have to resolve a reference in a setting, which in Flex
// Consumption can't reach a closed vault, and an unresolved reference would be used as a URL.
// https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan#considerations
// Secrets are written through Resource Manager, which the vault's firewall and roles do not affect: so this
// works for a hardened installation from any machine. https://learn.microsoft.com/azure/key-vault/general/network-security
param vaultName string

@secure()
param smtpRelayUrl string

@secure()
param alertWebhookUrl string

@secure()
param alertWebhookKey string

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = { name: vaultName }

// An empty parameter writes nothing: an existing secret stays, whoever created it.
resource relay 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = if (!empty(smtpRelayUrl)) {
  parent: vault
  name: 'smtp-relay-url'
  properties: { value: smtpRelayUrl, contentType: 'text/plain; Postroom, SMTP relay' }
}

resource webhook 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = if (!empty(alertWebhookUrl)) {
  parent: vault
  name: 'alert-webhook-url'
  properties: { value: alertWebhookUrl, contentType: 'text/plain; Postroom, webhook of alerts' }
}

resource webhookKey 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = if (!empty(alertWebhookKey)) {
  parent: vault
  name: 'alert-webhook-key'
  properties: { value: alertWebhookKey, contentType: 'text/plain; Postroom, key of the webhook' }
}
