/** Every rule of installation-rules.ts is shown to fail on a planted fault. */
import { describe, expect, test } from 'vitest';
import { committed, type Json, type Resource, withFault } from '../harness/memory/installation-resources.ts';
import { grants, rules } from './installation-rules.ts';

describe('a fault is found', () => {
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
      'properties.ALERT_WEBHOOK_URL',
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
    ['nothing that its plan refuses', named('/appsettings'), 'properties.FUNCTIONS_WORKER_RUNTIME', 'node'],
    ['nothing that its plan refuses', site, 'properties.siteConfig.ftpsState', 'Disabled'],
    ['nothing that its plan refuses', site, 'properties.siteConfig.linuxFxVersion', 'NODE|24'],
    ['nothing that its plan refuses', site, 'properties.siteConfig.somethingNew', true],
    ['nothing that its plan refuses', site, 'properties.containerSize', 1536],
    [
      'no reference to the vault in a setting',
      named('/appsettings'),
      'properties.ALERT_EMAIL',
      '@Microsoft.KeyVault(SecretUri=https://postroom.vault.azure.net/secrets/x)',
    ],
    [
      'an identity that cannot end a secret for good',
      typed('Microsoft.Authorization/roleDefinitions'),
      'properties.permissions.0.dataActions.0',
      'Microsoft.KeyVault/vaults/secrets/*',
    ],
    [
      'an identity that cannot end a secret for good',
      typed('Microsoft.Authorization/roleDefinitions'),
      'properties.permissions.0.dataActions.0',
      'Microsoft.KeyVault/vaults/secrets/purge/action',
    ],
    ['no preview of a service', site, 'apiVersion', '2026-01-01-preview'],
    ['tags everywhere', site, 'tags', {}],
  ];

  test.each(faults)('for "%s" (%#)', (rule, fits, path, value) => {
    const broken = withFault(committed('main'), fits, path, value);
    expect(rules[rule](broken)).toHaveLength(1);
  });

  test('in an extra role, assigned at a wider scope', () => {
    const postroom = committed('main');
    const group = '/subscriptions/0/resourceGroups/postroom-installation';
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
    expect(grants([...postroom, wide])).toHaveLength(8);
    expect(grants([wide])).toEqual(['postroom-identity: 8e3af657-a8ff-443c-a75c-2fe8c4bcb635 on ']);
  });
});
