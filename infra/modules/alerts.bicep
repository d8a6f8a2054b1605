// Alerts: the installation does not respond, work was abandoned, code fails, requests are refused.
//
// The queries of the log alerts are not validated at creation (`skipQueryValidation`): in a component that
// is minutes old a table may not exist yet, which would fail the whole deployment.
import { queueNames, resourceTags } from 'types.bicep'

param location string
param tags resourceTags
param insightsName string
param actionGroupName string

@description('URL that returns 200 when settings, tables and vault are available.')
param readyUrl string

@description('Number of test locations.')
param readinessPlaces int

@description('Turns on the alert on that URL.')
param readinessAlert bool

// https://learn.microsoft.com/azure/azure-monitor/app/availability#location-population-tags
var places = take(
  ['emea-nl-ams-azr', 'us-va-ash-azr', 'apac-sg-sin-azr', 'emea-gb-db3-azr', 'us-ca-sjc-azr'],
  readinessPlaces
)

resource insights 'Microsoft.Insights/components@2020-02-02' existing = { name: insightsName }

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' existing = { name: actionGroupName }

resource readiness 'Microsoft.Insights/webtests@2022-06-15' = {
  name: 'postroom-readiness'
  location: location
  // Without this tag the portal does not show the test with its component.
  tags: union(tags, { 'hidden-link:${insights.id}': 'Resource' })
  kind: 'standard'
  properties: {
    SyntheticMonitorId: 'postroom-readiness'
    Name: 'Postroom is ready'
    Enabled: true
    Kind: 'standard'
    Frequency: 300
    Timeout: 30
    RetryEnabled: true
    Locations: [for place in places: { Id: place }]
    Request: { RequestUrl: readyUrl, HttpVerb: 'GET', ParseDependentRequests: false }
    ValidationRules: { ExpectedHttpStatusCode: 200, SSLCheck: true, SSLCertRemainingLifetimeCheck: 7 }
  }
}

resource notReady 'Microsoft.Insights/metricAlerts@2026-01-01' = {
  name: 'postroom-not-ready'
  location: 'global'
  // Without these tags the portal shows the alert neither with the test nor with its component.
  tags: union(tags, { 'hidden-link:${insights.id}': 'Resource', 'hidden-link:${readiness.id}': 'Resource' })
  properties: {
    description: 'Postroom does not answer /health/ready: no email becomes a ticket until it does. The reason is in the log of the app, as "not ready".'
    severity: 1
    // azd: `npm run watch-installation` turns it on after the first deployment.
    enabled: readinessAlert
    autoMitigate: true
    scopes: [readiness.id, insights.id]
    evaluationFrequency: 'PT1M'
    // One request from each location. The test repeats a failed request, and two locations must agree, so
    // an outage is reported within minutes without false alarms.
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
      webTestId: readiness.id
      componentId: insights.id
      failedLocationCount: min(readinessPlaces, 2)
    }
    actions: [{ actionGroupId: actionGroup.id }]
  }
}

resource abandoned 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = {
  name: 'postroom-work-given-up'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Postroom gave up work'
    description: 'Messages that failed five times lie in a queue whose name ends in -poison. It goes on until none lies there. docs/operations.md says how to look at them and send them back.'
    severity: 2
    enabled: true
    scopes: [insights.id]
    skipQueryValidation: true
    evaluationFrequency: 'PT15M'
    windowSize: 'PT15M'
    autoMitigate: true
    criteria: {
      allOf: [
        {
          // The app checks each of these queues every minute and sends a measurement even for an empty one.
          // So the last measurement is at most a few minutes old, and the alert resolves once the queue is
          // empty. The alert above shows whether the app still sends measurements. Gauges arrive as one
          // value with a count of 1; only `valueSum` always has it.
          query: 'customMetrics | where name == "postroom.poison.size" | extend queue = tostring(customDimensions.queue) | summarize arg_max(timestamp, valueSum) by queue | project queue, messages = valueSum'
          metricMeasureColumn: 'messages'
          timeAggregation: 'Maximum'
          // Each queue has a separate alert that names it.
          dimensions: [{ name: 'queue', operator: 'Include', values: queueNames }]
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: { actionGroups: [actionGroup.id] }
  }
}

resource failures 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = {
  name: 'postroom-failures'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Postroom fails again and again'
    description: 'The same error five times in a quarter of an hour. Single failures are tried again and are no reason to get up.'
    severity: 2
    enabled: true
    scopes: [insights.id]
    skipQueryValidation: true
    evaluationFrequency: 'PT15M'
    windowSize: 'PT15M'
    autoMitigate: true
    criteria: {
      allOf: [
        {
          // A row may represent several: the host samples when the volume is high.
          query: 'exceptions | where isnotempty(problemId) | project problemId, itemCount'
          metricMeasureColumn: 'itemCount'
          timeAggregation: 'Total'
          dimensions: [{ name: 'problemId', operator: 'Include', values: ['*'] }]
          operator: 'GreaterThanOrEqual'
          threshold: 5
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: { actionGroups: [actionGroup.id] }
  }
}

resource refusals 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = {
  name: 'postroom-refusals'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Postroom refuses again and again'
    description: 'Requests without the right to be there: a forged sign-in, a role that is missing, another site, a guessed invitation or state. The log says which addresses and whose, as "refused". A few are a person who lost a role or an old tab; many are somebody who tries.'
    severity: 3
    enabled: true
    scopes: [insights.id]
    skipQueryValidation: true
    evaluationFrequency: 'PT15M'
    windowSize: 'PT15M'
    autoMitigate: true
    criteria: {
      allOf: [
        {
          query: 'customMetrics | where name == "postroom.refusals" | project reason = tostring(customDimensions.reason), refusals = valueSum'
          metricMeasureColumn: 'refusals'
          timeAggregation: 'Total'
          dimensions: [{ name: 'reason', operator: 'Include', values: ['*'] }]
          operator: 'GreaterThanOrEqual'
          threshold: 50
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: { actionGroups: [actionGroup.id] }
  }
}
