// The polyfill has to come before the library.
import 'reflect-metadata';
import { KeyObject } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { Secret } from '../platform/secret.ts';
import { certificatePem } from './credential.ts';

export interface CreatedCertificate {
  /** The public part: base64 of the DER certificate. */
  certificate: string;
  /** Private key (PKCS #8) and certificate, as PEM: what Key Vault keeps. */
  pem: Secret;
  /** ISO time. */
  expiresOn: string;
}

/** How the certificate is signed. Its key signs client assertions as PS256 later: `oauth-authentication.ts`. */
const ALGORITHM = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
};
/** A clock that is a little behind must find the certificate valid already. */
const EARLY_MS = 3_600_000;
/** The longest common name (RFC 5280 appendix A.1, ub-common-name). */
const NAME_LENGTH = 64;

/** A new key and its own certificate (RFC 5280), signed by itself: Entra trusts it because an admin uploads it. */
export async function createCertificate(
  name: string,
  now: number,
  expiresOn: string,
): Promise<CreatedCertificate> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    // As an object, so that the name is taken as it is: quotes and escapes of a string would be interpreted.
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

/** Cut between characters: half of a surrogate pair has no form in UTF-8. */
const commonName = (name: string): string => [...name.toWellFormed()].slice(0, NAME_LENGTH).join('');
