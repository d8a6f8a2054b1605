/** Storage that accepts connections and never responds, as behind a firewall: the real libraries against an emulator of Azure. */
import { createServer } from 'node:http';
import { createServer as createTcpServer, type Server } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { makeCertificates } from '../../dev/emulators/certificates.ts';
import {
  type RunningManagedIdentity,
  startManagedIdentity,
} from '../../dev/emulators/identity/managed-identity.ts';
import { startKeyVault } from '../../dev/emulators/key-vault/key-vault.ts';
import { type RunningAzurite, startAzurite } from '../../dev/emulators/storage/azurite.ts';
import { type StorageProxy, startStorageProxy } from '../../dev/emulators/storage/storage-proxy.ts';
import { type Services, servicesOn } from '../../functions/services.ts';
import { runMonitor } from '../../functions/triggers/monitor.ts';
import { createWeb } from '../../functions/web.ts';
import { azureBlobs } from '../../shared/platform/azure-blobs.ts';
import { azureQueues } from '../../shared/platform/azure-queues.ts';
import { azureTables } from '../../shared/platform/azure-tables.ts';
import { azureVault } from '../../shared/platform/azure-vault.ts';
import { parseConfig } from '../../shared/platform/config.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { bestOfThree } from '../harness/measure-time.ts';
import { MemoryVault } from '../harness/memory/memory-vault.ts';
import { signedInSettings } from '../harness/pages/principal-header.ts';
import { principalHeader } from '../harness/pages/sample-postroom.ts';
import { SIGNING_KEY, setChannels } from './channel-vault.ts';

const before = { ...process.env };
let azurite: RunningAzurite;
let identity: RunningManagedIdentity;
beforeAll(async () => {
  azurite = await startAzurite();
  identity = await startManagedIdentity({ tenantId: '3a0c7f0e-0000-4000-8000-000000000001' });
  process.env['IDENTITY_ENDPOINT'] = identity.endpoint;
  process.env['IDENTITY_HEADER'] = identity.header;
});
afterAll(async () => {
  await Promise.all([azurite?.stop(), identity?.stop()]);
  process.env = { ...before };
});
beforeEach(() => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});

const listening = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

const secondsOf = async (work: Promise<unknown>): Promise<number> => {
  const began = performance.now();
  await work;
  return (performance.now() - began) / 1000;
};

/** The limits of the calls add up to 21 seconds, and what is loaded for the first time takes a busy machine a few more. */
const LIMIT_MS = 25_000;

describe.concurrent('calls without a response time out, each under its own name', () => {
  const settings = ({ connectionString }: StorageProxy) =>
    ({ kind: 'connection-string', connectionString }) as const;

  test('tables, within 25 seconds', async ({ expect }) => {
    await using proxy = await startStorageProxy(azurite.connectionString);
    const table = azureTables(settings(proxy), openSeam).open('Alerts');
    await table.list('p');
    proxy.setSilent(true);
    const row = { partitionKey: 'p', rowKey: 'r' };
    const ms = await bestOfThree(LIMIT_MS, () =>
      Promise.all([
        expect(table.list('p')).rejects.toMatchObject({ code: 'table-storage' }),
        expect(table.commit('p', [{ kind: 'put', row }])).rejects.toMatchObject({ code: 'table-storage' }),
      ]),
    );
    expect(ms).toBeLessThan(LIMIT_MS);
    proxy.setSilent(false);
    expect(await table.list('p')).toEqual([]);
  });

  test('queues and blobs, within 25 seconds', async ({ expect }) => {
    await using proxy = await startStorageProxy(azurite.connectionString);
    const queues = azureQueues(settings(proxy), openSeam);
    const blobs = azureBlobs(settings(proxy), openSeam);
    await blobs.putOnce('seen', new Uint8Array(3));
    proxy.setSilent(true);
    const ms = await bestOfThree(LIMIT_MS, () =>
      Promise.all([
        expect(queues.poison('vault-events')).rejects.toMatchObject({ code: 'queue-storage' }),
        expect(queues.send('vault-events', {}, 60)).rejects.toMatchObject({ code: 'queue-storage' }),
        expect(blobs.lease('l', 60)).rejects.toMatchObject({ code: 'blob-storage' }),
        expect(blobs.putOnce('new', new Uint8Array(9))).rejects.toMatchObject({ code: 'blob-storage' }),
      ]),
    );
    expect(ms).toBeLessThan(LIMIT_MS);
  });

  test('the vault, within 25 seconds', async ({ expect, onTestFinished }) => {
    const silent = createTcpServer((socket) => socket.on('error', () => {}));
    const port = await listening(silent);
    onTestFinished(() => void silent.close());
    const vault = azureVault(
      { vaultUri: `https://localhost:${port}`, managedIdentityClientId: identity.clientId, local: true },
      openSeam,
    );
    const ms = await bestOfThree(LIMIT_MS, () =>
      expect(vault.get('a')).rejects.toMatchObject({ code: 'key-vault' }),
    );
    expect(ms).toBeLessThan(LIMIT_MS);
  });

  test('a vault that requests a pause of a minute is not waited for', async ({ expect, onTestFinished }) => {
    const tls = await makeCertificates();
    const trusted = getCACertificates('default');
    setDefaultCACertificates([...trusted, tls.ca]);
    onTestFinished(() => setDefaultCACertificates([...trusted]));
    const standIn = await startKeyVault({ tls, jwks: identity.jwks });
    onTestFinished(() => standIn.stop());
    standIn.faults.push({ match: {}, times: 99, status: 429, headers: { 'retry-after': '60' } });
    const vault = azureVault(
      { vaultUri: standIn.url, managedIdentityClientId: identity.clientId, local: true },
      openSeam,
    );
    const ms = await bestOfThree(8_000, () =>
      expect(vault.get('a')).rejects.toMatchObject({ code: 'key-vault-throttled' }),
    );
    expect(ms).toBeLessThan(8_000);
  });
});

describe('an installation with unresponsive storage', () => {
  const PUBLIC_URL = 'https://desk.example';

  async function postroomBehindProxy(): Promise<{ all: Services; proxy: StorageProxy; posted: string[] }> {
    const posted: string[] = [];
    const receiver = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString('utf8');
      });
      request.on('end', () => {
        posted.push(body);
        response.writeHead(204).end();
      });
    });
    const port = await listening(receiver);
    onTestFinished(() => void receiver.close());
    const proxy = await startStorageProxy(azurite.connectionString);
    onTestFinished(() => proxy[Symbol.asyncDispose]());
    const config = {
      ...parseConfig({
        DataStorage: proxy.connectionString,
        KEY_VAULT_URI: 'https://vault.example',
        PUBLIC_URL,
        ...signedInSettings,
      }),
      local: true,
    };
    const vault = new MemoryVault(openSeam);
    await setChannels(vault, {
      'alert-webhook-url': `http://127.0.0.1:${port}/`,
      'alert-webhook-key': SIGNING_KEY,
    });
    const all = servicesOn({
      config,
      seam: openSeam,
      tables: azureTables(config.storage, openSeam),
      blobs: azureBlobs(config.storage, openSeam),
      queues: azureQueues(config.storage, openSeam),
      vault,
    });
    return { all, proxy, posted };
  }

  test('alerts within the minute, shows that instead of a page, and recovers automatically', {
    timeout: 180_000,
  }, async () => {
    const { all, proxy, posted } = await postroomBehindProxy();
    // The heartbeat that this run writes is not due again for four minutes, so the next runs do not call storage first.
    await runMonitor(all);
    expect(posted).toEqual([]);
    proxy.setSilent(true);
    const ask = async (): Promise<Response> =>
      createWeb(() => all).fetch(new Request(`${PUBLIC_URL}/`, { headers: principalHeader('admin') }));
    const [seconds, page] = await Promise.all([secondsOf(runMonitor(all)), ask()]);
    expect(posted.map((body) => JSON.parse(body).type)).toEqual(['alert.opened']);
    expect(posted[0]).toContain('storage-failing');
    expect(seconds).toBeLessThan(60);
    expect(page.status).toBe(503);
    expect(await page.text()).toContain('Not receiving mail: Postroom’s storage does not respond');
    proxy.setSilent(false);
    await runMonitor(all);
    expect(posted.map((body) => JSON.parse(body).type)).toEqual(['alert.opened', 'alert.closed']);
    expect((await all.alerts.past({ limit: 5 })).alerts).toHaveLength(1);
  });
});
