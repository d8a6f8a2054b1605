import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { PostroomError } from '../platform/errors.ts';
import { openSeam, type Seam } from '../platform/seam.ts';
import { Secret } from '../platform/secret.ts';
import type { Vault } from '../platform/vault.ts';

export const encryptionKeyName = 'postroom-encryption-key';
const FORMAT = '1';
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
/**
 * How long a process may keep using an encryption key that was replaced. This is harmless: old versions
 * stay readable, and the monitor re-encrypts.
 */
const NEWEST_MS = 60 * 60_000;

/** Encrypts stored values with a key from Key Vault. */
export interface TokenCipher {
  /**
   * Fetches the key, so that a later `seal` can't fail. Call it before receiving anything that can be
   * received only once.
   */
  ready(): Promise<void>;
  /**
   * `context` names the owner and the purpose of the value; text sealed for one context can't be opened
   * with another.
   */
  seal(plain: Secret, context: string): Promise<string>;
  /** @throws PostroomError `sealed-unreadable` when the key is gone or the text was changed */
  open(sealed: string, context: string): Promise<Secret>;
  /** The newest version of the encryption key, read from the vault; used from now on. */
  newestVersion(): Promise<string>;
  /** Creates a new version of the encryption key, used from now on. Older sealed texts stay readable. */
  rotate(): Promise<string>;
}

/** The version of the encryption key that sealed a text; undefined when the text is not sealed. */
export function versionOfSealed(sealed: string): string | undefined {
  const [format, version] = sealed.split('.');
  return format === FORMAT ? version : undefined;
}

interface EncryptionKey {
  bytes: Buffer;
  version: string;
}

/**
 * AES-256-GCM (NIST SP 800-38D) with the encryption key from the vault, created at first use. Two processes
 * that create it at the same time leave two versions; both stay readable, because each sealed text names
 * its version.
 */
export function createTokenCipher(vault: Vault, seam: Pick<Seam, 'now'> = openSeam): TokenCipher {
  const byVersion = new Map<string, Buffer>();
  /** The current key, and until when the vault is not asked for a newer one. */
  let cached: { key: EncryptionKey; until: number } | undefined;
  let asking: Promise<EncryptionKey> | undefined;

  async function ask(make: () => Promise<EncryptionKey>): Promise<EncryptionKey> {
    const key = await make();
    byVersion.set(key.version, key.bytes);
    cached = { key, until: seam.now() + NEWEST_MS };
    return key;
  }

  async function currentKey(): Promise<EncryptionKey> {
    if (cached !== undefined && cached.until > seam.now()) return cached.key;
    asking ??= ask(() => fetchOrMake(vault)).finally(() => {
      asking = undefined;
    });
    try {
      return await asking;
    } catch (error) {
      // A key that may have been replaced still works; after `ready`, sealing must not fail.
      if (cached !== undefined) return cached.key;
      throw error;
    }
  }

  async function keyOfVersion(version: string): Promise<Buffer> {
    const known = byVersion.get(version);
    if (known !== undefined) return known;
    const entry = await vault.get(encryptionKeyName, version);
    if (entry === undefined) throw unreadable();
    const bytes = bytesOf(entry.value);
    byVersion.set(version, bytes);
    return bytes;
  }

  return {
    async ready() {
      await currentKey();
    },
    async newestVersion() {
      return (await ask(() => fetchOrMake(vault))).version;
    },
    async rotate() {
      return (await ask(() => makeKey(vault))).version;
    },
    async seal(plain, context) {
      const key = await currentKey();
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key.bytes, iv).setAAD(Buffer.from(context));
      const text = Buffer.concat([cipher.update(plain.expose(), 'utf8'), cipher.final()]);
      const body = Buffer.concat([iv, text, cipher.getAuthTag()]);
      return [FORMAT, key.version, body.toString('base64url')].join('.');
    },
    async open(sealed, context) {
      const [format, version, encoded] = sealed.split('.');
      if (format !== FORMAT || version === undefined || encoded === undefined) throw unreadable();
      const body = Buffer.from(encoded, 'base64url');
      if (body.byteLength < IV_BYTES + TAG_BYTES) throw unreadable();
      const key = await keyOfVersion(version);
      const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, IV_BYTES), {
        authTagLength: TAG_BYTES,
      })
        .setAAD(Buffer.from(context))
        .setAuthTag(body.subarray(-TAG_BYTES));
      try {
        const text = decipher.update(body.subarray(IV_BYTES, -TAG_BYTES));
        return new Secret(Buffer.concat([text, decipher.final()]).toString('utf8'));
      } catch (cause) {
        throw unreadable(cause);
      }
    },
  };
}

async function fetchOrMake(vault: Vault): Promise<EncryptionKey> {
  const there = await vault.get(encryptionKeyName);
  return there === undefined ? makeKey(vault) : { bytes: bytesOf(there.value), version: there.version };
}

async function makeKey(vault: Vault): Promise<EncryptionKey> {
  const made = new Secret(randomBytes(KEY_BYTES).toString('base64'));
  const { version } = await vault.set(encryptionKeyName, made, {
    contentType: 'application/octet-stream;base64',
  });
  return { bytes: bytesOf(made), version };
}

function bytesOf(value: Secret): Buffer {
  const bytes = Buffer.from(value.expose(), 'base64');
  if (bytes.byteLength === KEY_BYTES) return bytes;
  throw new PostroomError(
    'bad-encryption-key',
    `The secret ${encryptionKeyName} must be ${KEY_BYTES} bytes in base64.`,
  );
}

const unreadable = (cause?: unknown): PostroomError =>
  new PostroomError(
    'sealed-unreadable',
    'Stored tokens cannot be decrypted with the encryption key in Key Vault.',
    {
      cause,
    },
  );
