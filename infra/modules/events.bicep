// A secret that is about to expire is reported twice: to the app, which names the affected provider and the
// fix, and directly to people, because the app may be down. Key Vault reports only versions created after
// the subscription; the app's daily review of every secret covers the others.
param topicName string
param storageName string
param actionGroupName string

var secretEvents = ['Microsoft.KeyVault.SecretNearExpiry', 'Microsoft.KeyVault.SecretExpired']
var sevenDays = 7 * 24 * 60 * 60

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' existing = { name: storageName }
resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = { name: topicName }
resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' existing = { name: actionGroupName }

resource toApp 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'to-app'
  properties: {
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    filter: { includedEventTypes: secretEvents }
    deliveryWithResourceIdentity: {
      identity: { type: 'SystemAssigned' }
      destination: {
        endpointType: 'StorageQueue'
        properties: {
          resourceId: account.id
          queueName: 'vault-events'
          queueMessageTimeToLiveInSeconds: sevenDays
        }
      }
    }
  }
}

resource toPeople 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'to-people'
  properties: {
    // The only schema that this destination accepts.
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    filter: { includedEventTypes: secretEvents }
    destination: {
      endpointType: 'MonitorAlert'
      properties: {
        severity: 'Sev1'
        description: 'A secret of Postroom nears its end or has ended. Replace it on the page of its provider.'
        actionGroups: [actionGroup.id]
      }
    }
  }
  // A topic accepts one change at a time.
  dependsOn: [toApp]
}
