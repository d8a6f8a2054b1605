/** The same settings under the same names in the code, in Azure and on a developer's machine. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { shapes } from '../../dev/infra/infra-checks.ts';
import { type Config, parseConfig } from '../../shared/platform/config.ts';
import { committed, projectRoot, settingsOf } from '../harness/memory/installation-resources.ts';

const source = (path: string): string => readFileSync(join(projectRoot, path), 'utf8');
const all = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, name]) => name ?? '');

/** What config.ts reads, and what the registrations name. */
function readByCode(): string[] {
  const schema = /const settings = z\s*\.object\(\{([\s\S]*?)\n\}\);/.exec(
    source('shared/platform/config.ts'),
  );
  const registrations = globSync('functions/*.ts', { cwd: projectRoot }).map(source).join('\n');
  return [...all(schema?.[1] ?? '', /^\s+(\w+):/gm), ...all(registrations, /%(\w+)%/g)];
}

/** What `npm start` gives the app. */
function setLocally(): string[] {
  const stack = /return \{\s+settings: \{([\s\S]*?)\n {4}\}/.exec(source('dev/stack.ts'));
  return [...all(stack?.[1] ?? '', /^\s+(\w+):/gm), ...all(source('dev/start.ts'), /settings: \{ (\w+):/g)];
}

const localOnly = ['DataStorage', 'POSTROOM_LOCAL', 'POSTROOM_DEMO', 'POSTROOM_TELEMETRY'];
const setByAzure = ['IDENTITY_ENDPOINT', 'WEBSITE_AUTH_ENABLED'];
/** What the app reads from the vault (infra/modules/secrets.bicep), which must not be a setting. */
const fromVault = ['SMTP_RELAY_URL', 'ALERT_WEBHOOK_URL', 'ALERT_WEBHOOK_KEY'];
/** Read by the Functions host, by its SDKs or by the platform, not by our code. All of them, with the required values. */
const forOthers: Readonly<Record<string, RegExp>> = {
  FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: /^29360128$/,
  AzureWebJobsStorage__credential: /^managedidentity$/,
  AzureWebJobsStorage__clientId: /postroom-identity'.*\.clientId\]$/,
  AzureWebJobsStorage__blobServiceUri: /\.primaryEndpoints\.blob\]$/,
  AzureWebJobsStorage__queueServiceUri: /\.primaryEndpoints\.queue\]$/,
  AzureWebJobsStorage__tableServiceUri: /\.primaryEndpoints\.table\]$/,
  // The host's queue triggers use this connection too; the code reads only its addresses.
  DataStorage__credential: /^managedidentity$/,
  OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID: /postroom-identity'.*\.clientId\]$/,
};
/** The same on a developer's machine. */
const forOthersLocally = ['AzureWebJobsStorage', 'IDENTITY_HEADER', 'NODE_EXTRA_CA_CERTS'];

/** The settings as the app finds them in Azure: expressions are replaced by addresses and IDs. */
function inAzure(settings: Readonly<Record<string, string>>): Record<string, string> {
  const values = Object.entries(settings).map(([name, value]) => [name, evaluated(value)] as const);
  return {
    ...Object.fromEntries(values),
    IDENTITY_ENDPOINT: 'http://localhost:1/msi/token',
    WEBSITE_AUTH_ENABLED: 'True',
    WEBSITE_INSTANCE_ID: '1f',
  };
}

function evaluated(value: string): string {
  if (!value.startsWith('[')) return value;
  const service = /\.primaryEndpoints\.(\w+)/.exec(value)?.[1];
  if (service !== undefined) return `https://account.${service}.storage.example/`;
  if (value.includes('Authorization=AAD')) return 'ClientId=identity;Authorization=AAD';
  if (value.includes('.clientId')) return '22222222-2222-2222-2222-222222222222';
  return 'https://place.example/';
}

describe.each(shapes)('the %s installation', (shape) => {
  const settings = settingsOf(committed(shape));

  test('sets every setting that the code reads', () => {
    const read = readByCode();
    expect(read.length).toBeGreaterThan(10);
    expect(read).toEqual(
      expect.arrayContaining(['KEY_VAULT_URI', 'DataStorage__blobServiceUri', 'FETCH_SCHEDULE']),
    );
    const absent = read.filter((name) => !(name in settings) && !fromVault.includes(name));
    expect(absent.toSorted()).toEqual([...localOnly, ...setByAzure].toSorted());
  });

  test('sets what the host and the platform read, each to its required value, and nothing that is never read', () => {
    const read = readByCode();
    const others = Object.keys(settings).filter((name) => !read.includes(name));
    const wanted = Object.keys(forOthers).filter((name) => !read.includes(name));
    expect(others.toSorted()).toEqual(wanted.toSorted());
    expect(fromVault.filter((name) => name in settings)).toEqual([]);
    for (const [name, value] of Object.entries(forOthers)) expect(settings[name], name).toMatch(value);
    expect(settings['DataStorage__clientId']).toBe(settings['AzureWebJobsStorage__clientId']);
    expect(settings['AZURE_CLIENT_ID']).toBe(settings['AzureWebJobsStorage__clientId']);
  });

  test('is accepted by the app: its own identity everywhere, sign-in by the platform, nothing local', () => {
    expect(parseConfig(inAzure(settings))).toEqual({
      storage: {
        kind: 'identity',
        tables: 'https://account.table.storage.example/',
        blobs: 'https://account.blob.storage.example/',
        queues: 'https://account.queue.storage.example/',
        clientId: '22222222-2222-2222-2222-222222222222',
      },
      vaultUri: 'https://place.example/',
      publicUrl: 'https://place.example',
      adminObjectIds: [],
      managedIdentityClientId: '22222222-2222-2222-2222-222222222222',
      identityEndpoint: true,
      local: false,
      platformSignIn: true,
      signInTenants: ['11111111-1111-1111-1111-111111111111'],
      alerts: { emails: [] },
      undoSendSeconds: 10,
      demo: undefined,
      telemetry: {
        kind: 'azure-monitor',
        connectionString: 'https://place.example/',
        identity: { clientId: 'identity' },
      },
    } satisfies Config);
  });

  test.each([
    'KEY_VAULT_URI',
    'PUBLIC_URL',
    'DataStorage__blobServiceUri',
    'DataStorage__queueServiceUri',
    'DataStorage__tableServiceUri',
  ])('would not start without %s', (name) => {
    const { [name]: _left, ...others } = inAzure(settings);
    expect(() => parseConfig(others)).toThrow(name);
  });

  test('fetches email each minute', () => {
    expect(settings['FETCH_SCHEDULE']).toBe('0 * * * * *');
  });
});

test('npm start sets only what the app, the host or the identity library reads', () => {
  const local = setLocally();
  expect(local).toEqual(expect.arrayContaining(['DataStorage', 'FETCH_SCHEDULE', 'POSTROOM_LOCAL']));
  const read = readByCode();
  expect(local.filter((name) => !read.includes(name) && !forOthersLocally.includes(name))).toEqual([]);
});

describe('local.settings.example.json', () => {
  const { Values: example } = JSON.parse(source('local.settings.example.json')) as {
    Values: Record<string, string>;
  };

  test('names what the app reads when it is run by hand, and nothing else', () => {
    const notByHand = [...setByAzure, 'POSTROOM_DEMO'];
    const identityBased = /^DataStorage__/;
    const wanted = readByCode().filter((name) => !notByHand.includes(name) && !identityBased.test(name));
    const hosts = ['AzureWebJobsStorage', 'FUNCTIONS_WORKER_RUNTIME'];
    expect(Object.keys(example).toSorted()).toEqual([...new Set([...wanted, ...hosts])].toSorted());
  });

  test('is accepted by the app unchanged', () => {
    expect(parseConfig(example)).toMatchObject({ local: false, storage: { kind: 'connection-string' } });
  });
});
