/** The monitor that re-encrypts tokens under the newest encryption key: bounded, and without losing a token. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Account, type EncryptedTokens, tokenContext } from '../../shared/accounts/account.ts';
import { createAccountStore } from '../../shared/accounts/account-store.ts';
import {
  countUnderOlderKeys,
  type ReencryptDeps,
  reencryptTokens,
} from '../../shared/accounts/reencrypt-tokens.ts';
import {
  createTokenCipher,
  type TokenCipher,
  versionOfSealed,
} from '../../shared/accounts/token-encryption.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { openSeam, type SeamPoint } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { createProviderStore } from '../../shared/providers/provider-store.ts';
import { MemoryBlobs } from '../harness/memory/memory-blobs.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { MemoryVault } from '../harness/memory/memory-vault.ts';
import { sampleAccount } from '../harness/memory/sample-account.ts';
import { sampleProvider } from '../harness/memory/sample-provider.ts';

type Held = Partial<Record<'access' | 'refresh' | 'previousRefresh', string>>;
const all: Held = { access: 'A', refresh: 'R', previousRefresh: 'P' };
const provider = sampleProvider();
const idOf = (letter: string): string => letter.repeat(26);

let before: (point: SeamPoint) => Promise<void>;
let blobs: MemoryBlobs;
let sealer: TokenCipher;
let deps: ReencryptDeps & { accounts: ReturnType<typeof createAccountStore> };
let warnings: string[];
afterEach(() => void vi.restoreAllMocks());
beforeEach(async () => {
  warnings = [];
  vi.spyOn(console, 'warn').mockImplementation((line: string) => void warnings.push(line));
  before = async () => {};
  const seam = {
    ...openSeam,
    call: async <T>(point: SeamPoint, effect: () => Promise<T>): Promise<T> => {
      await before(point);
      return effect();
    },
  };
  const tables = new MemoryTables(seam);
  blobs = new MemoryBlobs(seam);
  sealer = createTokenCipher(new MemoryVault());
  const providers = createProviderStore(tables);
  await providers.save(provider);
  deps = { blobs, providers, accounts: createAccountStore(tables), sealer };
});

async function save(letter: string, held: Held, change: Partial<Account> = {}): Promise<Account> {
  const account = sampleAccount({ providerId: provider.id, accountId: idOf(letter), ...change });
  const seal = async (text: string | undefined, purpose: 'access' | 'refresh') =>
    text && (await sealer.seal(new Secret(text), tokenContext(account, purpose, provider)));
  const tokens: EncryptedTokens = {
    ...account.tokens,
    access: await seal(held.access, 'access'),
    refresh: await seal(held.refresh, 'refresh'),
    previousRefresh: await seal(held.previousRefresh, 'refresh'),
  };
  const whole = { ...account, tokens };
  await deps.accounts.save(whole);
  return whole;
}

async function row(account: Account): Promise<Account> {
  const stored = await deps.accounts.get(account);
  if (stored === undefined) throw new Error('no row');
  return stored.account;
}

/** The decrypted tokens of the row, and the versions of the key they are encrypted under. */
async function opened(account: Account) {
  const { tokens } = await row(account);
  const open = async (sealed: string | undefined, purpose: 'access' | 'refresh') =>
    sealed && (await sealer.open(sealed, tokenContext(account, purpose, provider))).expose();
  const { access, refresh, previousRefresh } = tokens;
  return {
    held: {
      access: await open(access, 'access'),
      refresh: await open(refresh, 'refresh'),
      previousRefresh: await open(previousRefresh, 'refresh'),
    },
    versions: [access, refresh, previousRefresh].map((sealed) => sealed && versionOfSealed(sealed)),
  };
}

describe('an account under an older key', () => {
  test('has all its tokens re-encrypted, each for its own purpose, and nothing else changed', async () => {
    const account = await save('a', all);
    await sealer.rotate();
    expect(await countUnderOlderKeys(deps, 'v2')).toBe(1);
    expect(await reencryptTokens(deps)).toEqual({ reencrypted: 1, left: 0 });
    expect(await opened(account)).toEqual({ held: all, versions: ['v2', 'v2', 'v2'] });
    const { tokens, ...others } = await row(account);
    const { tokens: earlier, ...same } = account;
    expect(others).toEqual(same);
    expect(tokens).toMatchObject({
      accessExpiresAt: earlier.accessExpiresAt,
      refreshAt: earlier.refreshAt,
      receivedAt: earlier.receivedAt,
    });
    expect(await countUnderOlderKeys(deps, 'v2')).toBe(0);
    expect(await reencryptTokens(deps)).toEqual({ reencrypted: 0, left: 0 });
  });

  test.each<Held>([{ access: 'A' }, { refresh: 'R' }, { previousRefresh: 'P' }])(
    'is also found when it has only %j',
    async (held) => {
      const account = await save('a', held);
      await sealer.rotate();
      expect(await reencryptTokens(deps)).toEqual({ reencrypted: 1, left: 0 });
      expect((await opened(account)).held).toEqual({
        access: undefined,
        refresh: undefined,
        previousRefresh: undefined,
        ...held,
      });
    },
  );

  test('is skipped while it is being refreshed, or if its last refresh never finished', async () => {
    const account = await save('a', all);
    const begun = await save('b', all, { refreshBegunAt: '2026-11-24T12:00:00.000Z' });
    await sealer.rotate();
    const lease = await blobs.lease(`lease/account-${account.accountId}`, 60);
    expect(await reencryptTokens(deps)).toEqual({ reencrypted: 0, left: 2 });
    expect(await row(account)).toEqual(account);
    expect(await row(begun)).toEqual(begun);
    await lease?.release();
    expect(await reencryptTokens(deps)).toEqual({ reencrypted: 1, left: 1 });
  });

  test('that was removed or re-encrypted by another process meanwhile is not written', async () => {
    const removed = await save('a', all);
    const done = await save('b', all);
    await sealer.rotate();
    const other = await save('b', { access: 'new', refresh: 'new' });
    await deps.accounts.save(done);
    before = async (point) => {
      if (point !== 'blob.lease') return;
      before = async () => {};
      await deps.accounts.remove(removed);
      await deps.accounts.save(other);
    };
    expect(await reencryptTokens(deps)).toEqual({ reencrypted: 1, left: 1 });
    expect(await deps.accounts.get(removed)).toBeUndefined();
    expect(warnings).toEqual([]);
    expect(await row(done)).toEqual(other);
  });

  test('whose row changes under the lease keeps that change', async () => {
    const account = await save('a', all);
    await sealer.rotate();
    const changed = { ...account, user: 'new@contoso.example' };
    before = async (point) => {
      if (point !== 'table.Accounts.commit') return;
      before = async () => {};
      await deps.accounts.save(changed);
    };
    expect(await reencryptTokens(deps)).toEqual({ reencrypted: 0, left: 1 });
    expect(await row(account)).toEqual(changed);
  });

  test('that cannot be decrypted does not stop the others, and is named in the log', async () => {
    const spoilt = await save('a', all);
    await deps.accounts.save({ ...spoilt, tokens: { ...spoilt.tokens, refresh: `1.v1.${'A'.repeat(60)}` } });
    const account = await save('b', all);
    await sealer.rotate();
    expect(await reencryptTokens(deps)).toEqual({ reencrypted: 1, left: 1 });
    expect((await opened(account)).versions).toEqual(['v2', 'v2', 'v2']);
    expect(warnings.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({
        account: spoilt.accountId,
        error: expect.stringContaining('sealed-unreadable: '),
      }),
    ]);
  });

  test('can be refreshed afterwards, whatever the result', async () => {
    const spoilt = await save('a', all);
    await deps.accounts.save({ ...spoilt, tokens: { ...spoilt.tokens, refresh: `1.v1.${'A'.repeat(60)}` } });
    await save('b', all);
    await sealer.rotate();
    await reencryptTokens(deps);
    for (const letter of ['a', 'b'])
      expect(await blobs.lease(`lease/account-${idOf(letter)}`, 60)).toBeDefined();
  });

  test('counts as re-encrypted even if its lease cannot be released', async () => {
    await save('a', all);
    await sealer.rotate();
    before = async (point) => {
      if (point === 'blob.release') throw new PostroomError('blob-storage', 'Away.');
    };
    expect(await reencryptTokens(deps)).toEqual({ reencrypted: 1, left: 0 });
  });
});

describe('a run', () => {
  test('processes up to its limit, and returns how many are left', async () => {
    for (const letter of 'abcde') await save(letter, { refresh: 'R' });
    await sealer.rotate();
    expect(await reencryptTokens(deps, 2)).toEqual({ reencrypted: 2, left: 3 });
    expect(await reencryptTokens(deps, 2)).toEqual({ reencrypted: 2, left: 1 });
    expect(await reencryptTokens(deps, 2)).toEqual({ reencrypted: 1, left: 0 });
  });
});
