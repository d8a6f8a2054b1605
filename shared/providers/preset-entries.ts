import type { Cloud } from './clouds.ts';
import { GUID, refused, WHERE_IDS, wanted } from './field-rules.ts';
import type { PresetPlaces, PresetTraits } from './presets.ts';
import { protocolAccess } from './protocol-access.ts';

/** The definition of a preset: a new one is one more entry of `presetEntries`. */
export type PresetEntry = PresetTraits & {
  /** Its endpoints, in one of Microsoft's clouds; other providers have the same for everyone. */
  places(cloud: Cloud): PresetPlaces;
};

const microsoft: PresetEntry = {
  label: 'Microsoft 365',
  hint: 'Mailboxes in Exchange Online. You need the tenant ID and client ID of an app registration; the next page shows where to find them.',
  shape: 'entra',
  settingsFrom: 'preset',
  isDemo: false,
  needsTenant: true,
  hasClouds: true,
  clientIdLabel: 'Application (client) ID',
  clientIdRules: [wanted(GUID, `A client ID looks like 11111111-2222-3333-4444-555555555555. ${WHERE_IDS}`)],
  secretRules: [
    refused(
      GUID,
      'This is the “Secret ID”, not the “Value”. In “Certificates & secrets”, copy the column “Value”. It is shown only right after the secret is created; if it is hidden, create a new one.',
    ),
  ],
  secretHint: 'The “Value”, not the “Secret ID”.',
  guide: { kind: 'entra-portal' },
  credentialKinds: ['secret', 'certificate', 'federated'],
  secretsExpire: true,
  authorizationExtras: {},
  offlineScope: true,
  places: (cloud) => ({
    mail: {
      imap: { host: cloud.imapHost, port: 993 },
      pop3: { host: cloud.imapHost, port: 995 },
      smtp: { host: cloud.smtpHost, port: 587 },
    },
    graph: { host: new URL(cloud.graph).hostname, port: 443 },
    endpointHosts: [cloud.loginHost],
    authority: (tenant) => `https://${cloud.loginHost}/${tenant}/v2.0`,
    // Full addresses: a bare name means Microsoft Graph.
    mailScopes: (asked, { shared } = { shared: false }) =>
      Object.entries(protocolAccess)
        .filter(([protocol]) => asked.some((one) => one === protocol))
        .flatMap(([, access]) => {
          const permission = shared ? access.shared : access.own;
          const prefix = access.resource === 'graph' ? cloud.graph : cloud.outlookScope;
          return permission === undefined ? [] : [`${prefix}/${permission.name}`];
        }),
  }),
};

/** Has Microsoft's shape, on this machine: its own endpoints are never used. */
const demo: PresetEntry = {
  ...microsoft,
  label: 'Demo',
  hint: 'The demo mailboxes on this machine. Everything is filled in, and no account is needed.',
  isDemo: true,
  hasClouds: false,
  clientIdRules: [],
  secretRules: [],
  secretHint: undefined,
  guide: undefined,
};

const google: PresetEntry = {
  label: 'Google',
  hint: 'Gmail and Google Workspace. You need an OAuth client of the type “Web application”.',
  shape: 'oidc',
  settingsFrom: 'preset',
  isDemo: false,
  needsTenant: false,
  hasClouds: false,
  clientIdLabel: 'Client ID',
  clientIdRules: [
    wanted('\\.apps\\.googleusercontent\\.com$', 'A Google client ID ends in .apps.googleusercontent.com.'),
  ],
  secretRules: [],
  secretHint: undefined,
  guide: {
    kind: 'text',
    text: 'In the Google Cloud console: APIs & Services, Credentials, Create credentials, OAuth client ID, application type “Web application”. Add this URI under “Authorized redirect URIs”. Then copy the client ID and the client secret into this form. Google client secrets do not expire.',
    redirectLabel: 'Authorized redirect URI',
    page: {
      href: 'https://console.cloud.google.com/apis/credentials',
      label: 'Google Cloud console: credentials',
    },
    copy: { label: 'Scope for the “Data access” page', value: 'https://mail.google.com/' },
  },
  credentialKinds: ['secret'],
  // https://support.google.com/cloud/answer/15549257: secrets are rotated manually and have no expiry date.
  secretsExpire: false,
  // A refresh token comes only with both: https://developers.google.com/identity/protocols/oauth2/web-server#offline
  authorizationExtras: { access_type: 'offline', prompt: 'consent' },
  offlineScope: false,
  places: () => ({
    mail: {
      imap: { host: 'imap.gmail.com', port: 993 },
      pop3: { host: 'pop.gmail.com', port: 995 },
      smtp: { host: 'smtp.gmail.com', port: 587 },
    },
    graph: undefined,
    endpointHosts: ['accounts.google.com', 'oauth2.googleapis.com', 'www.googleapis.com'],
    authority: () => 'https://accounts.google.com',
    // One scope covers all three protocols: https://developers.google.com/workspace/gmail/imap/xoauth2-protocol
    mailScopes: () => ['https://mail.google.com/'],
  }),
};

const custom: PresetEntry = {
  label: 'Another provider',
  hint: 'Any OAuth 2.0 provider with a mailbox that accepts XOAUTH2. You need its endpoints and scopes.',
  shape: 'oidc',
  settingsFrom: 'admin',
  isDemo: false,
  needsTenant: false,
  hasClouds: false,
  clientIdLabel: 'Application (client) ID',
  clientIdRules: [],
  secretRules: [],
  secretHint: undefined,
  guide: {
    kind: 'text',
    text: 'Register a confidential web application with this redirect URI. The URI belongs to this provider only, so no other provider can receive its responses.',
    redirectLabel: 'Redirect URI',
  },
  credentialKinds: ['secret', 'certificate'],
  secretsExpire: true,
  authorizationExtras: {},
  offlineScope: true,
  places: () => ({
    mail: undefined,
    graph: undefined,
    endpointHosts: undefined,
    authority: () => undefined,
    mailScopes: () => [],
  }),
};

/** Every preset by the name stored in a provider's row, in the order of the page where one is chosen. */
export const presetEntries = { demo, microsoft, google, custom } satisfies Record<string, PresetEntry>;
