/** Tokens under the data key of the vault: what opens, what does not, and when a newer key is asked for. */
import { beforeEach, describe, expect, test } from 'vitest';
import { createTokenCipher, dataKeyName, versionOfSealed } from '../../shared/accounts/token-encryption.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { openSeam, type Seam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { MemoryVault } from '../harness/memory/memory-vault.ts';

const HOUR_MS = 3_600_000;
const unreadable = expect.objectContaining({ code: 'sealed-unreadable' });

describe('a sealer', () => {
  let now = 0;
  let calls: string[] = [];
  let isVaultAway = false;
  let vault: MemoryVault;
  const clock = { now: () => now };
  const seam: Seam = {
    ...openSeam,
    now: () => now,
    call: (name, run) => {
      calls.push(name);
      if (isVaultAway) throw new PostroomError('key-vault', 'Away.');
      return openSeam.call(name, run);
    },
  };
  const open = () => createTokenCipher(vault, clock);
  beforeEach(() => {
    now = Date.parse('2026-11-24T10:00:00.000Z');
    calls = [];
    isVaultAway = false;
    vault = new MemoryVault(seam);
  });
  const opened = async (sealed: string, context = 'c', sealer = open()): Promise<string> =>
    (await sealer.open(sealed, context)).expose();

  test('opens what it sealed, in this process and in another one', async () => {
    const sealer = open();
    const sealed = await sealer.seal(new Secret('tökén'), 'c');
    expect(sealed).not.toContain('tökén');
    expect(await opened(sealed, 'c', sealer)).toBe('tökén');
    expect(await opened(sealed)).toBe('tökén');
    expect(await opened(await sealer.seal(new Secret(''), 'c'))).toBe('');
  });

  test('seals the same text differently each time', async () => {
    const sealer = open();
    const texts = await Promise.all([1, 2, 3].map(() => sealer.seal(new Secret('t'), 'c')));
    expect(new Set(texts.map((text) => text.split('.')[2]?.slice(0, 16))).size).toBe(3);
  });

  test('opens nothing of another format, though all else is right', async () => {
    const sealed = await open().seal(new Secret('t'), 'c');
    await expect(opened(sealed.replace(/^1/, '2'))).rejects.toEqual(unreadable);
  });

  test('opens nothing for another purpose', async () => {
    const sealed = await open().seal(new Secret('t'), 'c');
    await expect(opened(sealed, 'd')).rejects.toEqual(unreadable);
  });

  test('opens nothing of which a bit was changed, and says nothing of it', async () => {
    const sealed = await open().seal(new Secret('a-secret-token'), 'c');
    const [format, version, body = ''] = sealed.split('.');
    const bytes = Buffer.from(body, 'base64url');
    for (const at of [0, 11, 12, bytes.length - 17, bytes.length - 16, bytes.length - 1]) {
      const other = Buffer.from(bytes);
      other[at] = (other[at] ?? 0) ^ 1;
      const error = await opened(`${format}.${version}.${other.toString('base64url')}`).catch(
        (e: unknown) => e,
      );
      expect(error).toEqual(unreadable);
      expect(error).toHaveProperty('cause', expect.any(Error));
      expect(String(error)).not.toContain('a-secret-token');
    }
  });

  test.each(['', '1', '1.v1', '2.v1.AAAA', '1.v1.AAAA', 'text', '1.v9.'.padEnd(60, 'A')])(
    'opens nothing of %j',
    async (sealed) => {
      await open().ready();
      await expect(opened(sealed)).rejects.toEqual(unreadable);
    },
  );

  test('takes the shortest text that can be one for one, and no shorter one', async () => {
    await open().ready();
    calls = [];
    await expect(opened(`1.v1.${Buffer.alloc(27).toString('base64url')}`)).rejects.toEqual(unreadable);
    expect(calls).toEqual([]);
    await expect(opened(`1.v1.${Buffer.alloc(28).toString('base64url')}`)).rejects.toEqual(unreadable);
    expect(calls).toEqual(['vault.get']);
  });

  test('names the version of the key in what it seals', async () => {
    expect(versionOfSealed(await open().seal(new Secret('t'), 'c'))).toBe('v1');
    expect(versionOfSealed('2.v1.AAAA')).toBeUndefined();
    expect(versionOfSealed('')).toBeUndefined();
  });

  test('makes the key once, of 32 bytes that the vault alone keeps', async () => {
    await open().ready();
    await open().ready();
    expect(vault.versions.get(dataKeyName)).toHaveLength(1);
    const [key] = vault.versions.get(dataKeyName) ?? [];
    expect(Buffer.from(key?.value.expose() ?? '', 'base64')).toHaveLength(32);
    expect(key?.contentType).toBe('application/octet-stream;base64');
  });

  test('asks the vault once for many at once, and not again for an hour', async () => {
    const sealer = open();
    await sealer.ready();
    calls = [];
    const other = open();
    await Promise.all([other.ready(), other.seal(new Secret('t'), 'c'), other.ready()]);
    expect(calls).toEqual(['vault.get']);
    now += HOUR_MS - 1;
    await other.seal(new Secret('t'), 'c');
    expect(calls).toEqual(['vault.get']);
    now += 1;
    await other.seal(new Secret('t'), 'c');
    expect(calls).toEqual(['vault.get', 'vault.get']);
  });

  test('asks again after the vault was away, and not only once', async () => {
    const sealer = open();
    isVaultAway = true;
    await expect(sealer.ready()).rejects.toMatchObject({ code: 'key-vault' });
    isVaultAway = false;
    await sealer.ready();
    expect(await opened(await sealer.seal(new Secret('t'), 'c'))).toBe('t');
  });

  test('goes on with the key it has while the vault is away', async () => {
    const sealer = open();
    await sealer.ready();
    now += 2 * HOUR_MS;
    isVaultAway = true;
    const sealed = await sealer.seal(new Secret('t'), 'c');
    expect(await opened(sealed, 'c', sealer)).toBe('t');
  });

  test('opens with a key of before, asked for once', async () => {
    const old = await open().seal(new Secret('t'), 'c');
    const sealer = open();
    expect(await sealer.rotate()).toBe('v2');
    expect(versionOfSealed(await sealer.seal(new Secret('t'), 'c'))).toBe('v2');
    calls = [];
    expect(await opened(old, 'c', sealer)).toBe('t');
    expect(await opened(old, 'c', sealer)).toBe('t');
    expect(calls).toEqual(['vault.get']);
  });

  test('learns of a newer key when it is asked, and seals with it from then on', async () => {
    const sealer = open();
    await sealer.ready();
    await open().rotate();
    expect(versionOfSealed(await sealer.seal(new Secret('t'), 'c'))).toBe('v1');
    expect(await sealer.newestVersion()).toBe('v2');
    expect(versionOfSealed(await sealer.seal(new Secret('t'), 'c'))).toBe('v2');
  });

  test('uses no key that is none of ours', async () => {
    for (const bytes of [31, 33]) {
      await vault.set(dataKeyName, new Secret(Buffer.alloc(bytes).toString('base64')), { contentType: 'x' });
      await expect(open().ready()).rejects.toMatchObject({ code: 'bad-data-key' });
    }
  });
});
