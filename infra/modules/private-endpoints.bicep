// Private endpoints of storage, packages and vault, and their DNS names. Packages and vault have no other
// access; storage also admits trusted Azure services, which need a role there too (storage.bicep).
import { resourceTags } from 'types.bicep'

param location string
param tags resourceTags
param networkName string
param storageName string
param packagesName string
param vaultName string

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' existing = {
  name: networkName

  resource subnet 'subnets' existing = { name: 'endpoints' }
}
resource account 'Microsoft.Storage/storageAccounts@2025-06-01' existing = { name: storageName }
resource packages 'Microsoft.Storage/storageAccounts@2025-06-01' existing = { name: packagesName }
resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = { name: vaultName }

var storageSuffix = environment().suffixes.storage
var zoneNames = [
  'privatelink.blob.${storageSuffix}'
  'privatelink.queue.${storageSuffix}'
  'privatelink.table.${storageSuffix}'
  // The public name is vault.azure.net but the private zone is vaultcore: the only one that does not follow
  // its name.
  replace(environment().suffixes.keyvaultDns, '.vault.', 'privatelink.vaultcore.')
]
var doors = [
  { name: 'blob', service: 'blob', zone: 0 }
  { name: 'queue', service: 'queue', zone: 1 }
  { name: 'table', service: 'table', zone: 2 }
  { name: 'vault', service: 'vault', zone: 3 }
  { name: 'packages', service: 'blob', zone: 0 }
]

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for name in zoneNames: {
    name: name
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (name, index) in zoneNames: {
    parent: zones[index]
    name: networkName
    location: 'global'
    tags: tags
    properties: { registrationEnabled: false, virtualNetwork: { id: network.id } }
  }
]

resource endpoints 'Microsoft.Network/privateEndpoints@2025-05-01' = [
  for door in doors: {
    name: 'postroom-${door.name}'
    location: location
    tags: tags
    properties: {
      subnet: { id: network::subnet.id }
      privateLinkServiceConnections: [
        {
          name: door.name
          properties: {
            privateLinkServiceId: door.name == 'vault'
              ? vault.id
              : door.name == 'packages' ? packages.id : account.id
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
      privateDnsZoneConfigs: [{ name: door.service, properties: { privateDnsZoneId: zones[door.zone].id } }]
    }
  }
]
