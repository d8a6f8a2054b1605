// A network for a private installation: the app in one subnet, the private endpoints of storage and vault
// in another, and one fixed outbound IP address, which mail servers and Conditional Access policies can
// allow.
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

// New subnets have no default outbound access, and mail servers and identity providers are outside.
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
    // Subnets inside the network: as separate resources, a second deployment would remove them for a
    // moment.
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
