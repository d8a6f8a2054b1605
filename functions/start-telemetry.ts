import { readConfig } from '../shared/platform/config.ts';
import { log } from '../shared/platform/log.ts';
import { sendTelemetryTo } from '../shared/platform/telemetry.ts';

let started: Promise<void> | undefined;

/**
 * Starts telemetry once per process, if it is configured. Never rejects: the app also works without
 * telemetry.
 */
export function startTelemetry(): Promise<void> {
  started ??= start().catch((error: unknown) => log.error('telemetry not started', error));
  return started;
}

async function start(): Promise<void> {
  const { telemetry: settings } = readConfig();
  if (settings === undefined) return;
  const { openTelemetry } = await import('../shared/platform/open-telemetry.ts');
  sendTelemetryTo(await openTelemetry(settings));
}
