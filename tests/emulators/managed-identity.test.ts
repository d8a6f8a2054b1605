import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DefaultAzureCredential, ManagedIdentityCredential } from '@azure/identity';
import { decodeJwt } from 'jose';
import { afterEach, expect, it } from 'vitest';
import {
  checkIdentityToken,
  type RunningManagedIdentity,
  startManagedIdentity,
} from '../../dev/emulators/identity/managed-identity.ts';

const TENANT = '3a0c7f0e-0000-4000-8000-000000000001';
const before = { ...process.env };
const running: RunningManagedIdentity[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((identity) => identity.stop()));
  process.env = { ...before };
});

async function start(stateDir?: string): Promise<RunningManagedIdentity> {
  const identity = await startManagedIdentity({
    tenantId: TENANT,
    ...(stateDir !== undefined && { stateDir }),
  });
  running.push(identity);
  process.env['IDENTITY_ENDPOINT'] = identity.endpoint;
  process.env['IDENTITY_HEADER'] = identity.header;
  return identity;
}

it('gives the unmodified DefaultAzureCredential tokens for vault, storage and token exchange', async () => {
  const identity = await start();
  const credential = new DefaultAzureCredential({ managedIdentityClientId: identity.clientId });
  for (const audience of [
    'https://vault.azure.net',
    'https://storage.azure.com',
    'api://AzureADTokenExchange',
  ]) {
    const { token, expiresOnTimestamp } = await credential.getToken(`${audience}/.default`);
    await checkIdentityToken(token, { jwks: identity.jwks, audience });
    expect(decodeJwt(token)['oid']).toBe(identity.principalId);
    expect(expiresOnTimestamp).toBeGreaterThan(Date.now() + 3_600_000);
  }
  const { token } = await new ManagedIdentityCredential().getToken('https://vault.azure.net/.default');
  await expect(
    checkIdentityToken(token, { jwks: identity.jwks, audience: 'https://storage.azure.com' }),
  ).rejects.toThrow();
});

it('rejects a request without the header, for an unknown resource or another identity', async () => {
  const identity = await start();
  const ask = (query: string, header = identity.header): Promise<number> =>
    fetch(`${identity.endpoint}?${query}`, { headers: { 'x-identity-header': header } }).then(
      ({ status }) => status,
    );
  const good = 'api-version=2019-08-01&resource=https://vault.azure.net';
  expect(await ask(good)).toBe(200);
  expect(await ask(good, 'guess')).toBe(401);
  expect(await ask('api-version=2019-08-01&resource=https://management.azure.com')).toBe(400);
  expect(await ask(`${good}&client_id=another`)).toBe(400);
  identity.fail(500);
  expect(await ask(good)).toBe(500);
});

it('keeps its key, header and IDs in its folder', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'postroom-identity-'));
  const first = await start(folder);
  const second = await start(folder);
  expect([second.header, second.clientId, second.jwks]).toEqual([first.header, first.clientId, first.jwks]);
  rmSync(folder, { recursive: true });
});
