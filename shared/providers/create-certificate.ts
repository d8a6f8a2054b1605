// The polyfill must be imported before the library.
import 'reflect-metadata';
import { KeyObject } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { Secret } from '../platform/secret.ts';
import { certificatePem } from './credential.ts';

export interface CreatedCertificate {
  /** The public certificate: base64 of its DER form. */
  certificate: string;
  /** Private key (PKCS #8) and certificate, as PEM, as stored in Key Vault. */
  pem: Secret;
  /** ISO time. */
  expiresOn: string;
}

/**
 * The signature of the certificate. Its key later signs client assertions as PS256:
 * `oauth-authentication.ts`.
 */
const ALGORITHM = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
};
/** The certificate is already valid for a clock that is slightly behind. */
const EARLY_MS = 3_600_000;
/** The longest common name (RFC 5280 appendix A.1, ub-common-name). */
const NAME_LENGTH = 64;

/**
 * Creates a key with a self-signed certificate (RFC 5280): Entra trusts it because an admin uploads it.
 */
export async function createCertificate(
  name: string,
  now: number,
  expiresOn: string,
): Promise<CreatedCertificate> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    // An object, so that the name is used verbatim: in a string, quotes and escapes would be interpreted.
    name: new x509.Name([{ CN: [{ utf8String: commonName(name) }] }]),
    notBefore: new Date(now - EARLY_MS),
    notAfter: new Date(expiresOn),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    ],
  });
  const certificate = made.toString('base64');
  const key = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' });
  return { certificate, pem: new Secret(key + certificatePem(certificate)), expiresOn };
}

/** Cut between characters: half of a surrogate pair has no UTF-8 form. */
const commonName = (name: string): string => [...name.toWellFormed()].slice(0, NAME_LENGTH).join('');
