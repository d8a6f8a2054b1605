/** What must hold for every installation, whatever its parameters: each rule lists its violations. */
import {
  at,
  type Json,
  ofType,
  type Resource,
  settingsOf,
  stringsIn,
} from '../harness/memory/installation-resources.ts';
import { refusedByFlex } from './flex-refusals.ts';

const short = ({ type, name }: Resource): string => `${type.split('/').slice(1).join('/')} ${name}`;

/** Resources of a type whose value at a path is not the expected one. */
function unlike(
  resources: readonly Resource[],
  type: string,
  wanted: Readonly<Record<string, Json>>,
): string[] {
  return ofType(resources, type).flatMap((resource) =>
    Object.entries(wanted)
      .filter(([path, value]) => at(resource.properties, path) !== value)
      .map(
        ([path, value]) =>
          `${short(resource)}: ${path} is ${String(at(resource.properties, path))}, not ${String(value)}`,
      ),
  );
}

/** Nothing that grants access by itself: no key, no signature, no Azure function that returns one. */
export function keysIn(value: Json | undefined): string[] {
  const key = /AccountKey=|AccessKey=|EndpointsProtocol=|\bsig=|\blist\w*(Keys?|Secrets?|Sas)\w*\(|password/i;
  return stringsIn(value)
    .filter(({ path, text }) => key.test(text) && !/description$/i.test(path))
    .map(({ path }) => path);
}

/** `*` allows more than intended. Alerts that count each kind of error or refusal separately have to name it. */
export function wildcards(resources: readonly Resource[]): string[] {
  return resources.flatMap((resource) =>
    stringsIn(resource.properties)
      .filter(({ text }) => text === '*' || text === '0.0.0.0/0' || text === 'Any')
      .filter(
        ({ path }) => !(/^postroom-(failures|refusals)$/.test(resource.name) && path.includes('dimensions')),
      )
      .map(({ path }) => `${short(resource)}: ${path}`),
  );
}

export const openStorage = (resources: readonly Resource[]): string[] => [
  ...unlike(resources, 'Microsoft.Storage/storageAccounts', {
    allowSharedKeyAccess: false,
    allowBlobPublicAccess: false,
    allowCrossTenantReplication: false,
    minimumTlsVersion: 'TLS1_2',
    supportsHttpsTrafficOnly: true,
  }),
  ...unlike(resources, 'Microsoft.Storage/storageAccounts/blobServices/containers', { publicAccess: 'None' }),
];

export const openVault = (resources: readonly Resource[]): string[] => [
  ...unlike(resources, 'Microsoft.KeyVault/vaults', {
    enableRbacAuthorization: true,
    enableSoftDelete: true,
    softDeleteRetentionInDays: 90,
  }),
  ...ofType(resources, 'Microsoft.KeyVault/vaults')
    .filter(({ properties }) => at(properties, 'accessPolicies') !== undefined)
    .map((vault) => `${short(vault)} has access policies`),
];

export const openApp = (resources: readonly Resource[]): string[] => [
  ...unlike(resources, 'Microsoft.Web/sites', {
    httpsOnly: true,
    'siteConfig.minTlsVersion': '1.2',
    'siteConfig.scmMinTlsVersion': '1.2',
    'functionAppConfig.runtime.name': 'node',
    'functionAppConfig.runtime.version': '24',
    'functionAppConfig.deployment.storage.authentication.type': 'UserAssignedIdentity',
  }),
  ...unlike(resources, 'Microsoft.Web/sites/basicPublishingCredentialsPolicies', { allow: false }),
  // A connection string of telemetry is only an address as long as no key is accepted there.
  ...unlike(resources, 'Microsoft.Insights/components', { DisableLocalAuth: true }),
];

/** The platform admits everyone, the code decides; no tokens are stored; no secret authenticates the app. */
export function wrongSignIn(resources: readonly Resource[]): string[] {
  const signIn = ofType(resources, 'Microsoft.Web/sites/config').filter(({ name }) =>
    name.endsWith('authsettingsV2'),
  );
  if (signIn.length !== 1) return ['there is no sign-in'];
  const wrong = unlike(signIn, 'Microsoft.Web/sites/config', {
    'globalValidation.unauthenticatedClientAction': 'AllowAnonymous',
    'httpSettings.requireHttps': true,
    'login.tokenStore.enabled': false,
  });
  const properties = signIn[0]?.properties;
  if (at(properties, 'platform.enabled') !== true) return wrong;
  const secret = at(
    properties,
    'identityProviders.azureActiveDirectory.registration.clientSecretSettingName',
  );
  return secret === 'OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID' && settingsOf(resources)[secret] !== undefined
    ? wrong
    : [...wrong, 'sign-in needs a secret'];
}

/** An alert that notifies no one. */
export function mutedAlerts(resources: readonly Resource[]): string[] {
  const groups = ofType(resources, 'Microsoft.Insights/actionGroups').map(({ id }) => id);
  const nobody = ofType(resources, 'Microsoft.Insights/actionGroups').filter(
    ({ properties }) =>
      at(properties, 'emailReceivers.0') === undefined && at(properties, 'armRoleReceivers.0') === undefined,
  );
  const muted = ['metricAlerts', 'scheduledQueryRules']
    .flatMap((type) => ofType(resources, `Microsoft.Insights/${type}`))
    .filter(
      ({ properties }) =>
        at(properties, 'enabled') !== true ||
        !stringsIn(at(properties, 'actions')).some(({ text }) => groups.includes(text)),
    );
  return [...nobody, ...muted].map(short);
}

/**
 * Settings whose value the platform would have to read from the vault. In Flex Consumption it cannot reach a closed one,
 * and an unresolved reference is used as the value: the app reads secrets itself.
 */
export const vaultReferences = (resources: readonly Resource[]): string[] =>
  Object.entries(settingsOf(resources))
    .filter(([, value]) => /@Microsoft\.KeyVault/i.test(value))
    .map(([name]) => name);

/**
 * What a role allows its identity to do to secrets beyond reading and writing: purge deletes one permanently, backup
 * exports all its versions. `*` in a name is all of them.
 */
export const tooMuchOfTheVault = (resources: readonly Resource[]): string[] =>
  ofType(resources, 'Microsoft.Authorization/roleDefinitions').flatMap(({ properties }) =>
    stringsIn(at(properties, 'permissions'))
      .filter(({ text }) => /\*|purge|backup|restore|\/(vaults|locations)\/(write|delete)/i.test(text))
      .map(({ text }) => text),
  );

/** Preview versions end without notice. Only a preview of `diagnosticSettings` exists. */
export const previews = (resources: readonly Resource[]): string[] =>
  resources
    .filter(({ apiVersion, type }) => /preview/.test(apiVersion) && !type.endsWith('/diagnosticSettings'))
    .map(short);

/** Resources that could not be found, or charged, by their installation. */
export const untagged = (resources: readonly Resource[]): string[] =>
  resources
    .filter(({ location }) => location !== undefined)
    .filter(({ tags }) => tags?.['product'] !== 'postroom' || tags['azd-env-name'] === undefined)
    .map(short);

const keysOf = (resources: readonly Resource[]): string[] =>
  resources.flatMap(({ properties }) => keysIn(properties));

/** Each rule by the property of an installation that it checks. */
export const rules = {
  'no key and no secret': keysOf,
  'no wildcard': wildcards,
  'storage only for who has a role': openStorage,
  'a vault only for who has a role': openVault,
  'an app without passwords, on Node 24': openApp,
  'sign-in without a secret, refusal in the code': wrongSignIn,
  'alerts that somebody hears': mutedAlerts,
  'nothing that its plan refuses': refusedByFlex,
  'no reference to the vault in a setting': vaultReferences,
  'an identity that cannot end a secret for good': tooMuchOfTheVault,
  'no preview of a service': previews,
  'tags everywhere': untagged,
};

/** Who may do what where: `identity: role on place`, places from the resource group down. */
export function grants(resources: readonly Resource[]): string[] {
  const own = ofType(resources, 'Microsoft.Authorization/roleDefinitions').map(
    ({ name, properties }) => [name, String(at(properties, 'roleName')).replace(/ \(.*\)$/, '')] as const,
  );
  const names = { ...roleNames, ...Object.fromEntries(own) };
  return ofType(resources, 'Microsoft.Authorization/roleAssignments')
    .map(({ id, properties }) => {
      const place = /^\/.*?\/resourceGroups\/[^/]+\/?(.*?)\/?providers\/Microsoft\.Authorization\//.exec(id);
      const who = /(userAssignedIdentities|systemTopics)\/([\w-]+)/.exec(
        String(at(properties, 'principalId')),
      );
      const role = String(at(properties, 'roleDefinitionId')).split('/').at(-1) ?? '';
      return `${who?.[2] ?? 'somebody'}: ${names[role] ?? role} on ${placeName(place?.[1] ?? id)}`;
    })
    .sort();
}

const placeName = (place: string): string =>
  place
    .replace(/^providers\/Microsoft\.\w+\//, '')
    .replace(/postroom(-|pkg)?[a-z0-9]{13}\b/, (_all, part = '') => (part === 'pkg' ? 'packages*' : '*'));

// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
const roleNames: Readonly<Record<string, string>> = {
  'b7e6dc6d-f1e8-4753-8033-0f276bb0955b': 'Storage Blob Data Owner',
  '974c5e8b-45b9-4653-ba55-5f855dd0fb88': 'Storage Queue Data Contributor',
  '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3': 'Storage Table Data Contributor',
  'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a': 'Storage Queue Data Message Sender',
  'ba92f5b4-2d11-453d-a403-e96b0029c9fe': 'Storage Blob Data Contributor',
  '3913510d-42f4-4e42-8a64-420c390055eb': 'Monitoring Metrics Publisher',
};
