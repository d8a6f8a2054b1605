import { z } from 'zod';
import { PostroomError } from './errors.ts';
import { isOnThisMachine, localOnlyProblems } from './local-only.ts';

/** What `npm start` passes to the app about its demo; the demo preset fills itself in from it. */
export interface DemoWorld {
  authority: string;
  tenant: string;
  clientId: string;
  clientSecret: string;
  imap: { host: string; port: number };
  pop3: { host: string; port: number };
  smtp: { host: string; port: number };
  /** Origin that stands for `https://graph.microsoft.com`; over plain HTTP, on loopback. */
  graph?: string | undefined;
  /**
   * Makes the Microsoft 365 preset use the demo's endpoints too, together with the values a person enters.
   * For the newcomer test.
   */
  asMicrosoft?: boolean | undefined;
  /**
   * Set only by `npm start`: explanations then name the demo's servers. Tests leave it unset, so the
   * emulators stand for Microsoft.
   */
  isShownAsDemo?: boolean | undefined;
}

/**
 * Either a connection string (local) or the three service endpoints, used with the managed identity
 * (Azure).
 */
export type StorageSettings =
  | { kind: 'connection-string'; connectionString: string }
  | { kind: 'identity'; tables: string; blobs: string; queues: string; clientId: string | undefined };

/**
 * Where alerts are sent besides the pages. The SMTP relay and the webhook are in Key Vault:
 * shared/alerts/channel-secrets.ts.
 */
export interface AlertSettings {
  emails: readonly string[];
}

/** Where traces and metrics go. */
export type TelemetrySettings =
  | { kind: 'console' }
  | {
      kind: 'azure-monitor';
      connectionString: string;
      /** When set, the app's own identity is used instead of the key in the connection string. */
      identity: { clientId: string | undefined } | undefined;
    };

export interface Config {
  storage: StorageSettings;
  vaultUri: string;
  /**
   * Origin of the pages, without a trailing slash. The redirect URI is built from it and from nothing else.
   */
  publicUrl: string;
  adminObjectIds: readonly string[];
  managedIdentityClientId: string | undefined;
  /** True when the host provides an identity endpoint, as on Azure. */
  identityEndpoint: boolean;
  /**
   * Allows http, loopback and other ports. Rejected where Azure runs the app, or with a setting that points
   * to another machine.
   */
  local: boolean;
  /**
   * True when the platform's sign-in is on and a setting restricts it to our tenants; otherwise every page
   * refuses.
   */
  platformSignIn: boolean;
  /** IDs of the tenants whose users may sign in, in lower case. */
  signInTenants: readonly string[];
  demo: DemoWorld | undefined;
  alerts: AlertSettings;
  /** How long a reply waits after “Send”, so that it can be withdrawn; 0: not at all. */
  undoSendSeconds: number;
  /** Undefined: telemetry is off. */
  telemetry: TelemetrySettings | undefined;
}

const blankIsAbsent = (value: unknown): unknown => (value === '' ? undefined : value);
const text = z.preprocess(blankIsAbsent, z.string().optional());
const flag = z.preprocess(
  (value) => (typeof value === 'string' ? value.toLowerCase() : value),
  z.enum(['true', 'false', '1', '0', '']).optional(),
);
const endpoint = z.object({ host: z.string(), port: z.number().int() });
const demoWorld = z.object({
  authority: z.string(),
  tenant: z.string(),
  clientId: z.string(),
  clientSecret: z.string(),
  imap: endpoint,
  pop3: endpoint,
  smtp: endpoint,
  graph: z.url().optional(),
  asMicrosoft: z.boolean().optional(),
  isShownAsDemo: z.boolean().optional(),
});

const serviceUri = z.preprocess(blankIsAbsent, z.url({ error: 'must be an address, https://…' }).optional());

const settings = z.object({
  DataStorage: text,
  DataStorage__tableServiceUri: serviceUri,
  DataStorage__blobServiceUri: serviceUri,
  DataStorage__queueServiceUri: serviceUri,
  DataStorage__clientId: text,
  AZURE_CLIENT_ID: text,
  KEY_VAULT_URI: z.preprocess(blankIsAbsent, z.url({ error: 'the address of the vault, https://…' })),
  PUBLIC_URL: z.preprocess(blankIsAbsent, z.url({ error: 'the address people open, https://…' })),
  ADMIN_OBJECT_IDS: text,
  APPLICATIONINSIGHTS_CONNECTION_STRING: text,
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: text,
  POSTROOM_LOCAL: flag,
  POSTROOM_DEMO: text,
  POSTROOM_TELEMETRY: z.enum(['console', ''], { error: 'console, or nothing' }).optional(),
  ALERT_EMAIL: text,
  UNDO_SEND_SECONDS: z.preprocess(
    blankIsAbsent,
    z.coerce
      .number({ error: 'a whole number from 0 to 600' })
      .int('a whole number from 0 to 600')
      .min(0, 'a whole number from 0 to 600')
      .max(600, 'a whole number from 0 to 600')
      .default(10),
  ),
  WEBSITE_AUTH_ENABLED: flag,
  WEBSITE_AUTH_AAD_ALLOWED_TENANTS: text,
  IDENTITY_ENDPOINT: text,
});

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Rules across several settings: name and sentence. They are separate from the schema because zod runs such
 * rules only once every single setting is valid, and a person wants to see all problems at once. Pure.
 */
function brokenRules(environment: Environment): [name: string, problem: string][] {
  const value = (name: string): string | undefined => environment[name] || undefined;
  const isHttp = (name: string): boolean => value(name)?.toLowerCase().startsWith('http://') ?? false;
  const local = isOn(value('POSTROOM_LOCAL')?.toLowerCase());
  const broken: [string, string][] = [];
  if (local) broken.push(...localOnlyProblems(environment));
  // A redirect to http://localhost stays on the browser's own machine, and Entra accepts it.
  else
    for (const name of ['KEY_VAULT_URI', 'PUBLIC_URL', ...storageUris])
      if (isHttp(name) && !(name === 'PUBLIC_URL' && isOnThisMachine(value(name) ?? '')))
        broken.push([name, 'must begin with https://']);
  if (!listOf(value('ALERT_EMAIL')).every((address) => /^[^\s@]+@[^\s@]+$/.test(address)))
    broken.push(['ALERT_EMAIL', 'must be email addresses, separated by commas']);
  if (value('DataStorage') === undefined)
    for (const name of storageUris)
      if (value(name) === undefined)
        broken.push([name, 'is missing (or set DataStorage to a connection string)']);
  return broken;
}

const storageUris = [
  'DataStorage__tableServiceUri',
  'DataStorage__blobServiceUri',
  'DataStorage__queueServiceUri',
];

/** Parts are separated by commas, semicolons or spaces. */
const listOf = (value: string | undefined): string[] =>
  (value ?? '').split(/[\s,;]+/).filter((part) => part !== '');

const isOn = (value: string | undefined): boolean => value === 'true' || value === '1';

/**
 * Reads the settings. Pure: the environment is an argument.
 * @throws PostroomError `bad-settings`, whose message lists every bad setting with what it should be.
 */
export function parseConfig(environment: Environment): Config {
  const parsed = settings.safeParse(environment);
  const demo = demoOf(environment['POSTROOM_DEMO']);
  const problems = new Map<string, string>();
  for (const [name, problem] of [
    ...(parsed.error?.issues ?? []).map(({ path, message }) => [path.join('.'), message] as const),
    ...brokenRules(environment),
    ...(demo === 'unreadable' ? [['POSTROOM_DEMO', 'is not what npm start writes'] as const] : []),
  ])
    if (!problems.has(name)) problems.set(name, problem);
  if (!parsed.success || demo === 'unreadable' || problems.size > 0) {
    const lines = [...problems].map(([name, problem]) => `- ${name}: ${problem}`);
    throw new PostroomError('bad-settings', `These settings must be corrected:\n${lines.join('\n')}`);
  }
  const value = parsed.data;
  const local = isOn(value.POSTROOM_LOCAL);
  // The same list that the platform uses, so both admit the same users.
  const signInTenants = listOf(value.WEBSITE_AUTH_AAD_ALLOWED_TENANTS).map((id) => id.toLowerCase());
  return {
    storage: storageOf(value),
    vaultUri: value.KEY_VAULT_URI,
    publicUrl: new URL(value.PUBLIC_URL).origin,
    adminObjectIds: listOf(value.ADMIN_OBJECT_IDS),
    managedIdentityClientId: value.AZURE_CLIENT_ID,
    identityEndpoint: value.IDENTITY_ENDPOINT !== undefined,
    local,
    platformSignIn: isOn(value.WEBSITE_AUTH_ENABLED) && signInTenants.length > 0,
    signInTenants,
    demo: local ? demo : undefined,
    alerts: { emails: listOf(value.ALERT_EMAIL) },
    undoSendSeconds: value.UNDO_SEND_SECONDS,
    telemetry: telemetryOf(value),
  };
}

function storageOf(value: z.infer<typeof settings>): StorageSettings {
  if (value.DataStorage !== undefined)
    return { kind: 'connection-string', connectionString: value.DataStorage };
  return {
    kind: 'identity',
    tables: value.DataStorage__tableServiceUri ?? '',
    blobs: value.DataStorage__blobServiceUri ?? '',
    queues: value.DataStorage__queueServiceUri ?? '',
    clientId: value.DataStorage__clientId ?? value.AZURE_CLIENT_ID,
  };
}

/**
 * The platform defines the names and the form `Authorization=AAD;ClientId=…`:
 * https://learn.microsoft.com/azure/azure-functions/functions-app-settings#applicationinsights_authentication_string
 */
function telemetryOf(value: z.infer<typeof settings>): TelemetrySettings | undefined {
  if (value.POSTROOM_TELEMETRY === 'console') return { kind: 'console' };
  const connectionString = value.APPLICATIONINSIGHTS_CONNECTION_STRING;
  if (connectionString === undefined) return undefined;
  const sign = value.APPLICATIONINSIGHTS_AUTHENTICATION_STRING ?? '';
  const clientId = /(?:^|;)\s*ClientId=([^;\s]+)/i.exec(sign)?.[1];
  const identity = /(?:^|;)\s*Authorization=AAD\b/i.test(sign) ? { clientId } : undefined;
  return { kind: 'azure-monitor', connectionString, identity };
}

function demoOf(json: string | undefined): DemoWorld | 'unreadable' | undefined {
  if (json === undefined || json === '') return undefined;
  try {
    return demoWorld.parse(JSON.parse(json));
  } catch {
    return 'unreadable';
  }
}

let cached: Config | undefined;

/**
 * The settings of this process. They are read at the first call and not at load, so invalid settings
 * prevent no function from registering.
 */
export function readConfig(): Config {
  cached ??= parseConfig(process.env);
  return cached;
}
