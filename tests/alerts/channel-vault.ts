import { type ChannelSecrets, createChannelSecrets } from '../../shared/alerts/channel-secrets.ts';
import type { ChannelSecretName } from '../../shared/alerts/channel-states.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { MemoryVault } from '../harness/memory/memory-vault.ts';

export type ChannelValues = Partial<Record<ChannelSecretName, string | undefined>>;

/** A key that is long enough for a signature. */
export const SIGNING_KEY = 'a key of the webhook that nobody guesses';

/** Writes secrets of channels as an operator does. */
export async function setChannels(vault: Pick<MemoryVault, 'set'>, values: ChannelValues): Promise<void> {
  for (const [name, value] of Object.entries(values))
    if (value !== undefined) await vault.set(name, new Secret(value), { contentType: 'text/plain' });
}

/** The app's reader over a vault with these secrets. */
export function channelSecretsOf(values: ChannelValues, { local = true } = {}): ChannelSecrets {
  const vault = new MemoryVault();
  const written = setChannels(vault, values);
  const reader = createChannelSecrets({ vault, seam: openSeam, config: { local } });
  return { read: () => written.then(() => reader.read()) };
}
