import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import { isIP, isIPv4 } from 'node:net';
import { join } from 'node:path';
import { readIfThere, writeAtomically } from './state-file.ts';

/** PEM texts. `ca` belongs in NODE_EXTRA_CA_CERTS; its private key is thrown away after signing. */
export interface Certificates {
  ca: string;
  cert: string;
  key: string;
}

export interface CertificateOptions {
  hosts?: readonly string[];
  /** Days of validity from `now`. */
  days?: number;
  now?: Date;
}

const HOSTS = ['localhost', '127.0.0.1', '::1'] as const;
const DAY = 86_400_000;
/** A kept certificate with fewer days left is replaced, so that a long session does not outlive it. */
const RENEW_BELOW_DAYS = 14;

// DER, as far as X.509 (RFC 5280) needs it here.
const lengthOf = (n: number): Buffer =>
  n < 128 ? Buffer.from([n]) : n < 256 ? Buffer.from([0x81, n]) : Buffer.from([0x82, n >> 8, n & 255]);
const tagged = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body]);
};
const bytes = (...values: number[]): Buffer => Buffer.from(values);
const sequence = (...parts: readonly Uint8Array[]): Buffer => tagged(0x30, ...parts);
const octets = (part: Uint8Array): Buffer => tagged(0x04, part);
const bits = (part: Uint8Array, unused = 0): Buffer => tagged(0x03, bytes(unused), part);
const yes = tagged(0x01, bytes(255));
const integer = (part: Buffer): Buffer =>
  // A first byte above 0x7f would read as a negative number.
  tagged(0x02, (part[0] ?? 0) & 0x80 ? Buffer.concat([bytes(0), part]) : part);

function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const out = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 127];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      groups.unshift((left & 127) | 128);
    out.push(...groups);
  }
  return tagged(0x06, bytes(...out));
}

function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, '');
  // UTCTime until 2049, GeneralizedTime after (RFC 5280 section 4.1.2.5).
  return date.getUTCFullYear() < 2050
    ? tagged(0x17, Buffer.from(digits.slice(2)))
    : tagged(0x18, Buffer.from(digits));
}

const commonName = (name: string): Buffer =>
  sequence(tagged(0x31, sequence(objectId('2.5.4.3'), tagged(0x0c, Buffer.from(name)))));
const ecdsaWithSha256 = sequence(objectId('1.2.840.10045.4.3.2'));
const extension = (id: string, critical: boolean, value: Uint8Array): Buffer =>
  sequence(objectId(id), ...(critical ? [yes] : []), octets(value));
const spki = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });
/** SHA-1 of the public key's bits, the first method of RFC 5280 section 4.2.1.2; 65 bytes on P-256. */
const keyId = (key: KeyObject): Buffer => createHash('sha1').update(spki(key).subarray(-65)).digest();

function ipBytes(address: string): Buffer {
  if (isIPv4(address)) return bytes(...address.split('.').map(Number));
  const [left = '', right = ''] = address.split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right === '' ? [] : right.split(':');
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  return Buffer.concat(groups.map((group) => Buffer.from(group.padStart(4, '0'), 'hex')));
}

interface Request {
  subject: string;
  issuer: string;
  publicKey: KeyObject;
  issuerPublicKey: KeyObject;
  issuerPrivateKey: KeyObject;
  from: Date;
  until: Date;
  extensions: readonly Buffer[];
}

function certificate(request: Request): string {
  const toBeSigned = sequence(
    tagged(0xa0, integer(bytes(2))),
    // A serial number that began with a zero would be padded, which no reader takes (X.690 section 8.3.2).
    integer(Buffer.concat([bytes(1), randomBytes(15)])),
    ecdsaWithSha256,
    commonName(request.issuer),
    sequence(time(request.from), time(request.until)),
    commonName(request.subject),
    spki(request.publicKey),
    tagged(
      0xa3,
      sequence(
        ...request.extensions,
        extension('2.5.29.14', false, octets(keyId(request.publicKey))),
        extension('2.5.29.35', false, sequence(tagged(0x80, keyId(request.issuerPublicKey)))),
      ),
    ),
  );
  const der = sequence(
    toBeSigned,
    ecdsaWithSha256,
    bits(sign('sha256', toBeSigned, request.issuerPrivateKey)),
  );
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** A private CA and one server certificate (P-256, SHA-256) for the given names. */
export function makeCertificates(options: CertificateOptions = {}): Certificates {
  const hosts = options.hosts ?? HOSTS;
  const now = options.now ?? new Date();
  const from = new Date(now.getTime() - 3_600_000);
  const until = new Date(now.getTime() + (options.days ?? 365) * DAY);
  const ca = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const server = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  // Each CA has its own name: two of the same name in one trust store would be mistaken for each other.
  const issuer = `Postroom practice CA ${randomBytes(4).toString('hex')}`;
  const issued = { issuer, issuerPublicKey: ca.publicKey, issuerPrivateKey: ca.privateKey, from, until };
  const names = hosts.map((host) =>
    isIP(host) === 0 ? tagged(0x82, Buffer.from(host)) : tagged(0x87, ipBytes(host)),
  );
  return {
    ca: certificate({
      ...issued,
      subject: issuer,
      publicKey: ca.publicKey,
      extensions: [
        extension('2.5.29.19', true, sequence(yes)),
        extension('2.5.29.15', true, bits(bytes(0x06), 1)),
      ],
    }),
    cert: certificate({
      ...issued,
      subject: hosts[0] ?? 'localhost',
      publicKey: server.publicKey,
      extensions: [
        extension('2.5.29.19', true, sequence()),
        extension('2.5.29.15', true, bits(bytes(0x80), 7)),
        extension('2.5.29.37', false, sequence(objectId('1.3.6.1.5.5.7.3.1'))),
        extension('2.5.29.17', false, sequence(...names)),
      ],
    }),
    key: server.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** Certificates kept in a folder as `ca.pem`, `cert.pem`, `key.pem`; made again when missing or close to their end. */
export function keepCertificates(
  folder: string,
  options: CertificateOptions = {},
): Certificates & { caFile: string } {
  const caFile = join(folder, 'ca.pem');
  const files = { ca: caFile, cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const ca = readIfThere(files.ca);
  const cert = readIfThere(files.cert);
  const key = readIfThere(files.key);
  const now = options.now ?? new Date();
  if (ca !== undefined && cert !== undefined && key !== undefined && isFresh(ca, cert, key, now))
    return { ca, cert, key, caFile };
  const made = makeCertificates(options);
  writeAtomically(files.key, made.key);
  writeAtomically(files.cert, made.cert);
  writeAtomically(files.ca, made.ca);
  return { ...made, caFile };
}

function isFresh(ca: string, cert: string, key: string, now: Date): boolean {
  const limit = now.getTime() + RENEW_BELOW_DAYS * DAY;
  const server = new X509Certificate(cert);
  // A start that was ended between two writes leaves a set that does not belong together.
  return (
    server.validToDate.getTime() > limit &&
    server.verify(new X509Certificate(ca).publicKey) &&
    server.checkPrivateKey(createPrivateKey(key))
  );
}
