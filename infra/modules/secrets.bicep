// What somebody gave to the deployment and nobody may read in a setting. The app reads these from the vault itself, as it
// reads client secrets: a reference in a setting would have to be resolved by the platform, which in Flex Consumption cannot
// enter a closed vault, and one that is unresolved would stand there as an address.
// https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan#considerations
// The vault is written over Resource Manager, which its firewall and its roles do not stop: so this works for a hardened
// installation from any machine. https://learn.microsoft.com/azure/key-vault/general/network-security
param vaultName string

@secure()
param smtpRelayUrl string

@secure()
param alertWebhookUrl string

@secure()
param alertWebhookKey string

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = { name: vaultName }

// An empty parameter writes nothing: what is in the vault stays, whoever put it there.
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
