/** Tokens under the encryption key of the vault: which can be decrypted, and when a newer key is read. */
import { beforeEach, describe, expect, test } from 'vitest';
import {
  createTokenCipher,
  encryptionKeyName,
  versionOfSealed,
} from '../../shared/accounts/token-encryption.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { openSeam, type Seam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { MemoryVault } from '../harness/memory/memory-vault.ts';

const HOUR_MS = 3_600_000;
const unreadable = expect.objectContaining({ code: 'sealed-unreadable' });

describe('token encryption', () => {
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

  test('decrypts its own output, in this process and in another one', async () => {
    const sealer = open();
    const sealed = await sealer.seal(new Secret('tökén'), 'c');
    expect(sealed).not.toContain('tökén');
    expect(await opened(sealed, 'c', sealer)).toBe('tökén');
    expect(await opened(sealed)).toBe('tökén');
    expect(await opened(await sealer.seal(new Secret(''), 'c'))).toBe('');
  });

  test('encrypts the same text differently each time', async () => {
    const sealer = open();
    const texts = await Promise.all([1, 2, 3].map(() => sealer.seal(new Secret('t'), 'c')));
    expect(new Set(texts.map((text) => text.split('.')[2]?.slice(0, 16))).size).toBe(3);
  });

  test('rejects another format, even if all else is right', async () => {
    const sealed = await open().seal(new Secret('t'), 'c');
    await expect(opened(sealed.replace(/^1/, '2'))).rejects.toEqual(unreadable);
  });

  test('rejects another purpose', async () => {
    const sealed = await open().seal(new Secret('t'), 'c');
    await expect(opened(sealed, 'd')).rejects.toEqual(unreadable);
  });

  test('rejects a changed bit, without details', async () => {
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
    'rejects %j',
    async (sealed) => {
      await open().ready();
      await expect(opened(sealed)).rejects.toEqual(unreadable);
    },
  );

  test('accepts the shortest possible text, and rejects a shorter one', async () => {
    await open().ready();
    calls = [];
    await expect(opened(`1.v1.${Buffer.alloc(27).toString('base64url')}`)).rejects.toEqual(unreadable);
    expect(calls).toEqual([]);
    await expect(opened(`1.v1.${Buffer.alloc(28).toString('base64url')}`)).rejects.toEqual(unreadable);
    expect(calls).toEqual(['vault.get']);
  });

  test('writes the key version into its output', async () => {
    expect(versionOfSealed(await open().seal(new Secret('t'), 'c'))).toBe('v1');
    expect(versionOfSealed('2.v1.AAAA')).toBeUndefined();
    expect(versionOfSealed('')).toBeUndefined();
  });

  test('creates the key once, with 32 bytes that only the vault stores', async () => {
    await open().ready();
    await open().ready();
    expect(vault.versions.get(encryptionKeyName)).toHaveLength(1);
    const [key] = vault.versions.get(encryptionKeyName) ?? [];
    expect(Buffer.from(key?.value.expose() ?? '', 'base64')).toHaveLength(32);
    expect(key?.contentType).toBe('application/octet-stream;base64');
  });

  test('reads the vault once for concurrent calls, and then not for an hour', async () => {
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

  test('reads the vault again after each failure', async () => {
    const sealer = open();
    isVaultAway = true;
    await expect(sealer.ready()).rejects.toMatchObject({ code: 'key-vault' });
    isVaultAway = false;
    await sealer.ready();
    expect(await opened(await sealer.seal(new Secret('t'), 'c'))).toBe('t');
  });

  test('continues with its current key while the vault is unavailable', async () => {
    const sealer = open();
    await sealer.ready();
    now += 2 * HOUR_MS;
    isVaultAway = true;
    const sealed = await sealer.seal(new Secret('t'), 'c');
    expect(await opened(sealed, 'c', sealer)).toBe('t');
  });

  test('decrypts with a previous key, which it reads once', async () => {
    const old = await open().seal(new Secret('t'), 'c');
    const sealer = open();
    expect(await sealer.rotate()).toBe('v2');
    expect(versionOfSealed(await sealer.seal(new Secret('t'), 'c'))).toBe('v2');
    calls = [];
    expect(await opened(old, 'c', sealer)).toBe('t');
    expect(await opened(old, 'c', sealer)).toBe('t');
    expect(calls).toEqual(['vault.get']);
  });

  test('finds a newer key when asked to, and encrypts with it from then on', async () => {
    const sealer = open();
    await sealer.ready();
    await open().rotate();
    expect(versionOfSealed(await sealer.seal(new Secret('t'), 'c'))).toBe('v1');
    expect(await sealer.newestVersion()).toBe('v2');
    expect(versionOfSealed(await sealer.seal(new Secret('t'), 'c'))).toBe('v2');
  });

  test('rejects a key that is not ours', async () => {
    for (const bytes of [31, 33]) {
      await vault.set(encryptionKeyName, new Secret(Buffer.alloc(bytes).toString('base64')), {
        contentType: 'x',
      });
      await expect(open().ready()).rejects.toMatchObject({ code: 'bad-encryption-key' });
    }
  });
});
