import { z } from 'zod';
import { PostroomError } from './errors.ts';
import { Secret } from './secret.ts';

/** What `npm start` tells the app about its practice world, so that the Practice preset can fill itself in. */
export interface PracticeWorld {
  authority: string;
  tenant: string;
  clientId: string;
  clientSecret: string;
  imap: { host: string; port: number };
  pop3: { host: string; port: number };
  smtp: { host: string; port: number };
}

/** Either a connection string (local) or the three service addresses reached with the managed identity (Azure). */
export type StorageSettings =
  | { kind: 'connection-string'; connectionString: string }
  | { kind: 'identity'; tables: string; blobs: string; queues: string; clientId: string | undefined };

export interface Config {
  storage: StorageSettings;
  vaultUri: string;
  /** Origin of the pages, without a slash at the end; the redirect URI is made from it and from nothing else. */
  publicUrl: string;
  adminObjectIds: readonly string[];
  managedIdentityClientId: string | undefined;
  /** Allows http, loopback and other ports. Never on where Azure runs the app. */
  local: boolean;
  /** True when the platform's sign-in stands before the app; without it every page refuses. */
  platformSignIn: boolean;
  practice: PracticeWorld | undefined;
  /** A relay for mail that no mailbox sends; its address may hold a password. */
  smtpRelay: Secret | undefined;
}

const blankIsAbsent = (value: unknown): unknown => (value === '' ? undefined : value);
const text = z.preprocess(blankIsAbsent, z.string().optional());
const flag = z.preprocess(
  (value) => (typeof value === 'string' ? value.toLowerCase() : value),
  z.enum(['true', 'false', '1', '0', '']).optional(),
);
const endpoint = z.object({ host: z.string(), port: z.number().int() });
const practiceWorld = z.object({
  authority: z.string(),
  tenant: z.string(),
  clientId: z.string(),
  clientSecret: z.string(),
  imap: endpoint,
  pop3: endpoint,
  smtp: endpoint,
});

const settings = z
  .object({
    DataStorage: text,
    DataStorage__tableServiceUri: text,
    DataStorage__blobServiceUri: text,
    DataStorage__queueServiceUri: text,
    DataStorage__clientId: text,
    AZURE_CLIENT_ID: text,
    KEY_VAULT_URI: z.preprocess(blankIsAbsent, z.url({ error: 'the address of the vault, https://…' })),
    PUBLIC_URL: z.preprocess(blankIsAbsent, z.url({ error: 'the address people open, https://…' })),
    ADMIN_OBJECT_IDS: text,
    POSTROOM_LOCAL: flag,
    POSTROOM_PRACTICE: text,
    SMTP_RELAY_URL: text,
    WEBSITE_AUTH_ENABLED: flag,
    WEBSITE_INSTANCE_ID: text,
  })
  .superRefine((value, context) => {
    const wrong = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message });
    const local = isOn(value.POSTROOM_LOCAL);
    if (local && value.WEBSITE_INSTANCE_ID !== undefined)
      wrong(
        'POSTROOM_LOCAL',
        'must not be set where Azure runs the app: it allows http and private addresses',
      );
    if (!local && !value.PUBLIC_URL?.startsWith('https://')) wrong('PUBLIC_URL', 'must begin with https://');
    if (value.DataStorage === undefined) {
      for (const name of [
        'DataStorage__tableServiceUri',
        'DataStorage__blobServiceUri',
        'DataStorage__queueServiceUri',
      ] as const)
        if (value[name] === undefined) wrong(name, 'is missing (or set DataStorage to a connection string)');
    }
  });

const isOn = (value: string | undefined): boolean => value === 'true' || value === '1';

/**
 * Reads the settings. Pure: the environment is an argument.
 * @throws PostroomError `bad-settings`, whose message lists every bad setting with what it should be.
 */
export function parseConfig(environment: Record<string, string | undefined>): Config {
  const parsed = settings.safeParse(environment);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `- ${issue.path.join('.')}: ${issue.message}`);
    throw new PostroomError('bad-settings', `These settings must be corrected:\n${lines.join('\n')}`);
  }
  const value = parsed.data;
  const local = isOn(value.POSTROOM_LOCAL);
  return {
    storage: storageOf(value),
    vaultUri: value.KEY_VAULT_URI,
    publicUrl: new URL(value.PUBLIC_URL).origin,
    adminObjectIds: (value.ADMIN_OBJECT_IDS ?? '').split(/[\s,;]+/).filter((id) => id !== ''),
    managedIdentityClientId: value.AZURE_CLIENT_ID,
    local,
    platformSignIn: isOn(value.WEBSITE_AUTH_ENABLED),
    practice: local ? practiceOf(value.POSTROOM_PRACTICE) : undefined,
    smtpRelay: value.SMTP_RELAY_URL === undefined ? undefined : new Secret(value.SMTP_RELAY_URL),
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

function practiceOf(json: string | undefined): PracticeWorld | undefined {
  if (json === undefined) return undefined;
  const parsed = practiceWorld.safeParse(JSON.parse(json));
  if (!parsed.success)
    throw new PostroomError('bad-settings', 'POSTROOM_PRACTICE is not what npm start writes; start again.');
  return parsed.data;
}

let cached: Config | undefined;

/** The settings of this process, read at the first call: on Azure the environment arrives after the code is loaded. */
export function readConfig(): Config {
  cached ??= parseConfig(process.env);
  return cached;
}
