/** A credential is stored in the vault, works, and replaces the previous one, with a vault and tables in memory. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { type AuditStore, createAuditStore } from '../../shared/audit/audit-store.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { auditSystemChange, credentialsForAudit } from '../../shared/providers/audit-system-change.ts';
import { type Credential, certificatePem, thumbprintOf } from '../../shared/providers/credential.ts';
import {
  disableRetired,
  type PromoteDeps,
  promoteCredential,
} from '../../shared/providers/promote-credential.ts';
import type { Provider } from '../../shared/providers/provider.ts';
import { createProviderStore, type ProviderStore } from '../../shared/providers/provider-store.ts';
import { storeNewCertificate, storeSecret } from '../../shared/providers/store-credential.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { MemoryVault } from '../harness/memory/memory-vault.ts';
import { sampleProvider } from '../harness/memory/sample-provider.ts';

const NOW = Date.parse('2026-11-24T10:00:00.000Z');
const AT = '2026-11-24T10:00:00.000Z';
const seam = { ...openSeam, now: () => NOW };
const inVault = (version: string): Credential => ({
  kind: 'secret',
  vaultName: 'provider-x',
  version,
  setAt: AT,
  expiresOn: '2028-11-24T23:59:59.000Z',
});
const old = inVault('v1');
const next = { ...inVault('v2'), expiresOn: '2030-01-01T23:59:59.000Z' };

let vault: MemoryVault;
let tables: MemoryTables;
let providers: ProviderStore;
let audit: AuditStore;
let deps: PromoteDeps;
const errors = vi.fn<(line: string) => void>();
beforeEach(async () => {
  errors.mockClear();
  vi.spyOn(console, 'error').mockImplementation(errors);
  vault = new MemoryVault();
  for (const value of ['old', 'next']) await vault.set('provider-x', new Secret(value), { contentType: 't' });
  tables = new MemoryTables(openSeam);
  providers = createProviderStore(tables);
  audit = createAuditStore(tables);
  deps = { vault, providers, audit, seam };
});

async function saved(change: Partial<Provider>): Promise<Provider> {
  const provider = sampleProvider(change);
  await providers.save(provider);
  return provider;
}
const recorded = async () => (await audit.page({ limit: 9 })).entries;
const refuses: MemoryVault['disable'] = () => Promise.reject(new PostroomError('key-vault', 'denied'));

describe('a credential that has worked', () => {
  test('replaces the current one, which is disabled, and the audit log has it', async () => {
    const provider = await saved({ credential: old, nextCredential: next });
    await promoteCredential(deps, provider, next);
    expect(await providers.get(provider.id)).toEqual({
      ...provider,
      credential: next,
      nextCredential: undefined,
      retired: [],
    });
    expect([...vault.disabled]).toEqual(['provider-x/v1']);
    expect(await recorded()).toMatchObject([
      {
        at: AT,
        principal: { id: 'postroom', name: 'Postroom (automatic)' },
        action: 'new credential in use',
        subject: { kind: 'provider', id: provider.id, name: 'Contoso' },
        changes: [
          {
            name: 'credential',
            before: `client secret until 2028-11-24, set at ${AT}`,
            after: `client secret until 2030-01-01, set at ${AT}`,
          },
          { name: 'new credential', before: `client secret until 2030-01-01, set at ${AT}` },
        ],
      },
    ]);
  });

  test('and was already in use changes nothing, and reads nothing', async () => {
    const provider = await saved({ credential: old, nextCredential: next });
    const before = tables.changes;
    await promoteCredential(deps, provider, old);
    expect(tables.changes).toBe(before);
    expect([...vault.disabled]).toEqual([]);
  });

  test('and was already in use disables the retired ones that are still recorded', async () => {
    const retired = [{ vaultName: 'provider-x', version: 'v1' }];
    const provider = await saved({ credential: next, retired });
    await promoteCredential(deps, provider, next);
    expect([...vault.disabled]).toEqual(['provider-x/v1']);
    expect((await providers.get(provider.id))?.retired).toEqual([]);
    expect(await recorded()).toEqual([]);
  });

  test('does not change a row whose next credential is a different one by now', async () => {
    const provider = await saved({ credential: old, nextCredential: next });
    const newer = { ...provider, nextCredential: inVault('v3') };
    await providers.save(newer);
    await promoteCredential(deps, provider, next);
    expect(await providers.get(provider.id)).toEqual(newer);
    expect(await recorded()).toEqual([]);
  });

  test('is recorded as a change from the stored row, whatever the process had read', async () => {
    const provider = await saved({ credential: old, nextCredential: next });
    await providers.save({ ...provider, name: 'Fabrikam' });
    await promoteCredential(deps, provider, next);
    const [entry] = await recorded();
    expect(entry?.subject).toMatchObject({ name: 'Fabrikam' });
  });
});

describe('a credential that is retired', () => {
  const retired = ['v1', 'v2'].map((version) => ({ vaultName: 'provider-x', version }));

  test('stays recorded while the vault refuses to disable it, and the log names it', async () => {
    const provider = await saved({ retired });
    const disable: MemoryVault['disable'] = (name, version) =>
      version === 'v1' ? refuses(name, version) : vault.disable(name, version);
    await disableRetired({ providers, vault: Object.assign(new MemoryVault(), { disable }) }, provider);
    expect((await providers.get(provider.id))?.retired).toEqual([{ vaultName: 'provider-x', version: 'v1' }]);
    expect(errors).toHaveBeenCalledTimes(1);
    expect(JSON.parse(errors.mock.calls[0]?.[0] ?? '')).toMatchObject({
      provider: provider.id,
      version: 'v1',
    });
  });

  test('causes no write if nothing could be disabled', async () => {
    const provider = await saved({ retired });
    const before = tables.changes;
    await disableRetired({ providers, vault: Object.assign(vault, { disable: refuses }) }, provider);
    expect(tables.changes).toBe(before);
  });

  test('keeps the record of what was retired meanwhile', async () => {
    const provider = await saved({ retired: retired.slice(0, 1) });
    await providers.save({ ...provider, retired });
    await disableRetired(deps, provider);
    expect((await providers.get(provider.id))?.retired).toEqual(retired.slice(1));
  });
});

describe('the audit of automatic changes', () => {
  const certificate = Buffer.from('a certificate').toString('base64');

  test('describes credentials by kind and expiry date, and shows no secret', () => {
    expect(
      credentialsForAudit({
        credential: { kind: 'federated', setAt: AT },
        nextCredential: {
          kind: 'certificate',
          vaultName: 'provider-x',
          version: 'v1',
          setAt: AT,
          expiresOn: '2028-11-24T23:59:59.000Z',
          certificate,
        },
      }),
    ).toEqual({
      credential: `managed identity, set at ${AT}`,
      'new credential': `certificate ${thumbprintOf(certificate)} until 2028-11-24, set at ${AT}`,
    });
    expect(credentialsForAudit({ credential: old, nextCredential: undefined })).toEqual({
      credential: `client secret until 2028-11-24, set at ${AT}`,
      'new credential': undefined,
    });
  });

  test('describes a secret without an expiry date as one that does not expire', () => {
    const credential: Credential = {
      kind: 'secret',
      vaultName: 'provider-x',
      version: 'v1',
      setAt: AT,
      expiresOn: undefined,
    };
    expect(credentialsForAudit({ credential, nextCredential: undefined })['credential']).toBe(
      `client secret that does not expire, set at ${AT}`,
    );
  });

  test('stops nothing while storage is unavailable; the log has the provider and the change', async () => {
    const provider = sampleProvider();
    const away = { record: () => Promise.reject(new PostroomError('table-storage', 'no answer')) };
    await auditSystemChange({ audit: away, seam }, 'new credential in use', provider, provider);
    expect(JSON.parse(errors.mock.calls[0]?.[0] ?? '')).toMatchObject({
      provider: provider.id,
      action: 'new credential in use',
    });
  });
});

describe('an entry in the vault', () => {
  test('is a secret with its expiry date, its provider and its key ID', async () => {
    const expiresOn = '2028-11-24T23:59:59.000Z';
    const kept = await storeSecret(deps, 'p1', { value: new Secret('word'), expiresOn, key: 'k1' });
    expect(kept).toEqual({ kind: 'secret', vaultName: 'provider-p1', version: 'v3', setAt: AT, expiresOn });
    const [entry] = vault.versions.get('provider-p1') ?? [];
    expect(entry?.value.expose()).toBe('word');
    expect(entry).toMatchObject({
      contentType: 'text/plain; what=oauth-client-secret',
      expiresOn,
      tags: { provider: 'p1', key: 'k1' },
    });
  });

  test('is a secret without an expiry date or a key ID if neither is known', async () => {
    const set = vi.spyOn(vault, 'set');
    const kept = await storeSecret(deps, 'p1', { value: new Secret('word'), expiresOn: undefined });
    expect(kept.expiresOn).toBeUndefined();
    expect(set.mock.calls[0]?.[2]).toStrictEqual({
      contentType: 'text/plain; what=oauth-client-secret',
      tags: { provider: 'p1' },
    });
  });

  test('is a certificate with its private key; the row has the public certificate', async () => {
    const expiresOn = '2028-11-24T23:59:59.000Z';
    const kept = await storeNewCertificate(deps, { id: 'p1', name: 'Contoso' }, expiresOn);
    expect(kept).toMatchObject({
      kind: 'certificate',
      vaultName: 'provider-p1',
      version: 'v3',
      setAt: AT,
      expiresOn,
    });
    const [entry] = vault.versions.get('provider-p1') ?? [];
    expect(entry?.value.expose()).toContain(certificatePem(kept.certificate));
    expect(entry?.value.expose()).toContain('PRIVATE KEY');
    expect(entry).toMatchObject({
      contentType: 'application/x-pem-file; what=oauth-client-certificate',
      expiresOn,
      tags: { provider: 'p1' },
    });
  });
});
