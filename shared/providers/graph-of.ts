import type { DemoWorld } from '../platform/config.ts';
import { clouds } from './clouds.ts';
import { traitsOf } from './presets.ts';
import type { Provider } from './provider.ts';

/** Microsoft Graph of a provider: its origin, and the host that a token must be for. Undefined: it has none. */
export function graphOf(
  provider: Pick<Provider, 'preset' | 'cloud'>,
  _config: { demo: DemoWorld | undefined },
): { origin: string; host: string } | undefined {
  const { isDemo, hasClouds } = traitsOf(provider);
  if (isDemo || !hasClouds) return undefined;
  const origin = clouds[provider.cloud].graph;
  return { origin, host: new URL(origin).hostname };
}
