// The vault's events, and the identity with which Event Grid delivers them. Separate from events.bicep,
// because the identity needs its role before the first subscription is created.
import { resourceTags } from 'types.bicep'

param name string
param location string
param tags resourceTags
param vaultName string

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = { name: vaultName }

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: name
  location: location
  tags: tags
  // System-assigned, not one of ours: Event Grid passes a storage firewall only with this kind.
  // https://learn.microsoft.com/azure/event-grid/deliver-events-using-managed-identity
  identity: { type: 'SystemAssigned' }
  properties: { source: vault.id, topicType: 'Microsoft.KeyVault.vaults' }
}

output principalId string = topic.identity.principalId
