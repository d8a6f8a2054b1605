import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  randomUUID,
} from 'node:crypto';
import { join } from 'node:path';
import { exportJWK, type JWK } from 'jose';
import { readJson, writeAtomically } from '../process/state-file.ts';

export interface User {
  upn: string;
  name: string;
  /** Object ID; created at the first start and stored. */
  oid?: string;
  email?: string;
  /** Required if set; otherwise choosing the account signs in. */
  password?: string;
  disabled?: boolean;
  /**
   * Other users' mailboxes that this user may open (Exchange's Full Access): for the mail server; no token
   * names them.
   */
  sharedMailboxes?: string[];
}

/** One of several secrets of an app; `expires` in ms since 1970. */
export interface ClientSecret {
  value: string;
  expires?: number;
}

/** The issuers and subjects whose tokens an app accepts instead of a secret (workload identity federation). */
export interface FederatedCredential {
  issuer: string;
  subject: string;
  audience: string;
  jwks: { keys: JWK[] };
}

export interface Client {
  id: string;
  name?: string;
  secrets?: ClientSecret[];
  /** Public keys of the app's certificates, for private_key_jwt. */
  jwks?: { keys: JWK[] };
  /** Certificates uploaded in the portal, as PEM; an assertion names one of them by thumbprint. */
  certificates?: string[];
  federated?: FederatedCredential[];
  redirectUris: string[];
  /** Set once an admin has consented for the organization: the consent page is not shown again. */
  adminConsented?: boolean;
}

export interface Tenant {
  /** Directory ID; created at the first start and stored. */
  id?: string;
  domain: string;
  /** False: only an admin may consent, and users meet Entra's "Need admin approval". */
  userConsent?: boolean;
  users: User[];
  clients: Client[];
}

export type KnownUser = User & { oid: string };
export interface KnownTenant extends Tenant {
  id: string;
  users: KnownUser[];
}

/** The provider's state: users, apps, the signing key. */
export interface Directory {
  tenants: KnownTenant[];
  signingKey: SigningKey;
  cookieKey: string;
  /** Call after changing users or clients. */
  save(): void;
}

export interface SigningKey {
  kid: string;
  privatePem: string;
  publicPem: string;
  privateJwk: JWK;
  publicJwk: JWK;
}

interface Kept {
  tenants: KnownTenant[];
  privatePem: string;
  cookieKey: string;
}

/**
 * Merges the stored state with the caller's. The caller wins, except that IDs, admin consents and secrets
 * added at run time are kept. Without a folder nothing is stored.
 */
export async function openDirectory(
  tenants: readonly Tenant[],
  stateDir: string | undefined,
): Promise<Directory> {
  const file = stateDir === undefined ? undefined : join(stateDir, 'directory.json');
  const kept = file === undefined ? undefined : readJson<Kept>(file);
  const known = tenants.map((tenant) =>
    joinTenant(
      tenant,
      kept?.tenants.find(({ domain }) => domain === tenant.domain),
    ),
  );
  const forgotten = (kept?.tenants ?? []).filter(
    ({ domain }) => !tenants.some((tenant) => tenant.domain === domain),
  );
  const signingKey = await describeKey(kept?.privatePem ?? newPrivateKey());
  const directory: Directory = {
    tenants: [...known, ...forgotten],
    signingKey,
    cookieKey: kept?.cookieKey ?? randomBytes(24).toString('hex'),
    save() {
      if (file === undefined) return;
      const state: Kept = {
        tenants: directory.tenants,
        privatePem: signingKey.privatePem,
        cookieKey: directory.cookieKey,
      };
      writeAtomically(file, JSON.stringify(state, undefined, 2));
    },
  };
  directory.save();
  return directory;
}

function joinTenant(tenant: Tenant, kept: KnownTenant | undefined): KnownTenant {
  const oldUser = (upn: string): KnownUser | undefined => kept?.users.find((user) => sameName(user.upn, upn));
  const users = tenant.users.map((user) => ({
    ...user,
    oid: user.oid ?? oldUser(user.upn)?.oid ?? randomUUID(),
  }));
  const clients = tenant.clients.map((client) => joinClient(client, kept));
  return {
    ...tenant,
    id: tenant.id ?? kept?.id ?? randomUUID(),
    users: [
      ...users,
      ...(kept?.users ?? []).filter(({ upn }) => !users.some((user) => sameName(user.upn, upn))),
    ],
    clients: [...clients, ...(kept?.clients ?? []).filter(({ id }) => !clients.some((c) => c.id === id))],
  };
}

function joinClient(client: Client, kept: KnownTenant | undefined): Client {
  const old = kept?.clients.find(({ id }) => id === client.id);
  if (old === undefined) return client;
  // An expiry set at run time is kept by a start that names the secret without one.
  const secrets = (client.secrets ?? []).map((secret) => ({
    ...old.secrets?.find(({ value }) => value === secret.value),
    ...secret,
  }));
  return {
    ...client,
    secrets: [
      ...secrets,
      ...(old.secrets ?? []).filter(({ value }) => !secrets.some((secret) => secret.value === value)),
    ],
    ...(old.adminConsented === true && { adminConsented: true }),
  };
}

const newPrivateKey = (): string =>
  generateKeyPairSync('rsa', { modulusLength: 2048 })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();

async function describeKey(privatePem: string): Promise<SigningKey> {
  const privateKey = createPrivateKey(privatePem);
  const publicKey = createPublicKey(privateKey);
  const jwk = await exportJWK(publicKey);
  const kid = createHash('sha1')
    .update(jwk.n ?? '')
    .digest('base64url');
  const marks = { use: 'sig', alg: 'RS256', kid };
  return {
    kid,
    privatePem,
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    privateJwk: { ...(await exportJWK(privateKey)), ...marks },
    publicJwk: { ...jwk, ...marks },
  };
}

const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

export const userByName = (tenant: KnownTenant, upn: string): KnownUser | undefined =>
  tenant.users.find((user) => sameName(user.upn, upn));

export const userById = (tenant: KnownTenant, oid: string): KnownUser | undefined =>
  tenant.users.find((user) => user.oid === oid);
