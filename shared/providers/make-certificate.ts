import { generateKeyPair, randomBytes, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { Secret } from '../platform/secret.ts';
import { certificatePem } from './credential.ts';
import { bits, integer, nothing, objectId, octets, sequence, setOf, tagged, text, time, yes } from './der.ts';

export interface MadeCertificate {
  /** The public part: base64 of the DER certificate. */
  certificate: string;
  /** Private key (PKCS #8) and certificate, as PEM: what Key Vault keeps. */
  pem: Secret;
  /** ISO time. */
  expiresOn: string;
}

const KEY_BITS = 2048;
/** A clock that is a little behind must find the certificate valid already. */
const EARLY_MS = 3_600_000;
const sha256WithRsa = sequence(objectId('1.2.840.113549.1.1.11'), nothing);
const newKeyPair = promisify(generateKeyPair);

/** A new key and its own certificate (RFC 5280), signed by itself: Entra trusts it because an admin uploads it. */
export async function makeCertificate(
  name: string,
  now: number,
  expiresOn: string,
): Promise<MadeCertificate> {
  const { publicKey, privateKey } = await newKeyPair('rsa', { modulusLength: KEY_BITS });
  const subject = sequence(setOf(sequence(objectId('2.5.4.3'), text(name.slice(0, 64)))));
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const toBeSigned = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(serial),
    sha256WithRsa,
    subject,
    sequence(time(new Date(now - EARLY_MS)), time(new Date(expiresOn))),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(
      0xa3,
      sequence(
        // Basic constraints: it signs no other certificate. Key usage: signatures alone.
        sequence(objectId('2.5.29.19'), yes, octets(sequence())),
        sequence(objectId('2.5.29.15'), yes, octets(bits(Buffer.from([0x80]), 7))),
      ),
    ),
  );
  const signature = sign('sha256', toBeSigned, privateKey);
  const certificate = sequence(toBeSigned, sha256WithRsa, bits(signature)).toString('base64');
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { certificate, pem: new Secret(key + certificatePem(certificate)), expiresOn };
}
