import type { PracticeWorld } from '../platform/config.ts';
import { PostroomError } from '../platform/errors.ts';
import { type Preset, type PresetName, type Protocol, presetNamed, protocols } from './presets.ts';

/** How the app proves itself at the token endpoint. The value itself stands in Key Vault under `vaultName`. */
export interface ClientSecret {
  kind: 'secret';
  vaultName: string;
  version: string;
  /** ISO times. */
  setAt: string;
  expiresOn: string;
}

/** Where a provider without a preset answers. */
export type CustomEndpoints =
  | { kind: 'discovery'; issuer: string }
  | { kind: 'manual'; authorization: string; token: string };

/** An OAuth app registration, as Postroom knows it. */
export interface Provider {
  id: string;
  name: string;
  preset: PresetName;
  /** Directory (tenant) id or domain; Microsoft and Practice only. */
  tenant: string | undefined;
  clientId: string;
  credential: ClientSecret;
  /** Custom only. */
  endpoints: CustomEndpoints | undefined;
  /** Mail scopes of a custom provider; presets know their own. */
  scopes: readonly string[];
  createdAt: string;
  /** Of the last edit. */
  changedAt: string;
}

interface World {
  practice: PracticeWorld | undefined;
}

/**
 * The preset a provider was made from.
 * @throws PostroomError `practice-gone` when a Practice provider is used where no practice world runs.
 */
export function presetOf(provider: Provider, config: World): Preset {
  const preset = presetNamed(provider.preset, config);
  if (preset === undefined)
    throw new PostroomError(
      'practice-gone',
      `${provider.name} is a Practice provider and works under npm start only.`,
    );
  return preset;
}

/** Where the provider's endpoints are found: by discovery at an issuer, or as they were typed. */
export function endpointsOf(provider: Provider, config: World): CustomEndpoints {
  const issuer = presetOf(provider, config).authority(provider.tenant ?? '');
  if (issuer !== undefined) return { kind: 'discovery', issuer };
  if (provider.endpoints === undefined)
    throw new PostroomError(
      'provider-without-endpoints',
      `${provider.name} has no endpoints; edit the provider.`,
    );
  return provider.endpoints;
}

/** All scopes to ask for. The mail scopes come first: Entra takes the audience of the token from the first one. */
export function scopesOf(
  provider: Provider,
  config: World,
  wanted: readonly Protocol[] = protocols,
): readonly string[] {
  const preset = presetOf(provider, config);
  const mail = preset.name === 'custom' ? provider.scopes : preset.mailScopes(wanted);
  return [...mail, 'openid', 'profile', 'email', ...(preset.offlineScope ? ['offline_access'] : [])];
}

export const secretName = (providerId: string): string => `provider-${providerId}`;
