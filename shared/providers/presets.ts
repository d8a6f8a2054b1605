import type { DemoWorld } from '../platform/config.ts';
import { type CloudName, clouds } from './clouds.ts';
import type { Credential } from './credential.ts';
import type { FieldRule } from './field-rules.ts';
import { type PresetEntry, presetEntries } from './preset-entries.ts';

export type PresetName = keyof typeof presetEntries;
export const presetNames = Object.keys(presetEntries) as PresetName[];

export const isPresetName = (value: unknown): value is PresetName =>
  typeof value === 'string' && Object.hasOwn(presetEntries, value);

/** What a token may be used for; each protocol is a scope of its own at Microsoft. */
export type Protocol = 'imap' | 'pop3' | 'smtp';
export const protocols: readonly Protocol[] = ['imap', 'pop3', 'smtp'];

/** Names of mail servers, by protocol. */
export type MailHosts = Partial<Record<Protocol, string>>;

export interface MailHost {
  host: string;
  port: number;
}

/** What to enter at the provider, beside its form. */
export type PresetGuide =
  /** Step by step through the pages of Microsoft's portal, and the same as a script. */
  | { kind: 'entra-portal' }
  /** A paragraph and the redirect URI to copy; `page` is where it is entered, `copy` a further value. */
  | {
      kind: 'text';
      text: string;
      redirectLabel: string;
      page?: { href: string; label: string };
      copy?: { label: string; value: string };
    };

/** What a preset is, wherever it leads. */
export interface PresetTraits {
  label: string;
  /** One sentence for the page where the kind of provider is chosen. */
  hint: string;
  /**
   * `entra`: Microsoft Entra's dialect. It has tenants, issuers with a place for the tenant, admin consent, an app that
   * signs in as itself, and secrets that Graph can make. `oidc`: OAuth 2.0 and OpenID Connect, and no more.
   */
  shape: 'entra' | 'oidc';
  /** Who names endpoints, scopes and mail servers. Where the admin does, the provider has a redirect URI of its own. */
  settingsFrom: 'preset' | 'admin';
  /** Leads to what `npm start` runs, which fills in tenant, client ID and secret; offered nowhere else. */
  isDemo: boolean;
  needsTenant: boolean;
  /** Lives in one of Microsoft's separate clouds, to be chosen. */
  hasClouds: boolean;
  /** As the provider's own console calls it. */
  clientIdLabel: string;
  /** Checked before what holds for every provider. */
  clientIdRules: readonly FieldRule[];
  secretRules: readonly FieldRule[];
  /** Which of the console's values is the secret; undefined where nobody takes another one for it. */
  secretHint: string | undefined;
  /** Undefined: there is nothing to enter anywhere. */
  guide: PresetGuide | undefined;
  /** How an app may prove itself there. */
  credentialKinds: readonly Credential['kind'][];
  /** False where a client secret is good until somebody deletes it. */
  secretsExpire: boolean;
  /** Parameters the authorization request needs for a refresh token to be given. */
  authorizationExtras: Readonly<Record<string, string>>;
  /** `offline_access` is a scope of OpenID Connect; Google has a parameter in its place and refuses the scope. */
  offlineScope: boolean;
}

/** Where a preset leads. */
export interface PresetPlaces {
  /** Mail hosts a token of this provider may be sent to; undefined: the provider's row names them. */
  mail: Partial<Record<Protocol, MailHost>> | undefined;
  /** Hosts that sign-in, token and key addresses must stand on; undefined: any public host. */
  endpointHosts: readonly string[] | undefined;
  /** Where discovery starts; undefined: the admin names it. */
  authority(tenant: string): string | undefined;
  /** Scopes for these protocols, without the OpenID ones. */
  mailScopes(wanted: readonly Protocol[]): string[];
}

export type Preset = PresetTraits & PresetPlaces & { name: PresetName };

/** What is known of a provider's preset without asking where it leads, and so also of a demo that does not run. Pure. */
export const traitsOf = ({ preset }: { preset: PresetName }): PresetTraits => presetEntries[preset];

/** Where a preset leads in the demo: the identity provider and mail server that `npm start` runs. */
function placesIn(world: DemoWorld): Omit<PresetPlaces, 'mailScopes'> {
  return {
    mail: { imap: world.imap, pop3: world.pop3, smtp: world.smtp },
    endpointHosts: [new URL(world.authority).hostname],
    authority: (tenant) => demoAuthority(world, tenant),
  };
}

/** The authority of the world may come with or without tenant and version. */
function demoAuthority(world: DemoWorld, tenant: string): string {
  const base = world.authority.replace(/(?:\/v2\.0)?\/*$/, '');
  const origin = base.endsWith(`/${world.tenant}`) ? base.slice(0, -world.tenant.length - 1) : base;
  return `${origin}/${tenant}/v2.0`;
}

/** The presets on offer; Demo only where `npm start` has set up its world. */
export function presetsFor(
  config: { demo: DemoWorld | undefined },
  cloud: CloudName = 'worldwide',
): readonly Preset[] {
  return presetNames.flatMap((name) => presetNamed(name, config, cloud) ?? []);
}

/** A preset by its name; undefined for an unknown name, and for Demo where there is no demo. */
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
