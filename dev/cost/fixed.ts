// The cost of an installation that receives no mail: resources of its template that Azure charges by the
// hour, the month or the request. Counted in the snapshots of infra/, so a change there changes the result.
// Pure.
import type { Price } from './month.ts';

/** A resource in a snapshot. */
export interface PostroomResource {
  type: string;
  properties?: unknown;
}

export const fixedKinds = [
  'watchQuestion',
  'logAlert',
  'metricAlert',
  'warmGbSecond',
  'warmExecutionGbSecond',
  'privateEndpointHour',
  'gatewayHour',
  'addressHour',
  'privateZone',
] as const;
export type Fixed = (typeof fixedKinds)[number];

export interface FixedMonth {
  lines: readonly { item: Fixed; amount: number; usd: number }[];
  usd: number;
  /**
   * Cost of telemetry in a month in which every day reaches the cap. Not in `usd`: most days stay far
   * below.
   */
  logsAtMostUsd: number;
}

const HOURS = 730;
/**
 * Charged for one response to the availability test: as long as the shortest on-demand execution, which is
 * a high estimate.
 */
const SECONDS_OF_AN_ANSWER = 1;

interface WebTest {
  Frequency: number;
  Locations: readonly unknown[];
}
interface Site {
  functionAppConfig: {
    scaleAndConcurrency: {
      instanceMemoryMB: number;
      alwaysReady: readonly { name: string; instanceCount: number }[];
    };
  };
}

/** Cost of the fixed resources of an installation for 730 hours, in US dollars. */
export function fixedMonthOf(
  resources: readonly PostroomResource[],
  prices: Readonly<Record<Fixed, Price>>,
  logGb: Price,
): FixedMonth {
  const amounts = amountsOf(resources);
  const lines = fixedKinds.map((item) => {
    const { usd, per, freePerMonth } = prices[item];
    const amount = amounts[item];
    return { item, amount, usd: (Math.max(0, amount - freePerMonth) / per) * usd };
  });
  const gb = logGbAtMost(resources);
  return {
    lines,
    usd: lines.reduce((sum, line) => sum + line.usd, 0),
    logsAtMostUsd: (Math.max(0, gb - logGb.freePerMonth) / logGb.per) * logGb.usd,
  };
}

function logGbAtMost(resources: readonly PostroomResource[]): number {
  return resources
    .filter(({ type }) => type === 'Microsoft.OperationalInsights/workspaces')
    .map(({ properties }) => (properties as { workspaceCapping: { dailyQuotaGb: number } }).workspaceCapping)
    .reduce((sum, { dailyQuotaGb }) => sum + dailyQuotaGb * (HOURS / 24), 0);
}

function amountsOf(resources: readonly PostroomResource[]): Record<Fixed, number> {
  const all = (type: string): PostroomResource[] => resources.filter((resource) => resource.type === type);
  const sum = (type: string, of: (properties: unknown) => number): number =>
    all(type).reduce((total, { properties }) => total + of(properties), 0);
  // Each location sends a request every so many seconds.
  const watchQuestion = sum('Microsoft.Insights/webtests', (properties) => {
    const { Frequency, Locations } = properties as WebTest;
    return Locations.length * ((HOURS * 3600) / Frequency);
  });
  return {
    watchQuestion,
    logAlert: all('Microsoft.Insights/scheduledQueryRules').length,
    metricAlert: all('Microsoft.Insights/metricAlerts').length,
    warmGbSecond: sum('Microsoft.Web/sites', (properties) => {
      const { instanceMemoryMB, alwaysReady } = (properties as Site).functionAppConfig.scaleAndConcurrency;
      const instances = alwaysReady.reduce((total, { instanceCount }) => total + instanceCount, 0);
      return instances * (instanceMemoryMB / 1024) * HOURS * 3600;
    }),
    // Excludes pages that people open, and other work of a warm instance.
    warmExecutionGbSecond: sum('Microsoft.Web/sites', (properties) => {
      const { instanceMemoryMB, alwaysReady } = (properties as Site).functionAppConfig.scaleAndConcurrency;
      const answersWarm = alwaysReady.some(({ name }) => name === 'http');
      return answersWarm ? watchQuestion * SECONDS_OF_AN_ANSWER * (instanceMemoryMB / 1024) : 0;
    }),
    privateEndpointHour: all('Microsoft.Network/privateEndpoints').length * HOURS,
    gatewayHour: all('Microsoft.Network/natGateways').length * HOURS,
    addressHour: all('Microsoft.Network/publicIPAddresses').length * HOURS,
    privateZone: all('Microsoft.Network/privateDnsZones').length,
  };
}
