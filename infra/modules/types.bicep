// Types that several files pass on, and names that several need.

@export()
@description('Tags of every resource.')
type resourceTags = {
  *: string
}

@export()
@description('Always-ready instances: `http` for the pages, `function:<name>` for any other function.')
type alwaysReadyGroup = {
  name: string
  @minValue(1)
  instanceCount: int
}

@export()
@description('Storage redundancy: one zone, three zones, or a second region as well.')
type storageRedundancy = 'Standard_LRS' | 'Standard_ZRS' | 'Standard_GRS' | 'Standard_GZRS'

// The regions that `az functionapp list-flexconsumption-locations` lists and Microsoft's own template of
// 2026-02 allows, without its test region. All are regions of the public cloud: no other cloud has
// everything that an installation needs (no Flex Consumption in Azure Government; telemetry with Entra
// tokens only in the public cloud).
// https://github.com/Azure-Samples/functions-quickstart-typescript-azd, infra/main.bicep
// https://learn.microsoft.com/azure/azure-functions/migration/migrate-plan-consumption-to-flex
// https://learn.microsoft.com/azure/azure-monitor/app/azure-ad-authentication#prerequisites
@export()
@description('Regions with Flex Consumption.')
type flexRegion =
  | 'australiaeast'
  | 'australiasoutheast'
  | 'brazilsouth'
  | 'canadacentral'
  | 'centralindia'
  | 'centralus'
  | 'eastasia'
  | 'eastus'
  | 'eastus2'
  | 'francecentral'
  | 'germanywestcentral'
  | 'italynorth'
  | 'japaneast'
  | 'koreacentral'
  | 'northcentralus'
  | 'northeurope'
  | 'norwayeast'
  | 'southafricanorth'
  | 'southcentralus'
  | 'southeastasia'
  | 'southindia'
  | 'spaincentral'
  | 'swedencentral'
  | 'uaenorth'
  | 'uksouth'
  | 'ukwest'
  | 'westcentralus'
  | 'westeurope'
  | 'westus'
  | 'westus2'
  | 'westus3'

// https://learn.microsoft.com/azure/reliability/regions-list
@export()
@description('Regions with Flex Consumption and availability zones, which `Standard_ZRS` and `Standard_GZRS` need.')
var regionsWithZones = [
  'australiaeast'
  'brazilsouth'
  'canadacentral'
  'centralindia'
  'centralus'
  'eastasia'
  'eastus'
  'eastus2'
  'francecentral'
  'germanywestcentral'
  'italynorth'
  'japaneast'
  'koreacentral'
  'northeurope'
  'norwayeast'
  'southafricanorth'
  'southcentralus'
  'southeastasia'
  'spaincentral'
  'swedencentral'
  'uaenorth'
  'uksouth'
  'westeurope'
  'westus2'
  'westus3'
]

// shared/platform/queues.ts has the same names; a test compares them. Each queue has one for its abandoned
// messages.
@export()
@description('Queues of the app.')
var queueNames = ['fetch-shard', 'outbox', 'vault-events']

@export()
@description('Location of the deployed package (packages.bicep).')
var packageContainer = 'deployment'
