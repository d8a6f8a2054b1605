// Doors to storage and vault inside the network, and the names that lead there. The vault has no other; storage has one for
// the services of Azure that it trusts, and a role is asked for there too (storage.bicep, vault.bicep).
import { resourceTags } from 'types.bicep'

param location string
param tags resourceTags
param networkName string
param storageName string
param vaultName string

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' existing = {
  name: networkName

  resource subnet 'subnets' existing = { name: 'endpoints' }
}
resource account 'Microsoft.Storage/storageAccounts@2025-06-01' existing = { name: storageName }
resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = { name: vaultName }

var storageSuffix = environment().suffixes.storage
var doors = [
  { service: 'blob', zone: 'privatelink.blob.${storageSuffix}' }
  { service: 'queue', zone: 'privatelink.queue.${storageSuffix}' }
  { service: 'table', zone: 'privatelink.table.${storageSuffix}' }
  // The public name is vault.azure.net, the private zone is called vaultcore: the one that does not follow its name.
  { service: 'vault', zone: replace(environment().suffixes.keyvaultDns, '.vault.', 'privatelink.vaultcore.') }
]

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for door in doors: {
    name: door.zone
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (door, index) in doors: {
    parent: zones[index]
    name: networkName
    location: 'global'
    tags: tags
    properties: { registrationEnabled: false, virtualNetwork: { id: network.id } }
  }
]

resource endpoints 'Microsoft.Network/privateEndpoints@2025-05-01' = [
  for door in doors: {
    name: 'postroom-${door.service}'
    location: location
    tags: tags
    properties: {
      subnet: { id: network::subnet.id }
      privateLinkServiceConnections: [
        {
          name: door.service
          properties: {
            privateLinkServiceId: door.service == 'vault' ? vault.id : account.id
            groupIds: [door.service]
          }
        }
      ]
    }
  }
]

resource names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-05-01' = [
  for (door, index) in doors: {
    parent: endpoints[index]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [{ name: door.service, properties: { privateDnsZoneId: zones[index].id } }]
    }
  }
]
