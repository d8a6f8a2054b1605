import type { DemoWorld } from '../platform/config.ts';
import { type Cloud, type CloudName, clouds } from './clouds.ts';
import type { Credential } from './credential.ts';

export type PresetName = 'microsoft' | 'google' | 'custom' | 'demo';
/** What a token may be used for; each protocol is a scope of its own at Microsoft. */
export type Protocol = 'imap' | 'pop3' | 'smtp';
export const protocols: readonly Protocol[] = ['imap', 'pop3', 'smtp'];

/** Names of mail servers, by protocol. */
export type MailHosts = Partial<Record<Protocol, string>>;

export interface MailHost {
  host: string;
  port: number;
}

export interface Preset {
  name: PresetName;
  label: string;
  /** One sentence for the page where the kind of provider is chosen. */
  hint: string;
  needsTenant: boolean;
  /** How an app may prove itself there. */
  credentialKinds: readonly Credential['kind'][];
  /** False where a client secret is good until somebody deletes it. */
  secretsExpire: boolean;
  /** Mail hosts a token of this provider may be sent to; undefined: the provider's row names them. */
  mail: Partial<Record<Protocol, MailHost>> | undefined;
  /** Hosts that sign-in, token and key addresses must stand on; undefined: any public host. */
  endpointHosts: readonly string[] | undefined;
  /** Where discovery starts; undefined: the admin names it. */
  authority(tenant: string): string | undefined;
  /** Scopes for these protocols, without the OpenID ones. */
  mailScopes(wanted: readonly Protocol[]): string[];
  /** Parameters the authorization request needs for a refresh token to be given. */
  authorizationExtras: Readonly<Record<string, string>>;
  /** `offline_access` is a scope of OpenID Connect; Google has a parameter in its place and refuses the scope. */
  offlineScope: boolean;
}

// https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth
const outlookPermissions: Record<Protocol, string> = {
  imap: 'IMAP.AccessAsUser.All',
  pop3: 'POP.AccessAsUser.All',
  smtp: 'SMTP.Send',
};

function microsoftPreset(cloud: Cloud): Preset {
  return {
    name: 'microsoft',
    label: 'Microsoft 365',
    hint: 'Mailboxes in Exchange Online. You need the tenant ID and client ID of an app registration; the next page shows where to find them.',
    needsTenant: true,
    credentialKinds: ['secret', 'certificate', 'federated'],
    secretsExpire: true,
    mail: {
      imap: { host: cloud.imapHost, port: 993 },
      pop3: { host: cloud.imapHost, port: 995 },
      smtp: { host: cloud.smtpHost, port: 587 },
    },
    endpointHosts: [cloud.loginHost],
    authority: (tenant) => `https://${cloud.loginHost}/${tenant}/v2.0`,
    mailScopes: (wanted) =>
      protocols
        .filter((protocol) => wanted.includes(protocol))
        .map((protocol) => `${cloud.outlookScope}/${outlookPermissions[protocol]}`),
    authorizationExtras: {},
    offlineScope: true,
  };
}

const google: Preset = {
  name: 'google',
  label: 'Google',
  hint: 'Gmail and Google Workspace. You need an OAuth client of the type “Web application”.',
  needsTenant: false,
  credentialKinds: ['secret'],
  // https://support.google.com/cloud/answer/15549257: secrets are rotated by hand and have no date.
  secretsExpire: false,
  mail: {
    imap: { host: 'imap.gmail.com', port: 993 },
    pop3: { host: 'pop.gmail.com', port: 995 },
    smtp: { host: 'smtp.gmail.com', port: 587 },
  },
  endpointHosts: ['accounts.google.com', 'oauth2.googleapis.com', 'www.googleapis.com'],
  authority: () => 'https://accounts.google.com',
  // One scope covers all three protocols: https://developers.google.com/workspace/gmail/imap/xoauth2-protocol
  mailScopes: () => ['https://mail.google.com/'],
  // A refresh token comes only with both: https://developers.google.com/identity/protocols/oauth2/web-server#offline
  authorizationExtras: { access_type: 'offline', prompt: 'consent' },
  offlineScope: false,
};

const custom: Preset = {
  name: 'custom',
  label: 'Another provider',
  hint: 'Any OAuth 2.0 provider with a mailbox that accepts XOAUTH2. You need its endpoints and scopes.',
  needsTenant: false,
  credentialKinds: ['secret', 'certificate'],
  secretsExpire: true,
  mail: undefined,
  endpointHosts: undefined,
  authority: () => undefined,
  mailScopes: () => [],
  authorizationExtras: {},
  offlineScope: true,
};

/** Where a preset leads in the demo: the identity provider and mail server that `npm start` runs. */
function placesIn(world: DemoWorld): Pick<Preset, 'mail' | 'endpointHosts' | 'authority'> {
  return {
    mail: { imap: world.imap, pop3: world.pop3, smtp: world.smtp },
    endpointHosts: [new URL(world.authority).hostname],
    authority: (tenant) => demoAuthority(world, tenant),
  };
}

/** Microsoft's shape, on this machine. */
function demoPreset(world: DemoWorld): Preset {
  return {
    ...microsoftPreset(clouds.worldwide),
    name: 'demo',
    label: 'Demo',
    hint: 'The demo mailboxes on this machine. Everything is filled in, and no account is needed.',
    ...placesIn(world),
    authority: () => demoAuthority(world, world.tenant),
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
  { demo }: { demo: DemoWorld | undefined },
  cloud: CloudName = 'worldwide',
): readonly Preset[] {
  const microsoft = microsoftPreset(clouds[cloud]);
  if (demo === undefined) return [microsoft, google, custom];
  const shown = demo.asMicrosoft === true ? { ...microsoft, ...placesIn(demo) } : microsoft;
  return [demoPreset(demo), shown, google, custom];
}

/** A preset by its name; undefined for an unknown name, and for Demo where there is no demo. */
export function presetNamed(
  name: string,
  config: { demo: DemoWorld | undefined },
  cloud?: CloudName,
): Preset | undefined {
  return presetsFor(config, cloud).find((preset) => preset.name === name);
}
