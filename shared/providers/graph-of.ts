import type { DemoWorld } from '../platform/config.ts';
import { presetNamed } from './presets.ts';
import type { Provider } from './provider.ts';

/**
 * Microsoft Graph of a provider: its origin, and the host that a token must be for. The demo's answers plain HTTP
 * on loopback. Undefined: the provider has none. Pure.
 */
export function graphOf(
  { preset, cloud }: Pick<Provider, 'preset' | 'cloud'>,
  config: { demo: DemoWorld | undefined },
): { origin: string; host: string } | undefined {
  const graph = presetNamed(preset, config, cloud)?.graph;
  if (graph === undefined) return undefined;
  const { host, port } = graph;
  return { origin: port === 443 ? `https://${host}` : `http://${host}:${port}`, host };
}
