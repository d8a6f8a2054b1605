import type { DemoWorld } from '../platform/config.ts';
import { type CloudName, clouds } from './clouds.ts';
import type { Credential } from './credential.ts';
import type { FieldRule } from './field-rules.ts';
import { type PresetEntry, presetEntries } from './preset-entries.ts';

export type PresetName = keyof typeof presetEntries;
export const presetNames = Object.keys(presetEntries) as PresetName[];

export const isPresetName = (value: unknown): value is PresetName =>
  typeof value === 'string' && Object.hasOwn(presetEntries, value);

/** The protocols of mail servers, to which a token goes by XOAUTH2. */
export const serverProtocols = ['imap', 'pop3', 'smtp'] as const;
export type ServerProtocol = (typeof serverProtocols)[number];

/**
 * What a token may be used for; at Microsoft, each has its own scope (protocol-access.ts). Over Microsoft
 * Graph: `graph` reads and changes mail, `graph-send` sends, `graph-push` learns of new mail in a mailbox
 * that is read in another way.
 */
export const protocols = [...serverProtocols, 'graph', 'graph-send', 'graph-push'] as const;
export type Protocol = (typeof protocols)[number];

/** Host names of mail servers, by protocol. */
export type MailHosts = Partial<Record<ServerProtocol, string>>;

export interface MailHost {
  host: string;
  port: number;
}

/** What to enter at the provider, shown beside the form. */
export type PresetGuide =
  /** The steps in Microsoft's portal, and the same as a script. */
  | { kind: 'entra-portal' }
  /** A paragraph and the redirect URI to copy; `page` is where to enter it, `copy` another value. */
  | {
      kind: 'text';
      text: string;
      redirectLabel: string;
      page?: { href: string; label: string };
      copy?: { label: string; value: string };
    };

/** The traits of a preset that do not depend on its endpoints. */
export interface PresetTraits {
  label: string;
  /** One sentence for the page where the preset is chosen. */
  hint: string;
  /**
   * `entra`: the dialect of Microsoft Entra, with tenants, issuers with a tenant placeholder, admin
   * consent, app-only sign-in, and secrets that Graph can create. `oidc`: only OAuth 2.0 and OpenID
   * Connect.
   */
  shape: 'entra' | 'oidc';
  /**
   * Who sets endpoints, scopes and mail servers. If the admin does, the provider has its own redirect URI.
   */
  settingsFrom: 'preset' | 'admin';
  /**
   * Uses the emulators that `npm start` runs, which fills in tenant, client ID and secret; not offered
   * elsewhere.
   */
  isDemo: boolean;
  needsTenant: boolean;
  /** Available in each of Microsoft's separate clouds. */
  hasClouds: boolean;
  /** The label in the provider's own console. */
  clientIdLabel: string;
  /** Checked before the rules that apply to all providers. */
  clientIdRules: readonly FieldRule[];
  secretRules: readonly FieldRule[];
  /** Which value of the console is the secret; undefined where it can't be confused with another. */
  secretHint: string | undefined;
  /** Undefined: nothing has to be entered at the provider. */
  guide: PresetGuide | undefined;
  /** The ways in which an app can authenticate there. */
  credentialKinds: readonly Credential['kind'][];
  /** False when a client secret is valid until it is deleted. */
  secretsExpire: boolean;
  /** Authorization request parameters that are needed to get a refresh token. */
  authorizationExtras: Readonly<Record<string, string>>;
  /** `offline_access` is a scope of OpenID Connect; Google rejects it and uses a parameter instead. */
  offlineScope: boolean;
}

/** The endpoints of a preset. */
export interface PresetPlaces {
  /** Mail hosts that may receive a token of this provider; undefined: the provider's row names them. */
  mail: Partial<Record<ServerProtocol, MailHost>> | undefined;
  /** The host of Microsoft Graph; undefined where there is none. */
  graph: MailHost | undefined;
  /** Allowed hosts of the authorization, token and key endpoints; undefined: any public host. */
  endpointHosts: readonly string[] | undefined;
  /** The issuer for discovery; undefined: the admin enters it. */
  authority(tenant: string): string | undefined;
  /** The scopes for these protocols, without the OpenID scopes. Those of the mail servers come first. */
  mailScopes(wanted: readonly Protocol[], mailbox?: { shared: boolean }): string[];
}

export type Preset = PresetTraits & PresetPlaces & { name: PresetName };

/**
 * The traits of a provider's preset. They do not depend on its endpoints, so they also exist for a demo
 * that does not run. Pure.
 */
export const traitsOf = ({ preset }: { preset: PresetName }): PresetTraits => presetEntries[preset];

/** The endpoints of a preset in the demo: the identity provider and mail server that `npm start` runs. */
function placesIn(world: DemoWorld): Omit<PresetPlaces, 'mailScopes'> {
  return {
    mail: { imap: world.imap, pop3: world.pop3, smtp: world.smtp },
    graph: world.graph === undefined ? undefined : hostOfUrl(new URL(world.graph)),
    endpointHosts: [new URL(world.authority).hostname],
    authority: (tenant) => demoAuthority(world, tenant),
  };
}

const hostOfUrl = ({ hostname, port, protocol }: URL): MailHost => ({
  host: hostname,
  port: Number(port) || (protocol === 'https:' ? 443 : 80),
});

/** The configured authority may or may not include a tenant and a version. */
function demoAuthority(world: DemoWorld, tenant: string): string {
  const base = world.authority.replace(/(?:\/v2\.0)?\/*$/, '');
  const origin = base.endsWith(`/${world.tenant}`) ? base.slice(0, -world.tenant.length - 1) : base;
  return `${origin}/${tenant}/v2.0`;
}

/** The available presets; Demo only when `npm start` has set up its servers. */
export function presetsFor(
  config: { demo: DemoWorld | undefined },
  cloud: CloudName = 'worldwide',
): readonly Preset[] {
  return presetNames.flatMap((name) => presetNamed(name, config, cloud) ?? []);
}

/** A preset by name; undefined for an unknown name, and for Demo without a demo. */
export function presetNamed(
  name: string,
  { demo }: { demo: DemoWorld | undefined },
  cloud: CloudName = 'worldwide',
): Preset | undefined {
  if (!isPresetName(name)) return undefined;
  const { places, ...traits }: PresetEntry = presetEntries[name];
  if (traits.isDemo)
    return (
      demo && {
        ...traits,
        ...places(clouds.worldwide),
        ...placesIn(demo),
        authority: () => demoAuthority(demo, demo.tenant),
        name,
      }
    );
  const inDemo = demo?.asMicrosoft === true && traits.hasClouds;
  return { ...traits, ...places(clouds[cloud]), ...(inDemo && placesIn(demo)), name };
}
