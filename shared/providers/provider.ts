import type { DemoWorld } from '../platform/config.ts';
import { PostroomError } from '../platform/errors.ts';
import { type CloudName, clouds } from './clouds.ts';
import type { HeldCredentials } from './credential.ts';
import type { Preflight } from './preflight.ts';
import {
  type MailHosts,
  type Preset,
  type PresetName,
  type Protocol,
  presetNamed,
  protocols,
  traitsOf,
} from './presets.ts';

/** Where a provider without a preset answers. */
export type CustomEndpoints =
  | { kind: 'discovery'; issuer: string }
  | { kind: 'manual'; authorization: string; token: string };

/** An OAuth app registration, as Postroom knows it. */
export interface Provider extends HeldCredentials {
  id: string;
  name: string;
  /** A draft has a name and whatever else was known when it was saved; nobody can sign in through it. */
  state: 'draft' | 'ready';
  preset: PresetName;
  /** Which of Microsoft's separate clouds the tenant lives in; worldwide for every other preset. */
  cloud: CloudName;
  /** Directory (tenant) id or domain; Microsoft and Demo only. */
  tenant: string | undefined;
  /** Empty in a draft that does not know it yet. */
  clientId: string;
  /** Custom only. */
  endpoints: CustomEndpoints | undefined;
  /** Custom only: the mail servers that its tokens may be sent to. */
  mailHosts?: MailHosts | undefined;
  /** Mail scopes of a custom provider; presets know their own. */
  scopes: readonly string[];
  /** What was found out about these settings since they were last changed. */
  preflight?: Preflight | undefined;
  /** ISO time at which a browser first came back from this registration, which proves its redirect URI. */
  redirectSeenAt?: string | undefined;
  /** ISO time at which an admin of the tenant agreed to all permissions, by a link of Postroom's. */
  approvedAt?: string | undefined;
  createdAt: string;
  /** Of the last edit. */
  changedAt: string;
}

interface World {
  demo: DemoWorld | undefined;
}

/**
 * The preset a provider was made from.
 * @throws PostroomError `demo-gone` when a demo provider is used where no demo runs.
 */
export function presetOf(provider: Provider, config: World): Preset {
  const preset = presetNamed(provider.preset, config, provider.cloud);
  if (preset === undefined)
    throw new PostroomError(
      'demo-gone',
      `${provider.name} is a demo provider and works under npm start only.`,
    );
  return preset;
}

/**
 * True for what `npm start` brings along, and for a matter of no provider in its world. A provider that leads elsewhere
 * stays what it is there.
 */
export const isOfDemo = ({ demo }: World, provider: Pick<Provider, 'preset'> | undefined): boolean =>
  demo?.isShownAsDemo === true && (provider === undefined || traitsOf(provider).isDemo);

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

/** A mail server as a provider names it. `port` is absent where the usual ones of its protocol may be used. */
export interface MailServer {
  host: string;
  port?: number;
}
export type MailServers = Partial<Record<Protocol, MailServer>>;

/**
 * The mail servers that a provider's tokens may be sent to, and no others (RFC 9700 section 4.9). Of a custom provider
 * its row names them, where a change is confirmed and audited; a mailbox cannot.
 */
export function mailServersOf(provider: Provider, config: World): MailServers {
  const preset = presetNamed(provider.preset, config, provider.cloud);
  // A demo provider where no demo runs has none.
  if (preset === undefined) return {};
  if (preset.mail !== undefined) return preset.mail;
  return Object.fromEntries(
    Object.entries(provider.mailHosts ?? {}).map(([protocol, host]) => [protocol, { host }]),
  );
}

/** All scopes to ask for. The mail scopes come first: Entra takes the audience of the token from the first one. */
export function scopesOf(
  provider: Provider,
  config: World,
  wanted: readonly Protocol[] = protocols,
): readonly string[] {
  const mail = mailScopesOf(provider, config, wanted);
  const { offlineScope } = traitsOf(provider);
  return [...mail, 'openid', 'profile', 'email', ...(offlineScope ? ['offline_access'] : [])];
}

/** The scopes that open mailboxes, without the OpenID ones. */
export function mailScopesOf(
  provider: Provider,
  config: World,
  wanted: readonly Protocol[],
): readonly string[] {
  const preset = presetOf(provider, config);
  return preset.settingsFrom === 'admin' ? provider.scopes : preset.mailScopes(wanted);
}

/**
 * Whom a managed identity's token must be made for, so that the provider's cloud accepts it for an app.
 * https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity
 */
export const exchangeAudienceOf = ({ cloud }: Pick<Provider, 'cloud'>): string =>
  clouds[cloud].exchangeAudience;
