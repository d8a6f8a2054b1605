import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { dumpTables, type Postroom } from '../harness/stack/installation.ts';

/** A place that a secret could leak to: a log, a page, a row, a blob, a message. */
export interface Place {
  name: string;
  text: string;
}

/** A secret that was entered somewhere, and the places that may contain it. */
export interface Canary {
  name: string;
  value: string;
  allowedAt?: RegExp;
}

/** What no place may contain, whatever its value: tokens by their format. */
const shapes: readonly { name: string; pattern: RegExp; allowedAt?: RegExp }[] = [
  { name: 'a signed token', pattern: /eyJ[\w-]{20,}\.eyJ[\w-]{20,}\.[\w-]{20,}/ },
  // An encrypted one has the same format; there the canary distinguishes them.
  { name: 'a refresh token', pattern: /\b1\.[\w-]{10,}\.[\w-]{800,}/, allowedAt: /^table Accounts\// },
  { name: 'a private key', pattern: /PRIVATE KEY/ },
  // PKCS #8 of an RSA key in base64: version 0 and the algorithm follow the length.
  { name: 'a private key without its frame', pattern: /MII[A-Za-z0-9+/]{2,4}IBADANBgkqhkiG9w0BAQEF/ },
];

/** Every leak as `secret in place`. */
export function leaksIn(places: readonly Place[], canaries: readonly Canary[]): string[] {
  return places.flatMap(({ name: place, text }) => [
    ...canaries
      .filter(
        ({ value, allowedAt }) =>
          allowedAt?.test(place) !== true && writings(value).some((one) => text.includes(one)),
      )
      .map(({ name }) => `${name} in ${place}`),
    ...shapes
      .filter(({ pattern, allowedAt }) => allowedAt?.test(place) !== true && pattern.test(text))
      .map(({ name }) => `${name} in ${place}`),
  ]);
}

/** A value as it is, in a URL, in HTML and in base64. */
function writings(value: string): string[] {
  const html = value.replaceAll('&', '&amp;').replaceAll('+', '&#43;');
  const base64 = Buffer.from(value).toString('base64').replace(/=+$/, '');
  return [...new Set([value, encodeURIComponent(value), html, base64])];
}

/** Every value in the vault: client secrets, private keys, the encryption key. */
export function valuesInVault({ folder }: Postroom): Canary[] {
  const state = JSON.parse(readFileSync(join(folder, 'key-vault/vault.json'), 'utf8')) as {
    live: [name: string, versions: { value: string }[]][];
    deleted: [name: string, deleted: { versions?: { value: string }[] }][];
  };
  return state.live.flatMap(([name, versions]) =>
    versions.map(({ value }, index) => ({ name: `vault ${name} #${index}`, value })),
  );
}

/** Tables, blobs and queues; each row, blob and message is a separate place. */
export async function placesInStorage({ stack }: Postroom): Promise<Place[]> {
  const { connectionString } = stack.storage;
  const places: Place[] = [...(await dumpTables(connectionString))].map(([key, text]) => ({
    name: `table ${key}`,
    text,
  }));
  const blobs = BlobServiceClient.fromConnectionString(connectionString);
  for await (const { name: container } of blobs.listContainers())
    for await (const { name } of blobs.getContainerClient(container).listBlobsFlat()) {
      const bytes = await blobs.getContainerClient(container).getBlobClient(name).downloadToBuffer();
      places.push({ name: `blob ${name}`, text: bytes.toString('utf8') });
    }
  const queues = QueueServiceClient.fromConnectionString(connectionString);
  for await (const { name } of queues.listQueues()) {
    const { peekedMessageItems } = await queues.getQueueClient(name).peekMessages({ numberOfMessages: 32 });
    for (const { messageText } of peekedMessageItems) {
      places.push({ name: `queue ${name}`, text: messageText });
      places.push({ name: `queue ${name}`, text: Buffer.from(messageText, 'base64').toString('utf8') });
    }
  }
  return places;
}
