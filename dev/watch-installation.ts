/**
 * `npm run watch-installation [-- --json]`: turns on the alert for `/health/ready`, with the deployer's own
 * `az login`. azd runs it after each deployment (azure.yaml): the first provisioning leaves the alert off,
 * because nothing responds before the app is deployed. Waits until the installation is ready, but not
 * forever: an installation that never becomes ready is what the alert is for. `--management URL`: an
 * emulator of Azure Resource Manager on this machine; `--patience SECONDS`.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { AzureCliCredential } from '@azure/identity';
import { openPostroomEnvironment, type PostroomEnvironment } from './register-app/azd-environment.ts';
import { runCommand } from './run-command.ts';

const MANAGEMENT = 'https://management.azure.com';
/** The name in infra/modules/alerts.bicep. */
const ALERT = 'postroom-not-ready';
/** https://learn.microsoft.com/rest/api/monitor/metric-alerts/update */
const API_VERSION = '2018-03-01';
/** Role assignments of a new identity take up to ten minutes to apply everywhere. */
const PATIENCE_SECONDS = 600;
const BETWEEN_MS = 10_000;
const REQUEST_MS = 20_000;

function needed(environment: PostroomEnvironment, name: string): string {
  const value = environment.get(name);
  if (value !== undefined) return value;
  throw new Error(`${name} is not known. Run "azd provision" first; without azd, set it.`);
}

/** Only this machine: the deployer's token must not be sent to any other host. */
function standIn(url: string): string {
  const { hostname, origin } = new URL(url);
  if (hostname === 'localhost' || hostname === '127.0.0.1') return origin;
  throw new Error('--management names a stand-in on this machine: http://localhost:PORT.');
}

async function isReady(url: string): Promise<boolean> {
  try {
    const { ok } = await fetch(`${url}/health/ready`, {
      redirect: 'error',
      signal: AbortSignal.timeout(REQUEST_MS),
    });
    return ok;
  } catch {
    return false;
  }
}

/** Whether it became ready in time. */
async function waitUntilReady(url: string, seconds: number): Promise<boolean> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    if (await isReady(url)) return true;
    const left = end - Date.now();
    if (left <= 0) return false;
    await pause(Math.min(BETWEEN_MS, left));
  }
}

async function switchOn(management: string, subscription: string, group: string): Promise<void> {
  const token = await new AzureCliCredential({ processTimeoutInMs: 30_000 }).getToken(
    `${MANAGEMENT}/.default`,
  );
  const path = `/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.Insights/metricAlerts/${ALERT}`;
  const answer = await fetch(`${management}${path}?api-version=${API_VERSION}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${token.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ properties: { enabled: true } }),
    redirect: 'error',
    signal: AbortSignal.timeout(REQUEST_MS),
  });
  if (!answer.ok)
    throw new Error(
      `Azure did not switch the alert ${ALERT} on (status ${answer.status}). "azd provision" does it as well.`,
    );
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      management: { type: 'string' },
      patience: { type: 'string', default: String(PATIENCE_SECONDS) },
    },
  });
  const management = values.management === undefined ? MANAGEMENT : standIn(values.management);
  const environment = await openPostroomEnvironment();
  const subscription = needed(environment, 'AZURE_SUBSCRIPTION_ID');
  const group = needed(environment, 'AZURE_RESOURCE_GROUP');
  const url = needed(environment, 'POSTROOM_URL').replace(/\/+$/, '');
  process.stderr.write(`Waiting until ${url}/health/ready answers 200 …\n`);
  const ready = await waitUntilReady(url, Number(values.patience));
  await switchOn(management, subscription, group);
  if (values.json) console.log(JSON.stringify({ ready, alert: 'on' }));
  else
    console.log(
      ready
        ? 'The installation is ready. The alert on /health/ready is on.'
        : 'The installation is not ready yet. The alert on /health/ready is on and will tell you of it; docs/operations.md ("The first deployment") says where to look.',
    );
}

await runCommand(async () => {
  await main();
  return 0;
});
