/**
 * What a desk in Azure is made of, read from the snapshots beside the templates; compiler.test.ts shows that they are
 * what the templates make. Every rule is shown to fail on a planted fault.
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
  stringsIn,
  withFault,
} from './desk-resources.ts';
import {
  grants,
  keysIn,
  mutedAlerts,
  openApp,
  openStorage,
  openVault,
  previews,
  settingsOfOtherPlans,
  untagged,
  wildcards,
  wrongSignIn,
} from './desk-rules.ts';

const keysOf = (resources: readonly Resource[]): string[] =>
  resources.flatMap(({ properties }) => keysIn(properties));

const rules = {
  'no key and no secret': keysOf,
  'no wildcard': wildcards,
  'storage only for who has a role': openStorage,
  'a vault only for who has a role': openVault,
  'an app without passwords, on Node 24': openApp,
  'sign-in without a secret, refusal in the code': wrongSignIn,
  'alerts that somebody hears': mutedAlerts,
  'no settings of another plan': settingsOfOtherPlans,
  'no preview of a service': previews,
  'tags everywhere': untagged,
};

describe.each(shapes)('the %s desk', (shape) => {
  const desk = committed(shape);

  test.each(Object.entries(rules))('has %s', (_name, broken) => {
    expect(desk.length).toBeGreaterThan(40);
    expect(broken(desk)).toEqual([]);
  });

  test('gives the app five roles and Event Grid one, each at the narrowest place that works', () => {
    expect(grants(desk)).toEqual([
      'postroom-identity: Key Vault Secrets Officer on vaults/*',
      'postroom-identity: Monitoring Metrics Publisher on components/postroom-insights',
      'postroom-identity: Storage Blob Data Owner on storageAccounts/*',
      'postroom-identity: Storage Queue Data Contributor on storageAccounts/*',
      'postroom-identity: Storage Table Data Contributor on storageAccounts/*',
      'postroom-vault: Storage Queue Data Message Sender on storageAccounts/*',
    ]);
  });

  test('has every table, queue and container that the code names, and no other', () => {
    expect(leafNames(desk, 'Microsoft.Storage/storageAccounts/tableServices/tables').sort()).toEqual(
      [...tableNames].sort(),
    );
    expect(leafNames(desk, 'Microsoft.Storage/storageAccounts/queueServices/queues').sort()).toEqual(
      queueNames.flatMap((name) => [name, `${name}-poison`]).sort(),
    );
    expect(leafNames(desk, 'Microsoft.Storage/storageAccounts/blobServices/containers').sort()).toEqual(
      [containerName, 'deployment'].sort(),
    );
  });

  test('hears of a secret near its end in the app and past it', () => {
    const subscriptions = ofType(desk, 'Microsoft.EventGrid/systemTopics/eventSubscriptions');
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

  test('tells of work that was given up in each queue that the code names, until none lies there', () => {
    const alert = ofType(desk, 'Microsoft.Insights/scheduledQueryRules').find(
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
    // The newest measurement, not every one of the quarter of an hour: the alert ends with the last message.
    expect(at(condition, 'query')).toContain('arg_max(timestamp, valueSum) by queue');
    expect(at(alert?.properties, 'autoMitigate')).toBe(true);
  });

  test('has exactly these alerts, each as urgent as it is', () => {
    const alerts = ['metricAlerts', 'scheduledQueryRules'].flatMap((type) =>
      ofType(desk, `Microsoft.Insights/${type}`),
    );
    expect(alerts.map(({ name, properties }) => [name, at(properties, 'severity')])).toEqual([
      ['postroom-not-ready', 1],
      ['postroom-work-given-up', 2],
      ['postroom-failures', 2],
    ]);
    const toPeople = ofType(desk, 'Microsoft.EventGrid/systemTopics/eventSubscriptions').filter(
      ({ properties }) => at(properties, 'destination.endpointType') === 'MonitorAlert',
    );
    expect(toPeople.map(({ properties }) => at(properties, 'destination.properties.severity'))).toEqual([
      'Sev1',
    ]);
  });

  test('caps what a day of logs may cost, and logs who reads the vault', () => {
    const [logs] = ofType(desk, 'Microsoft.OperationalInsights/workspaces');
    expect(at(logs?.properties, 'workspaceCapping.dailyQuotaGb')).toBe(shape === 'main' ? 0.5 : 2);
    const [audit, ...others] = ofType(desk, 'Microsoft.Insights/diagnosticSettings');
    const [vault] = ofType(desk, 'Microsoft.KeyVault/vaults');
    expect(others).toEqual([]);
    expect(audit?.id).toBe(`${vault?.id}/providers/Microsoft.Insights/diagnosticSettings/audit`);
    expect(audit?.properties).toMatchObject({
      workspaceId: logs?.id,
      logs: [{ category: 'AuditEvent', enabled: true }],
    });
  });

  test('is watched from outside at an address that the app has', () => {
    const [watch] = ofType(desk, 'Microsoft.Insights/webtests');
    expect(String(at(watch?.properties, 'Request.RequestUrl'))).toContain('/health/ready');
    const [alert] = ofType(desk, 'Microsoft.Insights/metricAlerts');
    expect(at(alert?.properties, 'criteria.webTestId')).toBe(watch?.id);
    // The portal shows an alert with what its tags name.
    const tags = Object.keys(alert?.tags ?? {}).filter((name) => name.startsWith('hidden-link:'));
    expect(tags).toEqual([
      `hidden-link:${at(alert?.properties, 'criteria.componentId')}`,
      `hidden-link:${watch?.id}`,
    ]);
  });
});

describe('the hardened desk', () => {
  const desk = committed('hardened');

  test('keeps storage and vault behind doors of its own network', () => {
    const [account] = ofType(desk, 'Microsoft.Storage/storageAccounts');
    const [vault] = ofType(desk, 'Microsoft.KeyVault/vaults');
    expect(at(account?.properties, 'networkAcls.defaultAction')).toBe('Deny');
    expect(at(vault?.properties, 'publicNetworkAccess')).toBe('Disabled');
    const doors = ofType(desk, 'Microsoft.Network/privateEndpoints').map(({ properties }) =>
      at(properties, 'privateLinkServiceConnections.0.properties.groupIds.0'),
    );
    expect(doors.sort()).toEqual(['blob', 'queue', 'table', 'vault']);
    expect(ofType(desk, 'Microsoft.Network/privateDnsZones/virtualNetworkLinks')).toHaveLength(4);
    const [app] = ofType(desk, 'Microsoft.Web/sites');
    expect(String(at(app?.properties, 'virtualNetworkSubnetId'))).toMatch(/\/subnets\/app$/);
  });

  test('cannot be purged, stays warm and remembers longer', () => {
    const [vault] = ofType(desk, 'Microsoft.KeyVault/vaults');
    const [app] = ofType(desk, 'Microsoft.Web/sites');
    const [logs] = ofType(desk, 'Microsoft.OperationalInsights/workspaces');
    expect(at(vault?.properties, 'enablePurgeProtection')).toBe(true);
    expect(at(app?.properties, 'functionAppConfig.scaleAndConcurrency.alwaysReady')).toEqual([
      { name: 'http', instanceCount: 2 },
    ]);
    expect(at(logs?.properties, 'retentionInDays')).toBe(90);
  });
});

test('the default desk keeps nothing warm and has no network to pay for', () => {
  const desk = committed('main');
  const [app] = ofType(desk, 'Microsoft.Web/sites');
  expect(at(app?.properties, 'functionAppConfig.scaleAndConcurrency.alwaysReady')).toEqual([]);
  expect(desk.filter(({ type }) => type.startsWith('Microsoft.Network/'))).toEqual([]);
});

describe('a fault is found:', () => {
  const named = (end: string) => (resource: Resource) => resource.name.endsWith(end);
  const typed = (type: string) => (resource: Resource) => resource.type === type;
  const storage = typed('Microsoft.Storage/storageAccounts');
  const container = typed('Microsoft.Storage/storageAccounts/blobServices/containers');
  const site = typed('Microsoft.Web/sites');
  const faults: [keyof typeof rules, (resource: Resource) => boolean, string, Json][] = [
    [
      'no key and no secret',
      named('/appsettings'),
      'properties.X',
      'DefaultEndpointsProtocol=https;AccountKey=eA==',
    ],
    [
      'no key and no secret',
      named('/appsettings'),
      'properties.X',
      "[listKeys('x', '2025-06-01').keys[0].value]",
    ],
    [
      'no key and no secret',
      named('/appsettings'),
      'properties.NOTICE_WEBHOOK_URL',
      'https://hooks.example/workflows/1/triggers/manual/paths/invoke?api-version=1&sig=eA',
    ],
    ['no wildcard', site, 'properties.siteConfig.cors', { allowedOrigins: ['*'] }],
    ['storage only for who has a role', storage, 'properties.allowSharedKeyAccess', true],
    ['storage only for who has a role', storage, 'properties.allowBlobPublicAccess', true],
    ['storage only for who has a role', storage, 'properties.minimumTlsVersion', 'TLS1_0'],
    ['storage only for who has a role', container, 'properties.publicAccess', 'Blob'],
    ['a vault only for who has a role', typed('Microsoft.KeyVault/vaults'), 'properties.accessPolicies', []],
    [
      'a vault only for who has a role',
      typed('Microsoft.KeyVault/vaults'),
      'properties.enableRbacAuthorization',
      false,
    ],
    ['an app without passwords, on Node 24', named('/scm'), 'properties.allow', true],
    ['an app without passwords, on Node 24', site, 'properties.httpsOnly', false],
    ['an app without passwords, on Node 24', site, 'properties.functionAppConfig.runtime.version', '22'],
    [
      'an app without passwords, on Node 24',
      typed('Microsoft.Insights/components'),
      'properties.DisableLocalAuth',
      false,
    ],
    ['sign-in without a secret, refusal in the code', named('V2'), 'properties.platform.enabled', true],
    [
      'sign-in without a secret, refusal in the code',
      named('V2'),
      'properties.login.tokenStore.enabled',
      true,
    ],
    ['alerts that somebody hears', named('not-ready'), 'properties.actions', []],
    ['alerts that somebody hears', named('given-up'), 'properties.enabled', false],
    ['alerts that somebody hears', named('-people'), 'properties.armRoleReceivers', []],
    ['no settings of another plan', named('/appsettings'), 'properties.FUNCTIONS_WORKER_RUNTIME', 'node'],
    ['no preview of a service', site, 'apiVersion', '2026-01-01-preview'],
    ['tags everywhere', site, 'tags', {}],
  ];

  test.each(faults)('against "%s" (%#)', (rule, fits, path, value) => {
    const broken = withFault(committed('main'), fits, path, value);
    expect(rules[rule](broken)).toHaveLength(1);
  });

  test('a role too many, at a wider place', () => {
    const desk = committed('main');
    const group = '/subscriptions/0/resourceGroups/postroom-desk';
    const wide = {
      id: `${group}/providers/Microsoft.Authorization/roleAssignments/1`,
      type: 'Microsoft.Authorization/roleAssignments',
      name: '1',
      apiVersion: '2022-04-01',
      properties: {
        principalId: "[reference('userAssignedIdentities/postroom-identity').principalId]",
        roleDefinitionId: 'roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635',
      },
    };
    expect(grants([...desk, wide])).toHaveLength(7);
    expect(grants([wide])).toEqual(['postroom-identity: 8e3af657-a8ff-443c-a75c-2fe8c4bcb635 on ']);
  });
});
