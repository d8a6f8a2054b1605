/** Failures of Key Vault for one provider, against its emulator: that provider reports it, the others work. */
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCertificates } from '../../dev/emulators/certificates.ts';
import {
  type RunningManagedIdentity,
  startManagedIdentity,
} from '../../dev/emulators/identity/managed-identity.ts';
import { type RunningKeyVault, startKeyVault } from '../../dev/emulators/key-vault/key-vault.ts';
import { servicesOn } from '../../functions/services.ts';
import type { Account } from '../../shared/accounts/account.ts';
import { azureVault } from '../../shared/platform/azure-vault.ts';
import { secretName } from '../../shared/providers/credential.ts';
import { checkSecrets } from '../../shared/secrets/review-secrets.ts';
import { AT_MAIL, connectSupport, type DemoApp, startDemoApp } from '../harness/pages/demo-app.ts';

const HOUR = 3_600_000;
const tls = await makeCertificates();
const before = { ...process.env };
let trusted: readonly string[];
let identity: RunningManagedIdentity;
let standIn: RunningKeyVault;

beforeAll(async () => {
  trusted = getCACertificates('default');
  setDefaultCACertificates([...trusted, tls.ca]);
  identity = await startManagedIdentity({ tenantId: '3a0c7f0e-0000-4000-8000-000000000001' });
  process.env['IDENTITY_ENDPOINT'] = identity.endpoint;
  process.env['IDENTITY_HEADER'] = identity.header;
  standIn = await startKeyVault({ tls, jwks: identity.jwks });
});
afterAll(async () => {
  await Promise.all([standIn?.stop(), identity?.stop()]);
  process.env = { ...before };
  setDefaultCACertificates([...trusted]);
});

interface Postroom {
  app: DemoApp;
  /** The provider with the vault failure, and another one. */
  hit: Account;
  other: Account;
  /** The first provider's entry in the vault. */
  entry: { name: string; version: string };
}

/** Two providers with secrets in the same vault and a mailbox each; both tokens are due for a refresh. */
async function postroom(): Promise<Postroom> {
  const memory = await startDemoApp();
  const { config } = memory.services;
  const vault = azureVault(
    { vaultUri: standIn.url, managedIdentityClientId: identity.clientId, local: true },
    memory.seam,
  );
  const services = servicesOn({ ...memory.services, config, vault }, { pauseMs: 20 });
  const app = { ...memory, services };
  const { account: hit } = await connectSupport(app);
  const { account: other } = await connectSupport(app);
  const [newest] = await vault.versionsOf(secretName(hit.providerId));
  memory.seam.skewMs = 2 * HOUR;
  return { app, hit, other, entry: { name: secretName(hit.providerId), version: newest?.version ?? '' } };
}

async function storedAccount({ app }: Postroom, account: Account): Promise<Account> {
  const stored = await app.services.accounts.get(account);
  if (stored === undefined) throw new TypeError('no row');
  return stored.account;
}

describe.each([
  [
    'refuses one entry (403 ForbiddenByRbac)',
    403,
    'key-vault-denied',
    'it denies access to this installation',
  ],
  ['accepts no more requests (429)', 429, 'key-vault-throttled', 'it is throttling requests'],
  ['breaks (503)', 503, 'key-vault', 'it does not respond'],
])('a vault that %s', (_case, status, code, words) => {
  it('leaves that account retrying with the reason, serves the other, and recovers automatically', async () => {
    const all = await postroom();
    const { app, hit, other, entry } = all;
    standIn.faults.push({
      match: { path: `/secrets/${entry.name}` },
      times: 99,
      status,
      headers: { 'retry-after': '0' },
    });
    const refused = await app.services.accessTokens.get(hit, AT_MAIL);
    expect(refused).toMatchObject({ kind: 'retrying', code });
    expect(await storedAccount(all, hit)).toMatchObject({
      state: 'retrying',
      problem: { code, message: expect.stringContaining(words) },
      refreshBegunAt: undefined,
    });
    expect((await app.services.accessTokens.get(other, AT_MAIL)).kind).toBe('token');
    expect(
      (await app.services.activity.page({ kind: 'refresh', limit: 9 }, app.seam.now())).entries,
    ).toMatchObject([
      { result: 'done', aboutId: other.accountId },
      { result: 'retrying', aboutId: hit.accountId, what: expect.stringContaining(words) },
    ]);
    standIn.faults.length = 0;
    app.seam.skewMs = 2 * HOUR + 40_000;
    expect((await app.services.accessTokens.get(hit, AT_MAIL)).kind).toBe('token');
    expect(await storedAccount(all, hit)).toMatchObject({ state: 'ok', problem: undefined });
    await app.stop();
  });
});

describe('an entry of the vault that was', () => {
  it('disabled is reported at that account and by the review, and the other account works', async () => {
    const all = await postroom();
    const { app, hit, other, entry } = all;
    await app.services.vault.disable(entry.name, entry.version);
    expect(await app.services.accessTokens.get(hit, AT_MAIL)).toMatchObject({
      kind: 'action-required',
      code: 'secret-disabled',
    });
    expect((await storedAccount(all, hit)).problem?.message).toContain('is disabled in Key Vault');
    expect((await app.services.accessTokens.get(other, AT_MAIL)).kind).toBe('token');
    const states = (await checkSecrets(app.services)).map(({ provider, state }) => [
      provider?.id,
      state.kind,
    ]);
    expect(new Map(states as [string, string][])).toEqual(
      new Map([
        [hit.providerId, 'disabled'],
        [other.providerId, 'healthy'],
      ]),
    );
    await app.stop();
  });

  it('deleted is reported with the day until which it can be recovered, and the other account works', async () => {
    const all = await postroom();
    const { app, hit, other, entry } = all;
    await app.services.vault.remove(entry.name);
    expect(await app.services.accessTokens.get(hit, AT_MAIL)).toMatchObject({
      kind: 'action-required',
      code: 'secret-missing',
    });
    expect((await app.services.accessTokens.get(other, AT_MAIL)).kind).toBe('token');
    const seen = (await checkSecrets(app.services)).find(({ provider }) => provider?.id === hit.providerId);
    expect(seen?.state).toMatchObject({ kind: 'missing' });
    if (seen?.state.kind !== 'missing') throw new TypeError();
    const days = (Date.parse(seen.state.recoverableUntil ?? '') - Date.now()) / 86_400_000;
    expect(Math.round(days)).toBe(90);
    await app.stop();
  });
});

describe('a vault that does not return the encryption key', () => {
  it.each([
    ['due', 2 * HOUR],
    ['still good', 0],
  ])('leaves an account whose token is %s retrying, in a process without a key', async (_case, skewMs) => {
    const { app, hit, other } = await postroom();
    app.seam.skewMs = skewMs;
    const { config } = app.services;
    const vault = azureVault(
      { vaultUri: standIn.url, managedIdentityClientId: identity.clientId, local: true },
      app.seam,
    );
    const cold = servicesOn({ ...app.services, config, vault }, { pauseMs: 20 });
    standIn.faults.push({ match: { path: '/secrets/postroom-encryption-key' }, times: 99, status: 403 });
    for (const account of [hit, other])
      expect(await cold.accessTokens.get(account, AT_MAIL)).toMatchObject({
        kind: 'retrying',
        code: 'key-vault-denied',
        message: expect.stringMatching(/^Key Vault .* Postroom retries automatically\.$/),
      });
    standIn.faults.length = 0;
    app.seam.skewMs += 40_000;
    expect((await cold.accessTokens.get(hit, AT_MAIL)).kind).toBe('token');
    await app.stop();
  });
});

describe('a managed identity without a token', () => {
  it('leaves the account retrying with the reason, and recovers automatically', async () => {
    const app = await startDemoApp();
    const { account } = await connectSupport(app);
    await app.services.providers.change(account.providerId, (provider) => ({
      ...provider,
      credential: { kind: 'federated', setAt: provider.changedAt },
    }));
    app.seam.skewMs = 2 * HOUR;
    app.seam.around = async (point, effect) => {
      if (point === 'token.identity') throw new Error('no endpoint');
      return effect();
    };
    expect(await app.services.accessTokens.get(account, AT_MAIL)).toMatchObject({
      kind: 'retrying',
      code: 'no-identity',
      message: expect.stringContaining('The managed identity returned no token'),
    });
    expect((await app.services.accounts.get(account))?.account).toMatchObject({
      state: 'retrying',
      refreshBegunAt: undefined,
      retryAt: expect.any(String),
    });
    await app.stop();
  });
});
