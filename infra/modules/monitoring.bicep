// Where logs go, their daily cap, and who is notified.
import { resourceTags } from 'types.bicep'

param workspaceName string
param insightsName string
param location string
param tags resourceTags
param retentionDays int
param dailyCapGb string
param actionGroupName string
param monitorEmail string

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    // Logs are the only cost here that an outage can multiply.
    workspaceCapping: { dailyQuotaGb: json(dailyCapGb) }
    features: { disableLocalAuth: true }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: insightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    // The connection string then only has the endpoint; a role decides who may write (access.bicep).
    DisableLocalAuth: true
  }
}

var ownerRole = '8e3af657-a8ff-443c-a75c-2fe8c4bcb635'

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: actionGroupName
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'postroom'
    emailReceivers: empty(monitorEmail)
      ? []
      : [{ name: 'address', emailAddress: monitorEmail, useCommonAlertSchema: true }]
    // An alert without a recipient is useless: without an email address the owners of the subscription are
    // notified.
    armRoleReceivers: empty(monitorEmail)
      ? [{ name: 'owners', roleId: ownerRole, useCommonAlertSchema: true }]
      : []
  }
}
