// What a desk costs when no mail comes at all: what its template makes and Azure charges by the hour, the month or the
// question. Counted in the snapshots of infra/, so that a change there is a change here. Pure.
import type { Price } from './month.ts';

/** A resource as a snapshot has it. */
export interface DeskResource {
  type: string;
  properties?: unknown;
}

export const fixedKinds = [
  'watchQuestion',
  'logAlert',
  'metricAlert',
  'warmGbSecond',
  'privateEndpointHour',
  'gatewayHour',
  'addressHour',
  'privateZone',
] as const;
export type Fixed = (typeof fixedKinds)[number];

export interface FixedMonth {
  lines: readonly { item: Fixed; amount: number; usd: number }[];
  usd: number;
}

const HOURS = 730;

interface WebTest {
  Frequency: number;
  Locations: readonly unknown[];
}
interface Site {
  functionAppConfig: {
    scaleAndConcurrency: {
      instanceMemoryMB: number;
      alwaysReady: readonly { instanceCount: number }[];
    };
  };
}

/** A month of 730 hours of what stands in a desk, in US dollars. */
export function fixedMonthOf(
  resources: readonly DeskResource[],
  prices: Readonly<Record<Fixed, Price>>,
): FixedMonth {
  const amounts = amountsOf(resources);
  const lines = fixedKinds.map((item) => {
    const { usd, per, freePerMonth } = prices[item];
    const amount = amounts[item];
    return { item, amount, usd: (Math.max(0, amount - freePerMonth) / per) * usd };
  });
  return { lines, usd: lines.reduce((sum, line) => sum + line.usd, 0) };
}

function amountsOf(resources: readonly DeskResource[]): Record<Fixed, number> {
  const all = (type: string): DeskResource[] => resources.filter((resource) => resource.type === type);
  const sum = (type: string, of: (properties: unknown) => number): number =>
    all(type).reduce((total, { properties }) => total + of(properties), 0);
  return {
    // Each place asks every so many seconds.
    watchQuestion: sum('Microsoft.Insights/webtests', (properties) => {
      const { Frequency, Locations } = properties as WebTest;
      return Locations.length * ((HOURS * 3600) / Frequency);
    }),
    logAlert: all('Microsoft.Insights/scheduledQueryRules').length,
    metricAlert: all('Microsoft.Insights/metricAlerts').length,
    warmGbSecond: sum('Microsoft.Web/sites', (properties) => {
      const { instanceMemoryMB, alwaysReady } = (properties as Site).functionAppConfig.scaleAndConcurrency;
      const instances = alwaysReady.reduce((total, { instanceCount }) => total + instanceCount, 0);
      return instances * (instanceMemoryMB / 1024) * HOURS * 3600;
    }),
    privateEndpointHour: all('Microsoft.Network/privateEndpoints').length * HOURS,
    gatewayHour: all('Microsoft.Network/natGateways').length * HOURS,
    addressHour: all('Microsoft.Network/publicIPAddresses').length * HOURS,
    privateZone: all('Microsoft.Network/privateDnsZones').length,
  };
}
