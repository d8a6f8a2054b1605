/** What is deployed: unpacked from the archive, on the local host, with the settings that the template sets in Azure. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { buildApp } from '../../dev/build.ts';
import { makeCertificates } from '../../dev/emulators/certificates.ts';
import { startManagedIdentity } from '../../dev/emulators/identity/managed-identity.ts';
import { startKeyVault } from '../../dev/emulators/key-vault/key-vault.ts';
import { type RunningAzurite, startAzurite } from '../../dev/emulators/storage/azurite.ts';
import { startHostProcess } from '../../dev/host/host-process.ts';
import { demoPeople } from '../../dev/host/options.ts';
import { type DeploymentPackage, packApp } from '../../dev/package.ts';
import { zip } from '../../dev/zip.ts';
import { committed, settingsOf } from '../harness/memory/installation-resources.ts';
import { unzip } from './unzip.ts';

const TENANT = '3a0c7f0e-0000-4000-8000-000000000001';
let folder: string;
let appDir: string;
let packed: DeploymentPackage;
let files: Map<string, Buffer>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'postroom-package-'));
  appDir = join(folder, 'built');
  await buildApp({ outDir: appDir });
  writeFileSync(join(appDir, 'local.settings.json'), '{}');
  packed = await packApp(appDir, join(folder, 'postroom.zip'));
  files = unzip(readFileSync(packed.file));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the deployment package', () => {
  test('contains the built app at its top, and no settings of the developer', () => {
    const names = [...files.keys()];
    expect(names).toEqual(expect.arrayContaining(['host.json', 'package.json', 'main.mjs', 'app.mjs']));
    expect(names.filter((name) => !/^[\w-]+\.(mjs|mjs\.map|json)$/.test(name))).toEqual([]);
    expect(names).not.toContain('local.settings.json');
    for (const [name, content] of files) expect(content.equals(readFileSync(join(appDir, name)))).toBe(true);
    expect(packed.files).toBe(names.length);
  });

  test('is small enough to be unpacked at each cold start without a noticeable delay', () => {
    expect(packed.bytes).toBeLessThan(8 * 1024 * 1024);
  });

  test('is the same for the same app, whenever and wherever it is packed', async () => {
    const again = await packApp(appDir, join(folder, 'again.zip'));
    expect(again.sha256).toBe(packed.sha256);
  });

  test('can be read by other users', () => {
    const tool = ['/usr/bin/unzip', '/usr/bin/python3'].find(existsSync);
    if (tool === undefined) return;
    const args = tool.endsWith('unzip') ? ['-tq', packed.file] : ['-m', 'zipfile', '-t', packed.file];
    expect(() => execFileSync(tool, args, { stdio: 'ignore' })).not.toThrow();
  });

  test('starts with the settings of Azure, with local addresses instead, and is ready', async () => {
    const unpacked = join(folder, 'unpacked');
    for (const [name, content] of files) {
      mkdirSync(dirname(join(unpacked, name)), { recursive: true });
      writeFileSync(join(unpacked, name), content);
    }
    const tls = await makeCertificates();
    writeFileSync(join(folder, 'ca.pem'), tls.ca);
    const [azurite, identity] = await Promise.all([
      startAzurite(),
      startManagedIdentity({ tenantId: TENANT }),
    ]);
    const vault = await startKeyVault({ tls, jwks: identity.jwks, tenantId: TENANT });
    const settings = inPlace(settingsOf(committed('main')), azurite, {
      AZURE_CLIENT_ID: identity.clientId,
      KEY_VAULT_URI: vault.url,
      IDENTITY_ENDPOINT: identity.endpoint,
      IDENTITY_HEADER: identity.header,
      NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
      POSTROOM_LOCAL: 'true',
    });
    const host = await startHostProcess({
      appDir: unpacked,
      port: 0,
      settings,
      stateDir: join(folder, 'state'),
      people: demoPeople,
      background: true,
    });
    try {
      expect(host.functions).toEqual(
        expect.arrayContaining(['fetchMail', 'fetchShard', 'oauthCallback', 'web']),
      );
      // The workbook shows the runs of all background functions, under the names that the host knows.
      expect(runsInWorkbook().toSorted()).toEqual(
        host.functions.filter((name) => !PAGES.includes(name)).toSorted(),
      );
      const live = await fetch(`${host.url}/health/live`);
      expect([live.status, await live.text()]).toEqual([200, 'ok']);
      const page = await fetch(`${host.url}/`, { redirect: 'manual' });
      expect([page.status, page.headers.get('location')]).toEqual([
        302,
        '/.auth/login/aad?post_login_redirect_uri=%2F',
      ]);
      // Storage and vault respond: every setting reached its SDK.
      expect((await fetch(`${host.url}/health/ready`)).status).toBe(200);
    } finally {
      await host.stop();
      await Promise.all([azurite.stop(), identity.stop(), vault.stop()]);
    }
  });
});

/** Functions with an HTTP trigger. */
const PAGES = ['graphNotifications', 'healthLive', 'healthReady', 'oauthCallback', 'web'];

function runsInWorkbook(): string[] {
  const { items } = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../infra/workbook.json'), 'utf8'),
  ) as { items: { name: string; content: { query?: string } }[] };
  const query = items.find(({ name }) => name === 'runs')?.content.query ?? '';
  const [, list = ''] = /operation_Name in \(([^)]+)\)/.exec(query) ?? [];
  return list.split(', ').map((name) => name.replaceAll("'", ''));
}

/** What only Azure provides: its storage, its telemetry, and what a snapshot does not contain. */
const ONLY_IN_AZURE = [
  'APPLICATIONINSIGHTS_AUTHENTICATION_STRING',
  'APPLICATIONINSIGHTS_CONNECTION_STRING',
  'AZURE_CLIENT_ID',
  'AzureWebJobsStorage__blobServiceUri',
  'AzureWebJobsStorage__clientId',
  'AzureWebJobsStorage__credential',
  'AzureWebJobsStorage__queueServiceUri',
  'AzureWebJobsStorage__tableServiceUri',
  'DataStorage__blobServiceUri',
  'DataStorage__clientId',
  'DataStorage__credential',
  'DataStorage__queueServiceUri',
  'DataStorage__tableServiceUri',
  'KEY_VAULT_URI',
  'OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID',
  'PUBLIC_URL',
];

/** Azure's settings without those, plus their local replacements. */
function inPlace(
  azure: Readonly<Record<string, string>>,
  azurite: RunningAzurite,
  local: Readonly<Record<string, string>>,
): Record<string, string> {
  const kept = Object.entries(azure).filter(([name]) => !ONLY_IN_AZURE.includes(name));
  // Each of them exists, and nothing else needs Azure.
  expect(Object.keys(azure)).toEqual(expect.arrayContaining(ONLY_IN_AZURE));
  expect(kept.filter(([, value]) => value.startsWith('['))).toEqual([]);
  return {
    ...Object.fromEntries(kept),
    AzureWebJobsStorage: azurite.connectionString,
    DataStorage: azurite.connectionString,
    ...local,
  };
}

test('the zip writer keeps non-ASCII names and empty files', () => {
  const archive = zip([
    { name: 'ä/ö.txt', content: Buffer.from('ü') },
    { name: 'empty', content: Buffer.alloc(0) },
  ]);
  expect([...unzip(archive)].map(([name, content]) => [name, content.toString()])).toEqual([
    ['empty', ''],
    ['ä/ö.txt', 'ü'],
  ]);
});

test('the zip writer creates the same bytes in every time zone and from files in any order', () => {
  const files = [
    { name: 'b.mjs', content: Buffer.from('b') },
    { name: 'a.mjs', content: Buffer.from('a') },
  ];
  const here = zip(files);
  vi.stubEnv('TZ', 'Pacific/Auckland');
  const there = zip(files.toReversed());
  vi.unstubAllEnvs();
  expect(there.equals(here)).toBe(true);
});
