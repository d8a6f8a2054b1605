// "Is mail flowing?": the first page to open when someone asks. In the portal under the Application
// Insights resource.
import { resourceTags } from 'types.bicep'

param location string
param tags resourceTags
param insightsName string

resource insights 'Microsoft.Insights/components@2020-02-02' existing = { name: insightsName }

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'is-mail-flowing')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Is mail flowing?'
    category: 'workbook'
    sourceId: insights.id
    serializedData: string(loadJsonContent('../workbook.json'))
  }
}
