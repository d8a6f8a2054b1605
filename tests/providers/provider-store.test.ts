/** A provider as a row of its table, and back. */
import { describe, expect, test, vi } from 'vitest';
import { openSeam } from '../../shared/platform/seam.ts';
import type { Row } from '../../shared/platform/tables.ts';
import { unreadableRows } from '../../shared/platform/unreadable-rows.ts';
import type { Credential } from '../../shared/providers/credential.ts';
import { presetNames } from '../../shared/providers/presets.ts';
import type { Provider } from '../../shared/providers/provider.ts';
import { createProviderStore, isProviderId, newProviderId } from '../../shared/providers/provider-store.ts';
import { FaultySeam } from '../harness/memory/faulty-seam.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

const ID = 'abcdefghijklmnopqrstuvwx27';
const AT = '2026-11-01T09:00:00.000Z';
const inVault = { vaultName: `provider-${ID}`, setAt: AT, expiresOn: '2028-11-01T23:59:59.000Z' };
const secret: Credential = { ...inVault, kind: 'secret', version: 'v2' };
const certificate: Credential = { ...inVault, kind: 'certificate', version: 'v3', certificate: 'TUlJQw==' };
const federated: Credential = { kind: 'federated', setAt: AT };

const full: Provider = {
  id: ID,
  name: 'Contoso',
  state: 'ready',
  preset: 'microsoft',
  cloud: 'dod',
  tenant: 'contoso.example',
  clientId: 'client-1',
  credential: secret,
  nextCredential: certificate,
  retired: [
    { vaultName: 'provider-x', version: 'v0' },
    { vaultName: 'provider-x', version: 'v1' },
  ],
  endpoints: undefined,
  mailHosts: undefined,
  scopes: ['a', 'b'],
  ways: ['imap', 'graph'],
  preflight: { at: AT, tenant: 'proven', client: 'proven', credential: 'unknown' },
  redirectSeenAt: '2026-11-02T09:00:00.000Z',
  approvedAt: '2026-11-03T09:00:00.000Z',
  createdAt: AT,
  changedAt: '2026-11-04T09:00:00.000Z',
};
const custom = (change: Partial<Provider>): Provider => ({
  ...full,
  preset: 'custom',
  cloud: 'worldwide',
  tenant: undefined,
  ...change,
});
const draft = custom({
  state: 'draft',
  clientId: '',
  credential: undefined,
  nextCredential: undefined,
  retired: [],
  scopes: [],
  ways: undefined,
  preflight: undefined,
  redirectSeenAt: undefined,
  approvedAt: undefined,
});
const manual = {
  kind: 'manual',
  authorization: 'https://a.example/a',
  token: 'https://a.example/t',
} as const;

function storeOver(seam = openSeam) {
  const tables = new MemoryTables(seam);
  const put = (row: Record<string, unknown>): Promise<unknown> =>
    tables
      .open('Providers')
      .commit('provider', [{ kind: 'put', row: { partitionKey: 'provider', rowKey: ID, ...row } as Row }]);
  return { tables, store: createProviderStore(tables), put };
}

describe('a saved provider', () => {
  test.each<[string, Provider]>([
    ['of Microsoft, with all that there is', full],
    ['of Google', { ...full, preset: 'google', cloud: 'worldwide', tenant: undefined }],
    ['of the demo', { ...full, preset: 'demo', cloud: 'worldwide' }],
    ['as a draft with next to nothing', draft],
    ['with an issuer', custom({ endpoints: { kind: 'discovery', issuer: 'https://a.example' } })],
    ['with endpoints', custom({ endpoints: manual })],
    ['with an IMAP host', custom({ mailHosts: { imap: 'imap.a.example' } })],
    ['with a POP host', custom({ mailHosts: { pop3: 'pop.a.example' } })],
    ['with an SMTP host', custom({ mailHosts: { smtp: 'smtp.a.example' } })],
    [
      'with all mail hosts',
      custom({ mailHosts: { imap: 'i.example', pop3: 'p.example', smtp: 's.example' } }),
    ],
    ['with the managed identity', { ...full, credential: federated, nextCredential: federated }],
    ['with a secret that does not expire', { ...full, credential: { ...secret, expiresOn: undefined } }],
    ['with a certificate', { ...full, credential: certificate, nextCredential: secret }],
    ['with one retired credential', { ...full, retired: full.retired.slice(1) }],
  ])('%s is read back unchanged', async (_what, provider) => {
    const { store } = storeOver();
    await store.save(provider);
    expect(await store.get(ID)).toStrictEqual(provider);
    expect(await store.list()).toStrictEqual([provider]);
  });

  test('replaces the previous row, column by column', async () => {
    const { store } = storeOver();
    await store.save(full);
    await store.save(draft);
    expect(await store.get(ID)).toEqual(draft);
  });

  test('is gone once it is removed', async () => {
    const { store } = storeOver();
    await store.save(full);
    await store.remove(ID);
    expect(await store.get(ID)).toBeUndefined();
    expect(await store.list()).toEqual([]);
  });
});

describe('the list', () => {
  test('is in the order of the names, whatever the order of the IDs', async () => {
    const { store } = storeOver();
    const named = (letter: string, name: string): Provider => ({ ...full, id: letter.repeat(26), name });
    for (const one of [named('a', 'Litware'), named('b', 'contoso'), named('c', 'Fabrikam')])
      await store.save(one);
    expect((await store.list()).map(({ name }) => name)).toEqual(['contoso', 'Fabrikam', 'Litware']);
  });

  test('leaves out a row that cannot be read, and names it', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const { store, tables, put } = storeOver();
    await store.save({ ...full, id: 'z'.repeat(26) });
    await put({ name: 7 });
    expect((await store.list()).map(({ id }) => id)).toEqual(['z'.repeat(26)]);
    expect(unreadableRows(tables)).toEqual([{ table: 'Providers', partitionKey: 'provider', rowKey: ID }]);
  });
});

describe('an ID', () => {
  test('is 26 characters of base32, and different each time', () => {
    const [one, other] = [newProviderId(), newProviderId()];
    expect(isProviderId(one)).toBe(true);
    expect(one).not.toBe(other);
  });

  test.each(['', 'provider', `${ID}a`, `a${ID}`, ID.toUpperCase(), ID.replace('2', '1')])(
    '%j is invalid, and never reaches the table',
    async (text) => {
      const seam = new FaultySeam({ now: () => 0 });
      const { store } = storeOver(seam);
      expect(isProviderId(text)).toBe(false);
      expect(await store.get(text)).toBeUndefined();
      expect(seam.calls).toEqual([]);
    },
  );
});

describe('a change', () => {
  test('is written and returned', async () => {
    const { store } = storeOver();
    await store.save(full);
    const changed = await store.change(ID, (provider) => ({ ...provider, name: 'Fabrikam' }));
    expect(changed).toEqual({ ...full, name: 'Fabrikam' });
    expect(await store.get(ID)).toEqual(changed);
  });

  test('is retried with what another process wrote meanwhile', async () => {
    const { store } = storeOver();
    await store.save(full);
    const seen: string[] = [];
    const others: Promise<void>[] = [];
    const both = await store.change(ID, (provider) => {
      seen.push(provider.name);
      if (others.length === 0) others.push(store.save({ ...provider, name: 'Fabrikam' }));
      return { ...provider, scopes: ['c'] };
    });
    await Promise.all(others);
    expect(seen).toEqual(['Contoso', 'Fabrikam']);
    expect(both).toMatchObject({ name: 'Fabrikam', scopes: ['c'] });
    expect(await store.get(ID)).toEqual(both);
  });

  test('of a deleted provider returns undefined', async () => {
    const { store } = storeOver();
    const change = vi.fn((provider: Provider) => provider);
    expect(await store.change(ID, change)).toBeUndefined();
    expect(change).not.toHaveBeenCalled();
  });

  test('that is cancelled writes nothing', async () => {
    const { store, tables } = storeOver();
    await store.save(full);
    const before = tables.changes;
    expect(await store.change(ID, () => undefined)).toBeUndefined();
    expect(tables.changes).toBe(before);
  });
});

describe('a row', () => {
  const inJson = (credential: object): { credential: string } => ({ credential: JSON.stringify(credential) });

  test.each<[string, Record<string, unknown>]>([
    ['name', { name: undefined }],
    ['state', { state: 'half' }],
    ['preset', { preset: 'nobody' }],
    ['cloud', { cloud: 'moon' }],
    ['cloud', { cloud: undefined }],
    ['tenant', { tenant: 7 }],
    ['clientId', { clientId: 7 }],
    ['scopes', { scopes: undefined }],
    ['createdAt', { createdAt: undefined }],
    ['changedAt', { changedAt: 1 }],
    ['endpoints', { endpoints: '{"kind":"manual","authorization":"https://a.example/a"}' }],
    ['endpoints', { endpoints: '{"kind":"manual","token":"https://a.example/t"}' }],
    ['mailHosts', { mailHosts: '{"imap":7}' }],
    ['preflight', { preflight: '{"tenant":"proven"}' }],
    ['credential', inJson({ ...secret, kind: 'password' })],
    ['credential', inJson({ ...secret, setAt: undefined })],
    ['credential', inJson({ ...secret, vaultName: undefined })],
    ['credential', inJson({ ...secret, version: 1 })],
    ['credential', inJson({ ...secret, expiresOn: 2028 })],
    ['credential', inJson({ ...certificate, expiresOn: undefined })],
    ['credential', inJson({ ...certificate, certificate: undefined })],
    ['nextCredential', { nextCredential: '{"kind":"federated"}' }],
    ['retired', { retired: '[{"vaultName":"provider-x"}]' }],
  ])('without a valid %s is rejected with the name of the column', async (column, change) => {
    const { store, tables, put } = storeOver();
    await store.save(full);
    const [row] = tables.dump('Providers');
    await put({ ...row, ...change });
    await expect(store.get(ID)).rejects.toMatchObject({
      code: 'bad-row',
      message: `Providers/provider/${ID}: the column ${column} does not contain what Postroom wrote there`,
    });
  });

  test.each(presetNames)('of the preset %s is listed', async (preset) => {
    const { store } = storeOver();
    await store.save({ ...full, preset });
    expect((await store.list()).map((provider) => provider.preset)).toEqual([preset]);
  });
});
