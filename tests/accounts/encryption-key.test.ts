import { afterEach, describe, expect, it } from 'vitest';
import { type Account, tokenContext } from '../../shared/accounts/account.ts';
import { createAccountStore } from '../../shared/accounts/account-store.ts';
import {
  countUnderOlderKeys,
  type ReencryptDeps,
  reencryptTokens,
} from '../../shared/accounts/reencrypt-tokens.ts';
import {
  createTokenCipher,
  encryptionKeyName,
  versionOfSealed,
} from '../../shared/accounts/token-encryption.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { openSeam, type Seam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { createProviderStore } from '../../shared/providers/provider-store.ts';
import { MemoryBlobs } from '../harness/memory/memory-blobs.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { MemoryVault } from '../harness/memory/memory-vault.ts';
import { sampleProvider } from '../harness/memory/sample-provider.ts';
import { AT_MAIL, connectSupport, type DemoApp, startDemoApp } from '../harness/pages/demo-app.ts';

const HOUR = 3_600_000;
const apps: DemoApp[] = [];
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.stop()));
});

async function start(): Promise<{ app: DemoApp; account: Account; row(): Promise<Account> }> {
  const app = await startDemoApp();
  apps.push(app);
  const { account } = await connectSupport(app);
  return {
    app,
    account,
    async row() {
      const stored = await app.services.accounts.get(account);
      if (stored === undefined) throw new TypeError('no row');
      return stored.account;
    },
  };
}

const versionsIn = ({ tokens }: Account): (string | undefined)[] =>
  [tokens.access, tokens.refresh].map((sealed) => sealed && versionOfSealed(sealed));

describe('a new version of the encryption key', () => {
  it('encrypts from now on, and tokens under the previous version stay readable in every process', async () => {
    const { app, account, row } = await start();
    const [before] = versionsIn(await row());
    const after = await app.services.sealer.rotate();
    expect(after).not.toBe(before);
    const other = app.another();
    expect((await other.accessTokens.get(account, AT_MAIL)).kind).toBe('token');
    app.seam.skewMs = 2 * HOUR;
    expect((await other.accessTokens.get(account, AT_MAIL)).kind).toBe('token');
    expect(versionsIn(await row())).toEqual([after, after]);
  });

  it('is noticed within an hour by a process that read the key before', async () => {
    const vault = new MemoryVault();
    let now = 0;
    const old = createTokenCipher(vault, { now: () => now });
    const sealed = await old.seal(new Secret('x'), 'c');
    const version = await createTokenCipher(vault).rotate();
    now = 30 * 60_000;
    expect(versionOfSealed(await old.seal(new Secret('x'), 'c'))).toBe(versionOfSealed(sealed));
    now = 61 * 60_000;
    expect(versionOfSealed(await old.seal(new Secret('x'), 'c'))).toBe(version);
  });

  it('is not required by a process that has a key: while the vault is unavailable it uses that one', async () => {
    let away = false;
    let now = 0;
    const seam: Seam = {
      call: (_point, effect) => (away ? Promise.reject(new PostroomError('key-vault', 'away')) : effect()),
      now: () => now,
    };
    const sealer = createTokenCipher(new MemoryVault(seam), seam);
    await sealer.ready();
    away = true;
    now = 2 * HOUR;
    const sealed = await sealer.seal(new Secret('a token that comes once'), 'c');
    expect((await sealer.open(sealed, 'c')).expose()).toBe('a token that comes once');
    await expect(createTokenCipher(new MemoryVault(seam), seam).ready()).rejects.toThrow('away');
  });
});

describe('the monitor of encrypted tokens', () => {
  it('re-encrypts them, so that the previous version can be disabled', async () => {
    const { app, account, row } = await start();
    const [before = ''] = versionsIn(await row());
    const after = await app.services.sealer.rotate();
    expect(await countUnderOlderKeys(app.services, after)).toBe(1);
    expect(await reencryptTokens(app.services)).toEqual({ reencrypted: 1, left: 0 });
    expect(versionsIn(await row())).toEqual([after, after]);
    expect(await countUnderOlderKeys(app.services, after)).toBe(0);
    await app.vault.disable(encryptionKeyName, before);
    const fresh = app.another();
    expect((await fresh.accessTokens.get(account, AT_MAIL)).kind).toBe('token');
    app.seam.skewMs = 2 * HOUR;
    expect((await fresh.accessTokens.get(account, AT_MAIL)).kind).toBe('token');
    expect(await reencryptTokens(app.services)).toEqual({ reencrypted: 0, left: 0 });
  });

  it('skips an account that is being refreshed, or whose refresh never finished', async () => {
    const { app, account, row } = await start();
    await app.services.sealer.rotate();
    const before = await row();
    const lease = await app.services.blobs.lease(`lease/account-${account.accountId}`, 60);
    expect(await reencryptTokens(app.services)).toEqual({ reencrypted: 0, left: 1 });
    await lease?.release();
    const stored = await app.services.accounts.get(account);
    const begun = { ...before, refreshBegunAt: new Date().toISOString() };
    await app.services.accounts.replace(begun, stored?.etag ?? '');
    expect(await reencryptTokens(app.services)).toEqual({ reencrypted: 0, left: 1 });
    expect((await row()).tokens).toEqual(before.tokens);
  });

  it('loses no token to a concurrent refresh', async () => {
    const { app, account } = await start();
    for (let round = 1; round <= 5; round += 1) {
      app.seam.skewMs = round * 2 * HOUR;
      await app.services.sealer.rotate();
      const [token] = await Promise.all([
        app.another().accessTokens.get(account, AT_MAIL),
        reencryptTokens(app.services),
        reencryptTokens(app.another()),
      ]);
      expect(token.kind).toBe('token');
    }
  });

  it('processes a bounded number per run, and an unreadable one does not stop the others', async () => {
    const { deps, sealer, save, all } = await postroom();
    for (let index = 0; index < 25; index += 1) await save(`a${'abcdefghijklmnopqrstuvwxy'[index]}`);
    const [first] = await all();
    if (first === undefined) throw new TypeError();
    const after = await sealer.rotate();
    const spoilt = { ...first, tokens: { ...first.tokens, refresh: `1.v1.${'A'.repeat(60)}` } };
    await deps.accounts.replace(spoilt, (await deps.accounts.get(first))?.etag ?? '');
    expect(await reencryptTokens(deps, 10)).toEqual({ reencrypted: 9, left: 16 });
    expect(await reencryptTokens(deps, 10)).toEqual({ reencrypted: 9, left: 7 });
    expect(await reencryptTokens(deps, 10)).toEqual({ reencrypted: 6, left: 1 });
    const others = (await all()).filter(({ accountId }) => accountId !== first.accountId);
    expect(new Set(others.flatMap(versionsIn))).toEqual(new Set([after]));
  });
});

/** Accounts without a working provider: only their stored tokens matter. */
async function postroom() {
  const tables = new MemoryTables(openSeam);
  const sealer = createTokenCipher(new MemoryVault());
  const providers = createProviderStore(tables);
  const provider = sampleProvider();
  await providers.save(provider);
  const accounts = createAccountStore(tables);
  const deps: ReencryptDeps = { blobs: new MemoryBlobs(openSeam), providers, accounts, sealer };
  const all = (): Promise<Account[]> => accounts.listOf(provider.id);
  const save = async (prefix: string): Promise<void> => {
    const accountId = prefix.padEnd(26, 'a');
    const at = '2026-11-01T09:00:00.000Z';
    const ref = { providerId: provider.id, accountId };
    const seal = (purpose: 'access' | 'refresh'): Promise<string> =>
      sealer.seal(new Secret('x'), tokenContext(ref, purpose, provider));
    await accounts.save({
      ...ref,
      identity: {
        issuer: 'i',
        subject: accountId,
        tenantId: undefined,
        objectId: undefined,
        user: undefined,
        name: undefined,
      },
      user: 'support@contoso.example',
      address: 'support@contoso.example',
      scopes: [],
      tokens: {
        access: await seal('access'),
        accessExpiresAt: at,
        receivedAt: at,
        refreshAt: at,
        refresh: await seal('refresh'),
        previousRefresh: undefined,
      },
      state: 'ok',
      stateSince: at,
      problem: undefined,
      retryAt: undefined,
      refusedAsOf: undefined,
      refreshBegunAt: undefined,
      consentedAt: at,
      consentedBy: 'Ada',
    });
  };
  return { deps, sealer, save, all };
}
