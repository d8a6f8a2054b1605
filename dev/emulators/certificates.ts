// The certificate library needs this polyfill first.
import 'reflect-metadata';
import { createPrivateKey, KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { readIfThere, writeAtomically } from './process/state-file.ts';

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
/** A stored certificate with fewer days left is replaced, so that it does not expire during a long session. */
const RENEW_BELOW_DAYS = 14;

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const newKeys = (): Promise<CryptoKeyPair> => crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);

/** A private CA and one server certificate (P-256, SHA-256) for the given names. */
export async function makeCertificates(options: CertificateOptions = {}): Promise<Certificates> {
  const hosts = options.hosts ?? HOSTS;
  const now = options.now ?? new Date();
  const [ca, server] = await Promise.all([newKeys(), newKeys()]);
  // Each CA has its own name: two of the same name in one trust store would be confused.
  const issuer = `CN=Postroom emulator CA ${randomBytes(4).toString('hex')}`;
  const { KeyUsageFlags } = x509;
  const issue = async (
    subject: string,
    publicKey: CryptoKey,
    extensions: readonly x509.Extension[],
  ): Promise<string> => {
    const made = await x509.X509CertificateGenerator.create({
      subject,
      issuer,
      notBefore: new Date(now.getTime() - 3_600_000),
      notAfter: new Date(now.getTime() + (options.days ?? 365) * DAY),
      publicKey,
      signingKey: ca.privateKey,
      signingAlgorithm: ALGORITHM,
      extensions: [
        ...extensions,
        await x509.SubjectKeyIdentifierExtension.create(publicKey),
        await x509.AuthorityKeyIdentifierExtension.create(ca.publicKey),
      ],
    });
    return `${made.toString('pem')}\n`;
  };
  return {
    ca: await issue(issuer, ca.publicKey, [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ]),
    cert: await issue(`CN=${hosts[0] ?? 'localhost'}`, server.publicKey, [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        hosts.map((host) => new x509.GeneralName(isIP(host) === 0 ? 'dns' : 'ip', host)),
      ),
    ]),
    key: KeyObject.from(server.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/**
 * Certificates stored in a folder as `ca.pem`, `cert.pem`, `key.pem`; re-created when missing or about to
 * expire.
 */
export async function keepCertificates(
  folder: string,
  options: CertificateOptions = {},
): Promise<Certificates & { caFile: string }> {
  const caFile = join(folder, 'ca.pem');
  const files = { ca: caFile, cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const ca = readIfThere(files.ca);
  const cert = readIfThere(files.cert);
  const key = readIfThere(files.key);
  const now = options.now ?? new Date();
  if (ca !== undefined && cert !== undefined && key !== undefined && isFresh(ca, cert, key, now))
    return { ca, cert, key, caFile };
  const made = await makeCertificates(options);
  writeAtomically(files.key, made.key);
  writeAtomically(files.cert, made.cert);
  writeAtomically(files.ca, made.ca);
  return { ...made, caFile };
}

function isFresh(ca: string, cert: string, key: string, now: Date): boolean {
  const limit = now.getTime() + RENEW_BELOW_DAYS * DAY;
  const server = new X509Certificate(cert);
  // A start interrupted between two writes leaves files that do not match.
  return (
    server.validToDate.getTime() > limit &&
    server.verify(new X509Certificate(ca).publicKey) &&
    server.checkPrivateKey(createPrivateKey(key))
  );
}
