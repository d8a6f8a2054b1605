import type { DemoWorld } from '../platform/config.ts';
import { PostroomError } from '../platform/errors.ts';
import { type CloudName, clouds } from './clouds.ts';
import type { ProviderCredentials } from './credential.ts';
import type { Preflight } from './preflight.ts';
import {
  type MailHosts,
  type Preset,
  type PresetName,
  type Protocol,
  presetNamed,
  type ServerProtocol,
  serverProtocols,
  traitsOf,
} from './presets.ts';
import { protocolAccess, type Resource } from './protocol-access.ts';

/** The endpoints of a custom provider. */
export type CustomEndpoints =
  | { kind: 'discovery'; issuer: string }
  | { kind: 'manual'; authorization: string; token: string };

/** An OAuth app registration. */
export interface Provider extends ProviderCredentials {
  id: string;
  name: string;
  /** A draft has a name and whatever was known when it was saved; nobody can sign in through it. */
  state: 'draft' | 'ready';
  preset: PresetName;
  /** Microsoft's cloud of the tenant; `worldwide` for all other presets. */
  cloud: CloudName;
  /** Directory (tenant) ID or domain; Microsoft and Demo only. */
  tenant: string | undefined;
  /** Empty in a draft when it is not known yet. */
  clientId: string;
  /** Custom only. */
  endpoints: CustomEndpoints | undefined;
  /** Custom only: the mail servers that may receive its tokens. */
  mailHosts?: MailHosts | undefined;
  /** Mail scopes of a custom provider; presets define their own. */
  scopes: readonly string[];
  /** The protocols that its mailboxes may use; absent: those of the mail servers. Microsoft only. */
  ways?: readonly Protocol[] | undefined;
  /** The result of the last check of these settings. */
  preflight?: Preflight | undefined;
  /** ISO time at which a browser first returned from this registration, which proves its redirect URI. */
  redirectSeenAt?: string | undefined;
  /** ISO time at which a tenant admin consented to all permissions, by one of Postroom's links. */
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
 * True for the provider of the demo, and in the demo for anything without a provider. Other providers are
 * treated normally.
 */
export const isOfDemo = ({ demo }: World, provider: Pick<Provider, 'preset'> | undefined): boolean =>
  demo?.isShownAsDemo === true && (provider === undefined || traitsOf(provider).isDemo);

/** The provider's endpoints: from discovery at an issuer, or as entered. */
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

/** A mail server of a provider. Without `port`, the usual ports of its protocol are allowed. */
export interface MailServer {
  host: string;
  port?: number;
}
export type MailServers = Partial<Record<ServerProtocol, MailServer>>;

/**
 * The mail servers that may receive a provider's tokens, and no others (RFC 9700 section 4.9). For a custom
 * provider they are part of its row, where a change is confirmed and audited; a mailbox can't set them.
 */
export function mailServersOf(provider: Provider, config: World): MailServers {
  const preset = presetNamed(provider.preset, config, provider.cloud);
  // Without the demo running, a demo provider has none.
  if (preset === undefined) return {};
  if (preset.mail !== undefined) return preset.mail;
  return Object.fromEntries(
    Object.entries(provider.mailHosts ?? {}).map(([protocol, host]) => [protocol, { host }]),
  );
}

/** The hosts that may receive a provider's token for one resource, in lower case. */
export function tokenHostsOf(provider: Provider, config: World, resource: Resource): readonly string[] {
  if (resource === 'outlook')
    return Object.values(mailServersOf(provider, config)).map(({ host }) => host.toLowerCase());
  const graph = presetNamed(provider.preset, config, provider.cloud)?.graph;
  return graph === undefined ? [] : [graph.host.toLowerCase()];
}

/** The protocols that are asked for where no choice was made: those of the mail servers. */
export const usualProtocols: readonly Protocol[] = serverProtocols;

/** The protocols whose permissions a provider's registration needs. Pure. */
export const waysOf = ({ ways }: Pick<Provider, 'ways'>): readonly Protocol[] => ways ?? usualProtocols;

/** Which mailbox a token is for, and for which resource. */
export interface ScopeNeeds {
  /** The mailbox is shared with the person who signs in. */
  shared?: boolean | undefined;
  /** Only the scopes of one resource: a token request may name one only (AADSTS28000). */
  resource?: Resource | undefined;
}

/**
 * All scopes to request. The mail scopes come first: Entra takes the token's audience from the first one. An
 * authorization request may name the scopes of several resources, a token request those of one:
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#request-an-authorization-code
 */
export function scopesOf(
  provider: Provider,
  config: World,
  wanted: readonly Protocol[] = usualProtocols,
  needs: ScopeNeeds = {},
): readonly string[] {
  const mail = mailScopesOf(provider, config, wanted, needs);
  const { offlineScope } = traitsOf(provider);
  return [...mail, 'openid', 'profile', 'email', ...(offlineScope ? ['offline_access'] : [])];
}

/** The scopes for mailboxes, without the OpenID scopes. */
export function mailScopesOf(
  provider: Provider,
  config: World,
  wanted: readonly Protocol[],
  { shared = false, resource }: ScopeNeeds = {},
): readonly string[] {
  const preset = presetOf(provider, config);
  if (preset.settingsFrom === 'admin') return provider.scopes;
  const asked = wanted.filter((one) => resource === undefined || protocolAccess[one].resource === resource);
  return preset.mailScopes(asked, { shared });
}

/**
 * The audience of a managed identity's token that the provider's cloud accepts as a client assertion.
 * https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity
 */
export const exchangeAudienceOf = ({ cloud }: Pick<Provider, 'cloud'>): string =>
  clouds[cloud].exchangeAudience;
