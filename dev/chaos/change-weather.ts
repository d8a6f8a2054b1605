import type { Stack } from '../stack.ts';
import type { Chance } from './chance.ts';
import type { Weather } from './weather.ts';

interface Sky {
  world: { stack: Pick<Stack, 'identityProvider' | 'keyVault'> };
  weather: Weather;
  chance: Chance;
}

const TOKEN_PATH = '^/oauth2/v2.0/token$';
const SECRET_PATH = 'secrets';
/** Effectively unlimited: it is cleared when the outage ends. */
const OUTAGE = 10_000;
const OUTAGE_MS = { low: 5_000, high: 25_000 };
/** Failure rates of IMAP commands and storage requests: twice low, twice medium, once high. */
const SKIES = [
  { imap: 0.02, storage: 0.005 },
  { imap: 0.02, storage: 0.005 },
  { imap: 0.08, storage: 0.02 },
  { imap: 0.08, storage: 0.02 },
  { imap: 0.2, storage: 0.08 },
];

/** Changes the failure rates, and occasionally breaks or stops a token endpoint, the vault or storage. */
export async function changeWeather(sky: Sky, nap: (ms: number) => Promise<void>): Promise<void> {
  const { weather, chance } = sky;
  Object.assign(weather, chance.pick(SKIES));
  if (chance.happens(0.2)) await failTokens(sky, nap);
  if (chance.happens(0.3)) await failVault(sky, nap);
  if (!chance.happens(0.08)) return;
  weather.count('storage outage');
  weather.storageDown = true;
  await nap(chance.between(3_000, 20_000));
  weather.storageDown = false;
}

async function failTokens(
  { world, weather, chance }: Sky,
  nap: (ms: number) => Promise<void>,
): Promise<void> {
  const { control } = world.stack.identityProvider;
  const fault = { match: { path: TOKEN_PATH }, status: statusOf(chance), body: { error: 'server_error' } };
  const isOutage = chance.happens(0.3);
  weather.count(isOutage ? 'token endpoint down' : 'token endpoint fails');
  await control.addFault({ ...fault, times: isOutage ? OUTAGE : 3 });
  if (!isOutage) return;
  await nap(chance.between(OUTAGE_MS.low, OUTAGE_MS.high));
  await control.clearFaults();
}

async function failVault({ world, weather, chance }: Sky, nap: (ms: number) => Promise<void>): Promise<void> {
  const { keyVault } = world.stack;
  const isOutage = chance.happens(0.3);
  weather.count(isOutage ? 'vault down' : 'vault fails');
  const fault = { match: { path: SECRET_PATH }, status: statusOf(chance) };
  await keyVault.addFault({ ...fault, times: isOutage ? OUTAGE : 2 });
  if (!isOutage) return;
  await nap(chance.between(OUTAGE_MS.low, OUTAGE_MS.high));
  await keyVault.clearFaults();
}

const statusOf = (chance: Chance): number => chance.pick([500, 503, 429]);
