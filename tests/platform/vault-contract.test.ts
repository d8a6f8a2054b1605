import { randomUUID } from 'node:crypto';

import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeCertificates } from '../../dev/emulators/certificates.ts';
import {
  type RunningManagedIdentity,
  startManagedIdentity,
} from '../../dev/emulators/identity/managed-identity.ts';
import { type RunningKeyVault, startKeyVault } from '../../dev/emulators/key-vault/key-vault.ts';
import { azureVault } from '../../shared/platform/azure-vault.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import type { Vault } from '../../shared/platform/vault.ts';
import { MemoryVault } from '../harness/memory/memory-vault.ts';

const tls = await makeCertificates();
const before = { ...process.env };
let identity: RunningManagedIdentity;
let standIn: RunningKeyVault;
let trusted: readonly string[];

beforeAll(async () => {
  trusted = getCACertificates('default');
  setDefaultCACertificates([...trusted, tls.ca]);
  identity = await startManagedIdentity({ tenantId: '3a0c7f0e-0000-4000-8000-000000000001' });
  process.env['IDENTITY_ENDPOINT'] = identity.endpoint;
  process.env['IDENTITY_HEADER'] = identity.header;
  standIn = await startKeyVault({ tls, jwks: identity.jwks, pageSize: 2 });
});
afterAll(async () => {
  await Promise.all([standIn?.stop(), identity?.stop()]);
  process.env = { ...before };
  setDefaultCACertificates([...trusted]);
});

const inKeyVault = (): Vault =>
  azureVault({ vaultUri: standIn.url, managedIdentityClientId: identity.clientId, local: true }, openSeam);
const kinds: [string, () => Vault][] = [
  ['in memory', () => new MemoryVault()],
  ['in the stand-in for Key Vault', inKeyVault],
];

describe.each(kinds)('a vault %s', (_kind, makeVault) => {
  let vault: Vault;
  let name: string;
  const kept = { contentType: 'text/plain; what=oauth-client-secret', tags: { provider: 'p1' } };

  beforeEach(() => {
    vault = makeVault();
    name = `secret-${randomUUID()}`;
  });

  test('returns the newest version or the named one, and undefined if there is none', async () => {
    const first = await vault.set(name, new Secret('one'), kept);
    const second = await vault.set(name, new Secret('two'), {
      ...kept,
      expiresOn: '2027-06-01T00:00:00.000Z',
    });
    const newest = await vault.get(name);
    expect([newest?.value.expose(), newest?.version, newest?.expiresOn]).toEqual([
      'two',
      second.version,
      '2027-06-01T00:00:00.000Z',
    ]);
    expect((await vault.get(name, first.version))?.value.expose()).toBe('one');
    expect(await vault.get(`${name}-x`)).toBeUndefined();
  });

  test('lists every entry once with its properties and without its value', async () => {
    await vault.set(name, new Secret('canary-one'), { contentType: 'text/plain' });
    await vault.set(name, new Secret('canary-two'), { ...kept, expiresOn: '2027-06-01T00:00:00.000Z' });
    for (const other of ['a', 'b', 'c'])
      await vault.set(`${name}-${other}`, new Secret('canary-three'), { contentType: 'text/plain' });
    const all = await vault.list();
    const own = all.filter((entry) => entry.name.startsWith(name));
    expect(own.map((entry) => entry.name)).toEqual([name, `${name}-a`, `${name}-b`, `${name}-c`]);
    expect(own[0]).toMatchObject({
      version: undefined,
      enabled: true,
      ...kept,
      expiresOn: '2027-06-01T00:00:00.000Z',
    });
    expect(own[1]).toMatchObject({ tags: {}, expiresOn: undefined });
    expect(JSON.stringify(all)).not.toContain('canary');
  });

  test('lists the versions of an entry, newest first, without values', async () => {
    const first = await vault.set(name, new Secret('canary-one'), kept);
    const second = await vault.set(name, new Secret('canary-two'), kept);
    const versions = await vault.versionsOf(name);
    expect(versions.map(({ version }) => version)).toEqual([second.version, first.version]);
    expect(JSON.stringify(versions)).not.toContain('canary');
    expect(await vault.versionsOf(`${name}-x`)).toEqual([]);
  });

  test('returns no value of a disabled version, and the others as before', async () => {
    const first = await vault.set(name, new Secret('one'), kept);
    await vault.set(name, new Secret('two'), kept);
    await vault.disable(name, first.version);
    await vault.disable(name, 'no-such-version'.replaceAll('-', ''));
    await expect(vault.get(name, first.version)).rejects.toMatchObject({ code: 'secret-disabled' });
    expect((await vault.get(name))?.value.expose()).toBe('two');
    expect((await vault.versionsOf(name)).map(({ enabled }) => enabled)).toEqual([true, false]);
  });

  test('changes the expiry date of a version', async () => {
    const { version } = await vault.set(name, new Secret('one'), kept);
    await vault.setExpiry(name, version, '2028-01-31T10:00:00.000Z');
    expect((await vault.get(name))?.expiresOn).toBe('2028-01-31T10:00:00.000Z');
    await expect(vault.setExpiry(`${name}-x`, version, '2028-01-31T10:00:00.000Z')).rejects.toMatchObject({
      code: 'key-vault',
    });
  });

  test('lists deleted entries and until when they can be recovered', async () => {
    await vault.set(name, new Secret('canary-one'), kept);
    await vault.remove(name);
    await vault.remove(`${name}-x`);
    expect(await vault.get(name)).toBeUndefined();
    expect((await vault.list()).filter((entry) => entry.name === name)).toEqual([]);
    const deleted = (await vault.listDeleted()).find((entry) => entry.name === name);
    expect(deleted?.tags).toEqual({ provider: 'p1' });
    expect(Date.parse(deleted?.goneOn ?? '') - Date.parse(deleted?.deletedOn ?? '')).toBe(90 * 86_400_000);
    expect(JSON.stringify(deleted)).not.toContain('canary');
  });
});

describe('the Key Vault emulator', () => {
  test.each([
    [403, 'key-vault-denied'],
    [401, 'key-vault-denied'],
    [404, undefined],
  ])('responds with %i, which becomes %s', async (status, code) => {
    const vault = inKeyVault();
    await vault.get('warm-up');
    standIn.faults.push({ match: { path: '/secrets/' }, times: 2, status });
    const answer = vault.get('anything');
    if (code === undefined) expect(await answer).toBeUndefined();
    else await expect(answer).rejects.toMatchObject({ code });
    standIn.faults.length = 0;
  });

  test('throttles, which is reported as such', async () => {
    const vault = inKeyVault();
    await vault.get('warm-up');
    standIn.faults.push({
      match: { path: '/secrets/' },
      times: 20,
      status: 429,
      headers: { 'retry-after': '0' },
    });
    await expect(vault.get('anything')).rejects.toMatchObject({ code: 'key-vault-throttled' });
    standIn.faults.length = 0;
  });
});
