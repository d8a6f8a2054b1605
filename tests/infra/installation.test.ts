/**
 * The resources of an installation in Azure, read from the snapshots beside the templates; compiler.test.ts shows that they
 * are the templates' output, and installation-faults.test.ts that every rule can fail.
 */
import { describe, expect, test } from 'vitest';
import { shapes } from '../../dev/infra/infra-checks.ts';
import { containerName } from '../../shared/platform/azure-blobs.ts';
import { queueNames } from '../../shared/platform/queues.ts';
import { tableNames } from '../../shared/platform/tables.ts';
import {
  at,
  committed,
  type Json,
  leafNames,
  ofType,
  type Resource,
  settingsOf,
  stringsIn,
} from '../harness/memory/installation-resources.ts';
import { grants, rules } from './installation-rules.ts';

describe.each(shapes)('the %s installation', (shape) => {
  const postroom = committed(shape);

  test.each(Object.entries(rules))('has %s', (_name, broken) => {
    expect(postroom.length).toBeGreaterThan(40);
    expect(broken(postroom)).toEqual([]);
  });

  test('gives the app five roles, its deployment and Event Grid one, each at the narrowest scope that works', () => {
    expect(grants(postroom)).toEqual([
      'postroom-deployment: Storage Blob Data Contributor on storageAccounts/packages*',
      'postroom-identity: Monitoring Metrics Publisher on components/postroom-insights',
      'postroom-identity: Postroom secrets without purge on vaults/*',
      'postroom-identity: Storage Blob Data Owner on storageAccounts/*',
      'postroom-identity: Storage Queue Data Contributor on storageAccounts/*',
      'postroom-identity: Storage Table Data Contributor on storageAccounts/*',
      'postroom-vault: Storage Queue Data Message Sender on storageAccounts/*',
    ]);
  });

  test('lets the app do exactly five things to secrets, and purging is none of them', () => {
    const [role, ...others] = ofType(postroom, 'Microsoft.Authorization/roleDefinitions');
    expect(others).toEqual([]);
    expect(at(role?.properties, 'permissions')).toEqual([
      {
        dataActions: [
          'getSecret/action',
          'setSecret/action',
          'readMetadata/action',
          'update/action',
          'delete',
        ].map((action) => `Microsoft.KeyVault/vaults/secrets/${action}`),
      },
    ]);
    const [group] = ofType(postroom, 'Microsoft.Resources/resourceGroups');
    expect(at(role?.properties, 'assignableScopes')).toEqual([group?.id]);
  });

  test('starts from a package in an account to which the app has no access, with an identity only for that', () => {
    const [app] = ofType(postroom, 'Microsoft.Web/sites');
    const storage = at(app?.properties, 'functionAppConfig.deployment.storage');
    expect(String(at(storage, 'value'))).toMatch(/storageAccounts\/postroompkg\w{13}'.*'deployment'/);
    expect(String(at(storage, 'authentication.userAssignedIdentityResourceId'))).toMatch(
      /\/postroom-deployment$/,
    );
    // The settings, where every connection names its identity, do not contain the other one.
    const settings = JSON.stringify(settingsOf(postroom));
    expect(settings).not.toMatch(/postroompkg|postroom-deployment/);
    const audit = ofType(postroom, 'Microsoft.Insights/diagnosticSettings').find(({ id }) =>
      id.includes('postroompkg'),
    );
    expect(at(audit?.properties, 'logs')).toEqual(
      ['StorageWrite', 'StorageDelete'].map((category) => ({ category, enabled: true })),
    );
  });

  test('writes given secrets to the vault, and no others', () => {
    const secrets = ofType(postroom, 'Microsoft.KeyVault/vaults/secrets') as readonly (Resource & {
      condition?: string;
    })[];
    const parameters: Readonly<Record<string, string>> = {
      'smtp-relay-url': 'smtpRelayUrl',
      'alert-webhook-url': 'alertWebhookUrl',
      'alert-webhook-key': 'alertWebhookKey',
    };
    expect(secrets.map(({ name }) => name.split('/').at(-1))).toEqual(Object.keys(parameters));
    for (const { name, condition, properties } of secrets) {
      const parameter = parameters[name.split('/').at(-1) ?? ''];
      expect(condition).toBe(`[not(empty(parameters('${parameter}')))]`);
      expect(at(properties, 'value')).toBe(`[parameters('${parameter}')]`);
    }
  });

  test('has every table, queue and container that the code names, and no other', () => {
    expect(leafNames(postroom, 'Microsoft.Storage/storageAccounts/tableServices/tables').sort()).toEqual(
      [...tableNames].sort(),
    );
    expect(leafNames(postroom, 'Microsoft.Storage/storageAccounts/queueServices/queues').sort()).toEqual(
      queueNames.flatMap((name) => [name, `${name}-poison`]).sort(),
    );
    expect(leafNames(postroom, 'Microsoft.Storage/storageAccounts/blobServices/containers').sort()).toEqual(
      [containerName, 'deployment'].sort(),
    );
  });

  test('notifies the app of a secret near its expiry, and someone outside the app, too', () => {
    const subscriptions = ofType(postroom, 'Microsoft.EventGrid/systemTopics/eventSubscriptions');
    const said = subscriptions.map(({ properties }) => stringsIn(properties).map(({ text }) => text));
    for (const texts of said)
      expect(texts).toEqual(
        expect.arrayContaining(['Microsoft.KeyVault.SecretNearExpiry', 'Microsoft.KeyVault.SecretExpired']),
      );
    const [toApp] = subscriptions;
    expect(queueNames).toContain(
      at(toApp?.properties, 'deliveryWithResourceIdentity.destination.properties.queueName'),
    );
    expect(said.flat()).toEqual(expect.arrayContaining(['StorageQueue', 'MonitorAlert']));
  });

  test('alerts about poison messages in each queue that the code names, until there are none', () => {
    const alert = ofType(postroom, 'Microsoft.Insights/scheduledQueryRules').find(
      ({ name }) => name === 'postroom-work-given-up',
    );
    const [condition] = at(alert?.properties, 'criteria.allOf') as readonly Json[];
    expect(condition).toMatchObject({
      metricMeasureColumn: 'messages',
      timeAggregation: 'Maximum',
      operator: 'GreaterThan',
      threshold: 0,
      dimensions: [{ name: 'queue', operator: 'Include', values: [...queueNames] }],
    });
    // The newest measurement, not the maximum of the quarter of an hour: the alert ends with the last message.
    expect(at(condition, 'query')).toContain('arg_max(timestamp, valueSum) by queue');
    expect(at(alert?.properties, 'autoMitigate')).toBe(true);
  });

  test('counts the failures that a sample represents, and refusals by their reason', () => {
    const rule = (name: string): Json | undefined =>
      ofType(postroom, 'Microsoft.Insights/scheduledQueryRules').find((alert) => alert.name === name)
        ?.properties;
    expect(at(rule('postroom-failures'), 'criteria.allOf.0')).toMatchObject({
      metricMeasureColumn: 'itemCount',
      timeAggregation: 'Total',
      threshold: 5,
    });
    expect(at(rule('postroom-refusals'), 'criteria.allOf.0')).toMatchObject({
      query: expect.stringMatching(/name == "postroom\.refusals".*customDimensions\.reason/),
      timeAggregation: 'Total',
      dimensions: [{ name: 'reason', operator: 'Include', values: ['*'] }],
    });
    for (const name of ['postroom-work-given-up', 'postroom-failures', 'postroom-refusals'])
      expect(at(rule(name), 'skipQueryValidation'), name).toBe(true);
  });

  test('has exactly these alerts, each with its severity', () => {
    const alerts = ['metricAlerts', 'scheduledQueryRules'].flatMap((type) =>
      ofType(postroom, `Microsoft.Insights/${type}`),
    );
    expect(alerts.map(({ name, properties }) => [name, at(properties, 'severity')])).toEqual([
      ['postroom-not-ready', 1],
      ['postroom-work-given-up', 2],
      ['postroom-failures', 2],
      ['postroom-refusals', 3],
    ]);
    const toPeople = ofType(postroom, 'Microsoft.EventGrid/systemTopics/eventSubscriptions').filter(
      ({ properties }) => at(properties, 'destination.endpointType') === 'MonitorAlert',
    );
    expect(toPeople.map(({ properties }) => at(properties, 'destination.properties.severity'))).toEqual([
      'Sev1',
    ]);
  });

  test('caps the cost of a day of logs, and logs who reads the vault', () => {
    const [logs] = ofType(postroom, 'Microsoft.OperationalInsights/workspaces');
    expect(at(logs?.properties, 'workspaceCapping.dailyQuotaGb')).toBe(shape === 'main' ? 0.5 : 2);
    const [vault] = ofType(postroom, 'Microsoft.KeyVault/vaults');
    const [audit, ...others] = ofType(postroom, 'Microsoft.Insights/diagnosticSettings').filter(({ id }) =>
      id.startsWith(`${vault?.id}/`),
    );
    expect(others).toEqual([]);
    expect(audit?.id).toBe(`${vault?.id}/providers/Microsoft.Insights/diagnosticSettings/audit`);
    expect(audit?.properties).toMatchObject({
      workspaceId: logs?.id,
      logs: [{ category: 'AuditEvent', enabled: true }],
    });
  });

  test('is monitored from outside at a URL that the app has', () => {
    const [watch] = ofType(postroom, 'Microsoft.Insights/webtests');
    expect(String(at(watch?.properties, 'Request.RequestUrl'))).toContain('/health/ready');
    const [alert] = ofType(postroom, 'Microsoft.Insights/metricAlerts');
    expect(at(alert?.properties, 'criteria.webTestId')).toBe(watch?.id);
    // The portal shows an alert with the resources that its tags name.
    const tags = Object.keys(alert?.tags ?? {}).filter((name) => name.startsWith('hidden-link:'));
    expect(tags).toEqual([
      `hidden-link:${at(alert?.properties, 'criteria.componentId')}`,
      `hidden-link:${watch?.id}`,
    ]);
  });
});

describe('the hardened installation', () => {
  const postroom = committed('hardened');

  test('keeps storage and vault behind private endpoints of its own network', () => {
    const [account] = ofType(postroom, 'Microsoft.Storage/storageAccounts');
    const [vault] = ofType(postroom, 'Microsoft.KeyVault/vaults');
    expect(at(account?.properties, 'networkAcls.defaultAction')).toBe('Deny');
    expect(at(vault?.properties, 'publicNetworkAccess')).toBe('Disabled');
    const doors = ofType(postroom, 'Microsoft.Network/privateEndpoints').map(({ properties }) =>
      at(properties, 'privateLinkServiceConnections.0.properties.groupIds.0'),
    );
    expect(doors.sort()).toEqual(['blob', 'blob', 'queue', 'table', 'vault']);
    const packages = ofType(postroom, 'Microsoft.Storage/storageAccounts').find(({ name }) =>
      name.includes('pkg'),
    );
    expect(at(packages?.properties, 'publicNetworkAccess')).toBe('Disabled');
    expect(ofType(postroom, 'Microsoft.Network/privateDnsZones/virtualNetworkLinks')).toHaveLength(4);
    const [app] = ofType(postroom, 'Microsoft.Web/sites');
    expect(String(at(app?.properties, 'virtualNetworkSubnetId'))).toMatch(/\/subnets\/app$/);
  });

  test('cannot be purged, stays warm and keeps data longer', () => {
    const [vault] = ofType(postroom, 'Microsoft.KeyVault/vaults');
    const [app] = ofType(postroom, 'Microsoft.Web/sites');
    const [logs] = ofType(postroom, 'Microsoft.OperationalInsights/workspaces');
    expect(at(vault?.properties, 'enablePurgeProtection')).toBe(true);
    expect(at(app?.properties, 'functionAppConfig.scaleAndConcurrency.alwaysReady')).toEqual([
      { name: 'http', instanceCount: 2 },
    ]);
    expect(at(logs?.properties, 'retentionInDays')).toBe(90);
  });
});

test('the default installation keeps nothing warm and has no network to pay for', () => {
  const postroom = committed('main');
  const [app] = ofType(postroom, 'Microsoft.Web/sites');
  expect(at(app?.properties, 'functionAppConfig.scaleAndConcurrency.alwaysReady')).toEqual([]);
  expect(postroom.filter(({ type }) => type.startsWith('Microsoft.Network/'))).toEqual([]);
});
