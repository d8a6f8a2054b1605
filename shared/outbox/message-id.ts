import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { PostroomError } from '../platform/errors.ts';
import type { Seam } from '../platform/seam.ts';
import { Secret } from '../platform/secret.ts';
import type { Vault } from '../platform/vault.ts';
import type { OutboxRef } from './outbox-message.ts';

// `<ticketId.id.version.tag@domain>`: `version` is the start of the key's version in the vault, `tag` the first 128
// bits of HMAC-SHA-256 over what is before it and the domain. Only small letters, digits and dots, so that it survives
// servers that change the case. An answer to it names it in In-Reply-To or References, and so proves that its sender
// had an email of that ticket; without the tag, ticket IDs could be guessed or copied from elsewhere.

export const messageIdKeyName = 'postroom-message-id-key';
const KEY_BYTES = 32;
const VERSION_CHARACTERS = 8;
const TAG_CHARACTERS = 32;
/** How long a process uses a key that was replaced; all versions can be verified as long as the vault has them. */
const NEWEST_MS = 60 * 60_000;

const PARTS = new RegExp(
  `^<?([\\w-]{1,64})\\.([a-z0-9]{1,32})\\.([0-9a-z]{1,${VERSION_CHARACTERS}})\\.([0-9a-f]{${TAG_CHARACTERS}})@([a-z0-9.-]{1,253})>?$`,
);

/** Message-IDs of emails of tickets. Both methods throw PostroomError when the vault is unavailable. */
export interface MessageIds {
  /** The Message-ID of an email. Fixed when it is composed; a later key gives another one. */
  make(ref: OutboxRef, domain: string): Promise<string>;
  /** The email with this Message-ID, if Postroom made it; undefined for every other, without asking the vault. */
  read(messageId: string): Promise<OutboxRef | undefined>;
}

interface Key {
  version: string;
  bytes: Buffer;
}

/** With a key in the vault, made at first use. Versions stay readable after a rotation. */
export function createMessageIds(vault: Vault, seam: Pick<Seam, 'now'>): MessageIds {
  const known = new Map<string, Key>();
  let newest: { key: Key; until: number } | undefined;
  /** Version starts that the vault does not have, and until when that is believed. */
  const absent = new Map<string, number>();

  async function newestKey(): Promise<Key> {
    if (newest !== undefined && newest.until > seam.now()) return newest.key;
    const stored = await vault.get(messageIdKeyName);
    const key = stored === undefined ? await makeKey(vault) : { ...stored, bytes: bytesOf(stored.value) };
    newest = { key, until: seam.now() + NEWEST_MS };
    known.set(shortOf(key.version), key);
    return key;
  }

  async function keyOf(short: string): Promise<Key | undefined> {
    const cached = known.get(short);
    if (cached !== undefined) return cached;
    if ((absent.get(short) ?? 0) > seam.now()) return undefined;
    const versions = await vault.versionsOf(messageIdKeyName);
    const version = versions.find((each) => each.version !== undefined && shortOf(each.version) === short);
    const stored = version?.enabled === true ? await vault.get(messageIdKeyName, version.version) : undefined;
    if (stored === undefined) {
      // Anybody may send Message-IDs with made-up versions; each vault request costs money.
      if (absent.size >= ABSENT_KEPT) absent.clear();
      absent.set(short, seam.now() + NEWEST_MS);
      return undefined;
    }
    const key = { version: stored.version, bytes: bytesOf(stored.value) };
    known.set(short, key);
    return key;
  }

  return {
    async make(ref, domain) {
      const key = await newestKey();
      const signed = signedPart(ref, shortOf(key.version));
      return `<${signed}.${tagOf(key, signed, domain)}@${domain.toLowerCase()}>`;
    },
    async read(messageId) {
      const parts = PARTS.exec(messageId.trim().toLowerCase());
      if (parts === null) return undefined;
      const [, ticketId = '', id = '', version = '', tag = '', domain = ''] = parts;
      const ref = { ticketId, id };
      const key = await keyOf(version);
      if (key === undefined) return undefined;
      const expected = Buffer.from(tagOf(key, signedPart(ref, version), domain));
      return timingSafeEqual(expected, Buffer.from(tag)) ? ref : undefined;
    },
  };
}

const ABSENT_KEPT = 1_000;
const shortOf = (version: string): string => version.slice(0, VERSION_CHARACTERS).toLowerCase();
const signedPart = ({ ticketId, id }: OutboxRef, version: string): string => `${ticketId}.${id}.${version}`;

const tagOf = ({ bytes }: Key, signed: string, domain: string): string =>
  createHmac('sha256', bytes)
    .update(`${signed}@${domain.toLowerCase()}`)
    .digest('hex')
    .slice(0, TAG_CHARACTERS);

async function makeKey(vault: Vault): Promise<Key> {
  const made = new Secret(randomBytes(KEY_BYTES).toString('base64'));
  const { version } = await vault.set(messageIdKeyName, made, {
    contentType: 'application/octet-stream;base64',
  });
  return { version, bytes: bytesOf(made) };
}

function bytesOf(value: Secret): Buffer {
  const bytes = Buffer.from(value.expose(), 'base64');
  if (bytes.byteLength === KEY_BYTES) return bytes;
  throw new PostroomError(
    'bad-encryption-key',
    `The secret ${messageIdKeyName} must be ${KEY_BYTES} bytes in base64.`,
  );
}
