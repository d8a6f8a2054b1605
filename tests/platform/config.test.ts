import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../shared/platform/config.ts';

const local = {
  DataStorage: 'UseDevelopmentStorage=true',
  KEY_VAULT_URI: 'https://localhost:8443',
  PUBLIC_URL: 'http://localhost:7071/',
  POSTROOM_LOCAL: 'true',
};
const azure = {
  DataStorage__tableServiceUri: 'https://x.table.core.windows.net',
  DataStorage__blobServiceUri: 'https://x.blob.core.windows.net',
  DataStorage__queueServiceUri: 'https://x.queue.core.windows.net',
  DataStorage__clientId: 'storage-identity',
  AZURE_CLIENT_ID: 'app-identity',
  KEY_VAULT_URI: 'https://x.vault.azure.net',
  PUBLIC_URL: 'https://desk.contoso.example/some/path',
  WEBSITE_AUTH_ENABLED: 'True',
  WEBSITE_AUTH_AAD_ALLOWED_TENANTS: 'AAAA-1, bbbb-2',
  WEBSITE_INSTANCE_ID: 'abc',
};
const problems = (environment: Record<string, string | undefined>): string => {
  try {
    parseConfig(environment);
  } catch (error) {
    if (error instanceof Error) return error.message;
  }
  return 'none';
};

describe('the settings of alerts', () => {
  test('name the recipients; blank means none', () => {
    const { alerts } = parseConfig({ ...azure, ALERT_EMAIL: 'a@contoso.example; b@contoso.example' });
    expect(alerts).toEqual({ emails: ['a@contoso.example', 'b@contoso.example'] });
    expect(parseConfig({ ...azure, ALERT_EMAIL: '' }).alerts).toEqual({ emails: [] });
    expect(parseConfig(azure).undoSendSeconds).toBe(10);
    expect(parseConfig({ ...azure, UNDO_SEND_SECONDS: '0' }).undoSendSeconds).toBe(0);
    for (const wrong of ['-1', '601', '1.5', 'ten'])
      expect(problems({ ...azure, UNDO_SEND_SECONDS: wrong })).toContain('UNDO_SEND_SECONDS');
  });

  test('accept only email addresses', () => {
    expect(problems({ ...azure, ALERT_EMAIL: 'everybody' })).toContain('ALERT_EMAIL');
  });
});

describe('the settings', () => {
  test('of a developer’s machine use storage by its connection string', () => {
    expect(parseConfig(local)).toMatchObject({
      storage: { kind: 'connection-string', connectionString: 'UseDevelopmentStorage=true' },
      publicUrl: 'http://localhost:7071',
      local: true,
      platformSignIn: false,
      adminObjectIds: [],
    });
  });

  test('of Azure use storage by its endpoints and the identity named for it', () => {
    expect(parseConfig(azure)).toMatchObject({
      storage: {
        kind: 'identity',
        tables: 'https://x.table.core.windows.net',
        blobs: 'https://x.blob.core.windows.net',
        queues: 'https://x.queue.core.windows.net',
        clientId: 'storage-identity',
      },
      publicUrl: 'https://desk.contoso.example',
      managedIdentityClientId: 'app-identity',
      local: false,
      platformSignIn: true,
    });
    expect(parseConfig({ ...azure, DataStorage__clientId: '' }).storage).toMatchObject({
      clientId: 'app-identity',
    });
  });

  test.each([
    ['true', true],
    ['True', true],
    ['TRUE', true],
    ['1', true],
    ['false', false],
    ['0', false],
    ['', false],
  ])('read WEBSITE_AUTH_ENABLED=%s as %s', (value, on) => {
    expect(parseConfig({ ...azure, WEBSITE_AUTH_ENABLED: value }).platformSignIn).toBe(on);
  });

  test('name the tenants whose users may sign in; without one, none may', () => {
    expect(parseConfig(azure).signInTenants).toEqual(['aaaa-1', 'bbbb-2']);
    expect(parseConfig({ ...azure, WEBSITE_AUTH_AAD_ALLOWED_TENANTS: '' }).platformSignIn).toBe(false);
  });

  test.each([
    ['on another plan', { WEBSITE_INSTANCE_ID: 'abc' }],
    ['by its name', { WEBSITE_SITE_NAME: 'postroom' }],
    ['by its plan', { WEBSITE_SKU: 'FlexConsumption' }],
    ['by its pod', { WEBSITE_POD_NAME: 'a1b2' }],
    ['by its service', { LEGION_SERVICE_HOST: '10.0.0.1' }],
    // What Flex Consumption sets, all together, with its metadata service at a link-local address.
    [
      'on Flex Consumption',
      { WEBSITE_SITE_NAME: 'postroom', WEBSITE_SKU: 'FlexConsumption', WEBSITE_POD_NAME: 'a1b2' },
    ],
  ])('refuse to be local where Azure runs the app: %s', (_how, set) => {
    expect(problems({ ...local, ...set })).toContain('POSTROOM_LOCAL: must not be set');
    expect(problems({ ...local, ...set, POSTROOM_LOCAL: 'false' })).toBe('none');
  });

  const emulator = (blob: string): string =>
    `AccountName=devstoreaccount1;AccountKey=x;BlobEndpoint=${blob};QueueEndpoint=http://127.0.0.1:2/d;TableEndpoint=http://127.0.0.1:3/d`;
  test.each([
    ['KEY_VAULT_URI', 'https://x.vault.azure.net'],
    ['PUBLIC_URL', 'http://desk.contoso.example'],
    ['PUBLIC_URL', 'http://127.0.0.1.contoso.example'],
    ['PUBLIC_URL', 'http://192.168.0.7:7071'],
    ['IDENTITY_ENDPOINT', 'http://169.254.255.2:8081/msi/token'],
    ['MSI_ENDPOINT', 'http://169.254.255.2:8081/msi/token'],
    ['DataStorage__blobServiceUri', 'https://x.blob.core.windows.net'],
    ['AzureWebJobsStorage__queueServiceUri', 'https://x.queue.core.windows.net'],
    ['AzureWebJobsStorage', 'DefaultEndpointsProtocol=https;AccountName=x;AccountKey=hunter2'],
    ['DataStorage', emulator('http://10.0.0.5:1/d')],
    ['DataStorage', 'AccountName=x;BlobEndpoint=http://127.0.0.1:1/d;QueueEndpoint=http://127.0.0.1:2/d'],
    ['DataStorage', 'UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://10.0.0.5'],
  ])('refuse to be local with %s=%s, which is on another machine', (name, value) => {
    const said = problems({ ...local, [name]: value });
    expect(said).toContain(`- ${name}: must be an address of this machine while POSTROOM_LOCAL is on`);
    expect(said).not.toContain('hunter2');
  });

  test.each([
    ['KEY_VAULT_URI', 'https://127.0.0.1:8443'],
    ['PUBLIC_URL', 'http://[::1]:7071'],
    ['IDENTITY_ENDPOINT', 'http://localhost:1/msi/token'],
    ['DataStorage', emulator('http://localhost:1/d')],
    ['AzureWebJobsStorage', 'UseDevelopmentStorage=true'],
  ])('may be local with %s=%s', (name, value) => {
    expect(problems({ ...local, [name]: value })).toBe('none');
  });

  test('reject a URL without TLS except on a developer’s machine', () => {
    expect(problems({ ...azure, PUBLIC_URL: 'http://desk.contoso.example' })).toContain(
      'PUBLIC_URL: must begin with https://',
    );
    expect(problems({ ...azure, PUBLIC_URL: 'http://localhost:7071' })).toBe('none');
  });

  test('are rejected all at once, each with its expected form', () => {
    const said = problems({ POSTROOM_LOCAL: 'maybe' });
    for (const name of ['KEY_VAULT_URI', 'PUBLIC_URL', 'POSTROOM_LOCAL'])
      expect(said).toContain(`- ${name}: `);
  });

  test('are rejected all at once even if some are missing and others break a rule', () => {
    const nothing = problems({});
    for (const name of [
      'KEY_VAULT_URI',
      'PUBLIC_URL',
      'tableServiceUri',
      'blobServiceUri',
      'queueServiceUri',
    ])
      expect(nothing).toMatch(new RegExp(`^- (DataStorage__)?${name}: `, 'm'));
    expect(nothing.split('\n')).toHaveLength(6);

    const { KEY_VAULT_URI: _, ...noVault } = azure;
    const said = problems({
      ...noVault,
      PUBLIC_URL: 'http://desk.contoso.example',
      ALERT_EMAIL: 'everybody',
      POSTROOM_DEMO: '{',
      POSTROOM_TELEMETRY: 'loud',
    });
    for (const name of ['KEY_VAULT_URI', 'PUBLIC_URL', 'ALERT_EMAIL', 'POSTROOM_DEMO', 'POSTROOM_TELEMETRY'])
      expect(said).toContain(`- ${name}: `);
    expect(problems({ ...local, WEBSITE_SKU: 'x', POSTROOM_LOCAL: 'True', KEY_VAULT_URI: '' })).toMatch(
      /- KEY_VAULT_URI: .*\n- POSTROOM_LOCAL: must not be set/,
    );
  });

  test.each([
    ['DataStorage__blobServiceUri', 'x.blob.core.windows.net'],
    ['DataStorage__tableServiceUri', 'http://x.table.core.windows.net'],
    ['KEY_VAULT_URI', 'http://x.vault.azure.net'],
    ['POSTROOM_DEMO', '{"authority":1}'],
  ])('cannot have %s=%s', (name, value) => {
    expect(problems({ ...azure, [name]: value })).toContain(`- ${name}: `);
    expect(problems({ ...azure, [name]: value }).split('\n')).toHaveLength(2);
  });

  test('never show a value, which may be a password', () => {
    const said = problems({ KEY_VAULT_URI: 'hunter2', POSTROOM_DEMO: 'hunter2' });
    expect(said).toContain('KEY_VAULT_URI');
    expect(said).not.toContain('hunter2');
  });

  test('name the missing storage endpoints', () => {
    const { DataStorage__blobServiceUri: _, ...rest } = azure;
    expect(problems(rest)).toContain('DataStorage__blobServiceUri: is missing');
  });

  test('accept admins with any separator', () => {
    const { adminObjectIds } = parseConfig({ ...azure, ADMIN_OBJECT_IDS: ' a, b;c\n d ' });
    expect(adminObjectIds).toEqual(['a', 'b', 'c', 'd']);
  });

  describe('of telemetry', () => {
    const APPLICATIONINSIGHTS_CONNECTION_STRING =
      'InstrumentationKey=x;IngestionEndpoint=https://in.example/';

    test.each([
      ['ClientId=abc;Authorization=AAD', { clientId: 'abc' }],
      ['Authorization=AAD', { clientId: undefined }],
      ['', undefined],
    ])('with "%s" sign in as %o', (sign, identity) => {
      const { telemetry } = parseConfig({
        ...azure,
        APPLICATIONINSIGHTS_CONNECTION_STRING,
        APPLICATIONINSIGHTS_AUTHENTICATION_STRING: sign,
      });
      expect(telemetry).toEqual({
        kind: 'azure-monitor',
        connectionString: APPLICATIONINSIGHTS_CONNECTION_STRING,
        identity,
      });
    });

    test('may say the console; without any, nothing is measured', () => {
      expect(parseConfig({ ...local, POSTROOM_TELEMETRY: 'console' }).telemetry).toEqual({ kind: 'console' });
      expect(parseConfig(local).telemetry).toBeUndefined();
      expect(problems({ ...local, POSTROOM_TELEMETRY: 'loud' })).toContain('POSTROOM_TELEMETRY');
    });
  });

  describe('of the demo', () => {
    const POSTROOM_DEMO = JSON.stringify({
      authority: 'http://localhost:1',
      tenant: 't',
      clientId: 'c',
      clientSecret: 's',
      imap: { host: 'localhost', port: 1 },
      pop3: { host: 'localhost', port: 2 },
      smtp: { host: 'localhost', port: 3 },
    });

    test('are read on a developer’s machine only', () => {
      expect(parseConfig({ ...local, POSTROOM_DEMO }).demo?.imap.port).toBe(1);
      expect(parseConfig({ ...azure, POSTROOM_DEMO }).demo).toBeUndefined();
    });

    test('mark the demo of npm start and no other one', () => {
      const world = JSON.parse(POSTROOM_DEMO) as object;
      const demo = JSON.stringify({ ...world, isShownAsDemo: true });
      expect(parseConfig({ ...local, POSTROOM_DEMO: demo }).demo?.isShownAsDemo).toBe(true);
      expect(parseConfig({ ...local, POSTROOM_DEMO }).demo?.isShownAsDemo).toBeUndefined();
    });

    test('are rejected unless npm start wrote them, without showing them', () => {
      const said = problems({ ...local, POSTROOM_DEMO: '{"clientSecret":"hush"}' });
      expect(said).toContain('POSTROOM_DEMO: is not what npm start writes');
      expect(said).not.toContain('hush');
    });
  });
});
