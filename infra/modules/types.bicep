// Shapes that several files pass on, and names that several need.

@export()
@description('Tags of every resource.')
type resourceTags = {
  *: string
}

@export()
@description('Instances that stay warm: `http` for the pages, `function:<name>` for any other function.')
type alwaysReadyGroup = {
  name: string
  @minValue(1)
  instanceCount: int
}

@export()
@description('Copies that storage keeps: one building, three, or a second region beside.')
type storageRedundancy = 'Standard_LRS' | 'Standard_ZRS' | 'Standard_GRS' | 'Standard_GZRS'

// shared/platform/queues.ts names the same; a test compares. Beside each stands one for what was given up.
@export()
@description('Queues of the app.')
var queueNames = ['fetch-shard', 'outbox', 'vault-events']
