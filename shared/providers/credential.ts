import { createHash } from 'node:crypto';

interface InVault {
  /** Where the value stands in Key Vault; only this version of it counts. */
  vaultName: string;
  version: string;
  /** ISO time. */
  setAt: string;
}

/** A word that the provider gave: the value stands in Key Vault. */
export interface ClientSecret extends InVault {
  kind: 'secret';
  /** ISO time; undefined where the provider's secrets do not expire. */
  expiresOn: string | undefined;
}

/** A key pair of our own: the private key stands in Key Vault, the public part at the provider. */
export interface ClientCertificate extends InVault {
  kind: 'certificate';
  /** ISO time. */
  expiresOn: string;
  /** The public part: base64 of the DER certificate. */
  certificate: string;
}

/** No secret at all: the app's managed identity vouches for it (workload identity federation). */
export interface FederatedIdentity {
  kind: 'federated';
  setAt: string;
}

/** How the app proves itself at the token endpoint. */
export type Credential = ClientSecret | ClientCertificate | FederatedIdentity;

/** One version of an entry of Key Vault. */
export interface VaultVersion {
  vaultName: string;
  version: string;
}

/** The credentials of a provider. While there are two, the next one is tried first. */
export interface HeldCredentials {
  /** Undefined in a draft. */
  credential: Credential | undefined;
  /** Set while a replacement has still to show that it works; takes the place of `credential` then. */
  nextCredential: Credential | undefined;
  /** No longer used, and still to be disabled in Key Vault. */
  retired: readonly VaultVersion[];
}

/** In the order in which they are tried. */
export const credentialsOf = ({ credential, nextCredential }: HeldCredentials): Credential[] =>
  [nextCredential, credential].filter((one) => one !== undefined);

/** True when both are the same entry of the vault, or both the managed identity. */
export function isSameCredential(one: Credential | undefined, other: Credential | undefined): boolean {
  return one !== undefined && other !== undefined && placeOf(one) === placeOf(other);
}

const placeOf = (credential: Credential): string =>
  credential.kind === 'federated'
    ? `managed identity since ${credential.setAt}`
    : `${credential.vaultName}/${credential.version}`;

/** Takes a replacement in, to be tried beside the present one. Pure. */
export function withNext<T extends HeldCredentials>(held: T, next: Credential): T {
  if (held.credential === undefined) return { ...held, credential: next };
  return { ...held, nextCredential: next, retired: [...held.retired, ...versionsOf(held.nextCredential)] };
}

/** The next credential has worked: it takes the place of the one before. Pure. */
export function withNextProven<T extends HeldCredentials>(held: T): T {
  const { credential, nextCredential, retired } = held;
  if (nextCredential === undefined) return held;
  return {
    ...held,
    credential: nextCredential,
    nextCredential: undefined,
    retired: [...retired, ...versionsOf(credential)],
  };
}

/** The next credential is given up; the present one stays. Pure. */
export function withoutNext<T extends HeldCredentials>(held: T): T {
  return {
    ...held,
    nextCredential: undefined,
    retired: [...held.retired, ...versionsOf(held.nextCredential)],
  };
}

/** One credential and nothing beside it, as after a change of the app registration itself. Pure. */
export function withOnly<T extends HeldCredentials>(held: T, credential: Credential | undefined): T {
  const before = credentialsOf(held).filter((one) => !isSameCredential(one, credential));
  return {
    ...held,
    credential,
    nextCredential: undefined,
    retired: [...held.retired, ...before.flatMap(versionsOf)],
  };
}

function versionsOf(credential: Credential | undefined): VaultVersion[] {
  if (credential === undefined || credential.kind === 'federated') return [];
  return [{ vaultName: credential.vaultName, version: credential.version }];
}

/** Undefined: it never expires. */
export const expiryOf = (credential: Credential): string | undefined =>
  credential.kind === 'federated' ? undefined : credential.expiresOn;

/** The entry of Key Vault that holds a provider's secrets and private keys, a version each. */
export const secretName = (providerId: string): string => `provider-${providerId}`;

/** As Microsoft's portal shows it: SHA-1 of the certificate, in capitals. */
export const thumbprintOf = (certificate: string): string =>
  createHash('sha1').update(Buffer.from(certificate, 'base64')).digest('hex').toUpperCase();

/** `x5t#S256` of RFC 7515 section 4.1.8. */
export const sha256ThumbprintOf = (certificate: string): string =>
  createHash('sha256').update(Buffer.from(certificate, 'base64')).digest('base64url');

/** The public part as a file to upload at the provider. */
export function certificatePem(certificate: string): string {
  const lines = certificate.replaceAll(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
