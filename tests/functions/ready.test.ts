import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { buildApp } from '../../dev/build.ts';
import { makeCertificates } from '../../dev/emulators/certificates.ts';
import {
  type RunningManagedIdentity,
  startManagedIdentity,
} from '../../dev/emulators/identity/managed-identity.ts';
import { type RunningKeyVault, startKeyVault } from '../../dev/emulators/key-vault/key-vault.ts';
import { type RunningAzurite, startAzurite } from '../../dev/emulators/storage/azurite.ts';
import { type HostProcess, startHostProcess } from '../../dev/host/host-process.ts';
import { demoPeople } from '../../dev/host/options.ts';

let folder: string;
let azurite: RunningAzurite;
let identity: RunningManagedIdentity;
let vault: RunningKeyVault;
let host: HostProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postroom-ready-'));
  const tls = await makeCertificates();
  await writeFile(join(folder, 'ca.pem'), tls.ca);
  azurite = await startAzurite();
  identity = await startManagedIdentity({ tenantId: '3a0c7f0e-0000-4000-8000-000000000001' });
  vault = await startKeyVault({ tls, jwks: identity.jwks });
  const { outDir } = await buildApp({ outDir: join(folder, 'app') });
  host = await startHostProcess(
    {
      appDir: outDir,
      port: 0,
      stateDir: join(folder, 'state'),
      people: demoPeople,
      background: false,
      settings: {
        POSTROOM_LOCAL: 'true',
        DataStorage: azurite.connectionString,
        KEY_VAULT_URI: vault.url,
        IDENTITY_ENDPOINT: identity.endpoint,
        IDENTITY_HEADER: identity.header,
        AZURE_CLIENT_ID: identity.clientId,
        NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
      },
    },
    join(folder, 'host.log'),
  );
});
afterAll(async () => {
  await host?.stop();
  await Promise.all([vault?.stop(), identity?.stop(), azurite?.stop()]);
  await rm(folder, { recursive: true, force: true });
});

const ready = async (): Promise<[number, string]> => {
  const answer = await fetch(`${host.url}/health/ready`);
  return [answer.status, await answer.text()];
};

test('the app is ready while storage and vault accept its identity, and says only "not ready" when one fails', async () => {
  expect(await ready()).toEqual([200, 'ok']);
  expect(vault.requests.length).toBeGreaterThan(0);
  await azurite.stop();
  await vi.waitFor(async () => expect(await ready()).toEqual([503, 'not ready']), {
    timeout: 60_000,
    interval: 500,
  });
});
