import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManagedIdentityCredential } from '@azure/identity';
import { SecretClient } from '@azure/keyvault-secrets';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeCertificates } from '../../dev/emulators/certificates.ts';
import {
  type RunningManagedIdentity,
  startManagedIdentity,
} from '../../dev/emulators/identity/managed-identity.ts';
import {
  type KeyVaultOptions,
  type RunningKeyVault,
  startKeyVault,
} from '../../dev/emulators/key-vault/key-vault.ts';

const TENANT = '3a0c7f0e-0000-4000-8000-000000000001';
const tls = await makeCertificates();
let folder: string;
let identity: RunningManagedIdentity;
const vaults: RunningKeyVault[] = [];
const before = { ...process.env };

// One identity for all: @azure/identity caches its tokens for the whole process.
beforeAll(async () => {
  identity = await startManagedIdentity({ tenantId: TENANT });
  process.env['IDENTITY_ENDPOINT'] = identity.endpoint;
  process.env['IDENTITY_HEADER'] = identity.header;
});
afterAll(async () => {
  await identity.stop();
  process.env = { ...before };
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postroom-vault-'));
});
afterEach(async () => {
  await Promise.all(vaults.splice(0).map((vault) => vault.stop()));
  rmSync(folder, { recursive: true, force: true });
});

async function start(options: Partial<KeyVaultOptions> = {}): Promise<RunningKeyVault> {
  const vault = await startKeyVault({ tls, jwks: identity.jwks, tenantId: TENANT, ...options });
  vaults.push(vault);
  return vault;
}

/** The client that the product uses, trusting the emulator CA. */
const clientOf = (vault: RunningKeyVault, maxRetries = 0): SecretClient =>
  new SecretClient(vault.url, new ManagedIdentityCredential(), {
    disableChallengeResourceVerification: true,
    retryOptions: { maxRetries, retryDelayInMs: 10, maxRetryDelayInMs: 20 },
    tlsOptions: { ca: tls.ca },
  });

describe('the Key Vault emulator, called by the real client', () => {
  it('stores versions with expiry, tags and type, and returns the newest', async () => {
    const client = clientOf(await start());
    const expiresOn = new Date('2027-06-01T00:00:00Z');
    const first = await client.setSecret('client-secret', 'one', {
      expiresOn,
      tags: { provider: 'contoso' },
      contentType: 'text/plain',
    });
    await client.setSecret('client-secret', 'two');
    expect((await client.getSecret('client-secret')).value).toBe('two');
    const version = first.properties.version ?? '';
    const old = await client.getSecret('client-secret', { version });
    expect(old.value).toBe('one');
    expect(old.properties.expiresOn).toEqual(expiresOn);
    expect(old.properties.tags).toEqual({ provider: 'contoso' });
    const updated = await client.updateSecretProperties('client-secret', version, { enabled: false });
    expect(updated.enabled).toBe(false);
    await expect(client.getSecret('client-secret', { version })).rejects.toMatchObject({
      statusCode: 403,
      code: 'Forbidden',
    });
    const versions = [];
    for await (const properties of client.listPropertiesOfSecretVersions('client-secret'))
      versions.push(properties.version);
    expect(versions).toHaveLength(2);
  });

  it('lists page by page, without values', async () => {
    const client = clientOf(await start({ pageSize: 2 }));
    for (const name of ['a', 'b', 'c', 'd', 'e']) await client.setSecret(name, `value of ${name}`);
    const names = [];
    for await (const properties of client.listPropertiesOfSecrets()) names.push(properties.name);
    expect(names).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('keeps a deleted secret recoverable, rejects its name meanwhile, and deletes it when purged', async () => {
    const client = clientOf(await start());
    await client.setSecret('key', 'x');
    await (await client.beginDeleteSecret('key', { intervalInMs: 10 })).pollUntilDone();
    await expect(client.getSecret('key')).rejects.toMatchObject({ statusCode: 404, code: 'SecretNotFound' });
    await expect(client.setSecret('key', 'y')).rejects.toMatchObject({ statusCode: 409, code: 'Conflict' });
    await (await client.beginRecoverDeletedSecret('key', { intervalInMs: 10 })).pollUntilDone();
    expect((await client.getSecret('key')).value).toBe('x');
    await (await client.beginDeleteSecret('key', { intervalInMs: 10 })).pollUntilDone();
    await client.purgeDeletedSecret('key');
    await client.setSecret('key', 'new');
    expect((await client.getSecret('key')).value).toBe('new');
    const backup = await client.backupSecret('key');
    await expect(client.restoreSecretBackup(backup ?? new Uint8Array())).rejects.toMatchObject({
      statusCode: 409,
    });
  });

  it('reports that a secret is still being deleted until the deletion completes', async () => {
    const client = clientOf(await start({ settleMs: 60_000 }));
    await client.setSecret('key', 'x');
    await client.beginDeleteSecret('key', { intervalInMs: 10 });
    await expect(client.setSecret('key', 'y')).rejects.toMatchObject({
      message: expect.stringContaining('being deleted'),
    });
  });

  it('rejects invalid names, large values and missing secrets like Key Vault', async () => {
    const client = clientOf(await start());
    await expect(client.setSecret('no_underscore', 'x')).rejects.toMatchObject({
      statusCode: 400,
      code: 'BadParameter',
    });
    await expect(client.setSecret('big', 'x'.repeat(25_601))).rejects.toMatchObject({ statusCode: 400 });
    await expect(client.getSecret('missing')).rejects.toMatchObject({ code: 'SecretNotFound' });
  });

  it('has all its data after a restart', async () => {
    const first = await start({ stateDir: folder });
    await clientOf(first).setSecret('kept', 'across starts');
    await first.stop();
    expect((await clientOf(await start({ stateDir: folder })).getSecret('kept')).value).toBe('across starts');
  });

  it('throttles once, and the client waits and succeeds', async () => {
    const vault = await start();
    const client = clientOf(vault, 3);
    await client.setSecret('key', 'x');
    vault.faults.push({ match: { method: 'GET' }, status: 429, headers: { 'retry-after': '0' } });
    expect((await client.getSecret('key')).value).toBe('x');
    vault.faults.push({ match: { method: 'GET' }, times: 9, status: 429, headers: { 'retry-after': '0' } });
    await expect(client.getSecret('key')).rejects.toMatchObject({ statusCode: 429, code: 'Throttled' });
  });

  it('rejects foreign tokens and identities without the role', async () => {
    const stranger = await startManagedIdentity({ tenantId: TENANT });
    const closed = await start({ jwks: stranger.jwks });
    await expect(clientOf(closed).getSecret('key')).rejects.toMatchObject({ statusCode: 401 });
    await stranger.stop();
    const forbidden = await start({ allowed: ['somebody-else'] });
    await expect(clientOf(forbidden).getSecret('key')).rejects.toMatchObject({
      statusCode: 403,
      code: 'Forbidden',
    });
  });
});
