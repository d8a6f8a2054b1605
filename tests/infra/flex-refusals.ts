/**
 * What Flex Consumption rejects, ignores or has in another place, in one list. Resource Manager is not consistent about
 * it: a property that one region ignores stops the deployment in another ("The following
 * list of … site configuration properties … for Flex Consumption sites is invalid", code 51021).
 */
import { at, ofType, type Resource, settingsOf } from '../harness/memory/installation-resources.ts';

/** All properties that `siteConfig` may contain: those that Microsoft's own templates for the plan set, and the deployment counterpart. */
const allowedSiteConfig: readonly string[] = ['minTlsVersion', 'scmMinTlsVersion'];

/** Why another property is not allowed, if the reason is known. */
const refusedSiteConfig: Readonly<Record<string, string>> = {
  // Named in errors of Resource Manager:
  // https://github.com/Azure/terraform-azurerm-avm-res-web-site/issues/360
  // https://github.com/microsoft/azure-pipelines-tasks/issues/21032
  ftpsState: 'refused: there is no FTP',
  use32BitWorkerProcess: 'refused: there is one architecture',
  netFrameworkVersion: 'refused: the runtime stands in functionAppConfig',
  functionsRuntimeScaleMonitoringEnabled: 'refused: the platform scales by itself',
  // https://github.com/Azure/terraform-azurerm-avm-res-web-site/issues/283
  linuxFxVersion: 'refused: the runtime stands in functionAppConfig',
  // https://learn.microsoft.com/answers/questions/2277522
  preWarmedInstanceCount: 'refused: alwaysReady in functionAppConfig',
  // Hidden in the portal for this plan, without effect: https://github.com/Azure/azure-functions-ux/pull/7660
  alwaysOn: 'of no effect',
  remoteDebuggingEnabled: 'of no effect',
  http20Enabled: 'of no effect',
};

/** https://learn.microsoft.com/azure/azure-functions/functions-app-settings#flex-consumption-plan-deprecations */
const settingsOfOtherPlans: readonly RegExp[] = [
  /^ENABLE_ORYX_BUILD$/,
  /^SCM_DO_BUILD_DURING_DEPLOYMENT$/,
  /^FUNCTIONS_(WORKER_RUNTIME|WORKER_RUNTIME_VERSION|WORKER_PROCESS_COUNT|EXTENSION_VERSION|MAX_HTTP_CONCURRENCY)$/,
  /^FUNCTIONS_WORKER_DYNAMIC_CONCURRENCY_ENABLED$/,
  /^WEBSITE_CONTENT\w+$/,
  /^WEBSITE_(DNS_SERVER|MAX_DYNAMIC_APPLICATION_SCALE_OUT|NODE_DEFAULT_VERSION|RUN_FROM_PACKAGE)$/,
  /^WEBSITE_(SKIP_CONTENTSHARE_VALIDATION|TIME_ZONE|USE_PLACEHOLDER|VNET_ROUTE_ALL)$/,
  /^TZ$/,
  // Not of another plan, but of another connection to storage: a connection string overrides the identity.
  /^(AzureWebJobsStorage|DataStorage)$/,
];

/** The same page, and the API's reference: https://learn.microsoft.com/azure/templates/microsoft.web/sites */
const propertiesOfOtherPlans: readonly string[] = [
  'containerSize',
  'dailyMemoryTimeQuota',
  'isXenon',
  'vnetBackupRestoreEnabled',
  'vnetContentShareEnabled',
  'vnetImagePullEnabled',
  'vnetRouteAllEnabled',
];

export function refusedByFlex(resources: readonly Resource[]): string[] {
  const sites = ofType(resources, 'Microsoft.Web/sites');
  const config = sites.flatMap(({ properties }) => Object.keys(at(properties, 'siteConfig') ?? {}));
  return [
    ...config
      .filter((name) => !allowedSiteConfig.includes(name))
      .map((name) => `siteConfig.${name}: ${refusedSiteConfig[name] ?? 'not known to be taken'}`),
    ...sites.flatMap(({ properties }) =>
      propertiesOfOtherPlans.filter((name) => at(properties, name) !== undefined),
    ),
    ...Object.keys(settingsOf(resources)).filter((name) =>
      settingsOfOtherPlans.some((pattern) => pattern.test(name)),
    ),
  ];
}
