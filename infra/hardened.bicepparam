// The hardened installation, for its snapshot: storage and vault behind private endpoints (storage is open to the services of Azure
// that it trusts), a fixed outbound address, pages that are always warm, longer memories. To deploy it, set
// POSTROOM_SHAPE to `hardened`.
using 'main.bicep'

param environmentName = 'installation'
param location = 'westeurope'
param shape = 'hardened'
