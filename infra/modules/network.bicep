// A network for a private installation: the app in one subnet, the doors to storage and vault in another, and one fixed address
// towards the internet, which mail servers and Conditional Access policies can be told.
import { resourceTags } from 'types.bicep'

param name string
param location string
param tags resourceTags

resource outboundAddress 'Microsoft.Network/publicIPAddresses@2025-05-01' = {
  name: '${name}-outbound'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIPAllocationMethod: 'Static' }
}

// New subnets have no way out of their own, and mail servers and identity providers stand outside.
// https://learn.microsoft.com/azure/virtual-network/ip-services/default-outbound-access
resource gateway 'Microsoft.Network/natGateways@2025-05-01' = {
  name: '${name}-gateway'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIpAddresses: [{ id: outboundAddress.id }] }
}

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: ['10.40.0.0/24'] }
    // Subnets inside the network: as resources of their own a second deployment would take them away for a moment.
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: '10.40.0.0/25'
          natGateway: { id: gateway.id }
          // Flex Consumption runs on this service; the subscription must have Microsoft.App registered.
          delegations: [
            { name: 'functions', properties: { serviceName: 'Microsoft.App/environments' } }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: '10.40.0.128/27'
          defaultOutboundAccess: false
        }
      }
    ]
  }
}
