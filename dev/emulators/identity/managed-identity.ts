import { createHash, generateKeyPairSync, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { createLocalJWKSet, exportJWK, importPKCS8, importSPKI, type JWK, jwtVerify, SignJWT } from 'jose';
import { closeServer, listen, sendJson } from '../http-answers.ts';
import { readJson, writeAtomically } from '../process/state-file.ts';

export interface ManagedIdentityOptions {
  tenantId: string;
  port?: number;
  /** Folder for the key, the header value and the identity's IDs; absent: nothing is stored. */
  stateDir?: string;
  tokenSeconds?: number;
  /** Responds to every request with this status instead of a token, until cleared by `fail(undefined)`. */
  failWith?: number;
}

export interface RunningManagedIdentity {
  port: number;
  /** For `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`. */
  endpoint: string;
  header: string;
  clientId: string;
  principalId: string;
  issuer: string;
  /** What an emulator needs to verify the tokens of this identity. */
  jwks: { keys: JWK[] };
  requests: { resource: string; status: number }[];
  fail(status: number | undefined): void;
  stop(): Promise<void>;
}

interface Kept {
  privatePem: string;
  publicPem: string;
  header: string;
  clientId: string;
  principalId: string;
}

const RESOURCES = [
  'https://vault.azure.net',
  'https://storage.azure.com',
  'https://graph.microsoft.com',
  'api://AzureADTokenExchange',
];

/** Tokens for the managed identity come from the version 1 issuer; for token exchange from version 2's. */
const issuerFor = (tenantId: string, resource: string): string =>
  resource.startsWith('api://')
    ? `https://login.microsoftonline.com/${tenantId}/v2.0`
    : `https://sts.windows.net/${tenantId}/`;

/**
 * App Service's managed identity endpoint, version 2019-08-01 (Microsoft: "How to use managed identities for App
 * Service and Azure Functions", REST endpoint reference): satisfies an unmodified DefaultAzureCredential.
 */
export async function startManagedIdentity(options: ManagedIdentityOptions): Promise<RunningManagedIdentity> {
  const kept = keepIdentity(options.stateDir);
  const key = await importPKCS8(kept.privatePem, 'RS256');
  const publicJwk = await exportJWK(await importSPKI(kept.publicPem, 'RS256', { extractable: true }));
  const kid = createHash('sha1')
    .update(publicJwk.n ?? '')
    .digest('base64url');
  const requests: RunningManagedIdentity['requests'] = [];
  let failure = options.failWith;

  const issue = async (resource: string): Promise<Record<string, string>> => {
    const now = Math.floor(Date.now() / 1000);
    const expires = now + (options.tokenSeconds ?? 86_400);
    const token = await new SignJWT({
      appid: kept.clientId,
      oid: kept.principalId,
      tid: options.tenantId,
      idtyp: 'app',
      ver: '1.0',
      jti: randomUUID(),
    })
      .setProtectedHeader({ typ: 'JWT', alg: 'RS256', kid, x5t: kid })
      .setIssuer(issuerFor(options.tenantId, resource))
      .setAudience(resource)
      .setSubject(kept.principalId)
      .setIssuedAt(now)
      .setNotBefore(now)
      .setExpirationTime(expires)
      .sign(key);
    return {
      access_token: token,
      expires_on: String(expires),
      resource,
      token_type: 'Bearer',
      client_id: kept.clientId,
    };
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const resource = (searchParams.get('resource') ?? '').replace(/\/+$/, '');
    const refusal =
      failure === undefined ? refusalOf(request, pathname, searchParams, resource, kept) : failed(failure);
    requests.push({ resource, status: refusal?.status ?? 200 });
    if (refusal !== undefined) sendJson(response, refusal.status, refusal.body);
    else sendJson(response, 200, await issue(resource));
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      console.error('managed identity:', error);
      response.destroy();
    });
  });
  const port = await listen(server, 'managed identity emulator', options.port ?? 0);
  return {
    port,
    endpoint: `http://localhost:${port}/msi/token`,
    header: kept.header,
    clientId: kept.clientId,
    principalId: kept.principalId,
    issuer: issuerFor(options.tenantId, ''),
    jwks: { keys: [{ ...publicJwk, kid, alg: 'RS256', use: 'sig' }] },
    requests,
    fail: (status) => {
      failure = status;
    },
    stop: () => closeServer(server),
  };
}

interface Refusal {
  status: number;
  body: { statusCode: number; message: string };
}
const refuse = (status: number, message: string): Refusal => ({
  status,
  body: { statusCode: status, message },
});
const failed = (status: number): Refusal => refuse(status, 'An attempt to get a token failed on purpose.');

function refusalOf(
  request: IncomingMessage,
  pathname: string,
  query: URLSearchParams,
  resource: string,
  kept: Kept,
): Refusal | undefined {
  if (pathname !== '/msi/token' || request.method !== 'GET') return refuse(404, 'No such endpoint.');
  if (!isSame(String(request.headers['x-identity-header'] ?? ''), kept.header))
    return refuse(401, 'The header X-IDENTITY-HEADER is missing or wrong.');
  if (query.get('api-version') !== '2019-08-01') return refuse(400, 'Unknown api-version.');
  const wanted = query.get('client_id') ?? query.get('principal_id');
  if (wanted !== null && wanted !== kept.clientId && wanted !== kept.principalId)
    return refuse(
      400,
      'No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.',
    );
  if (!RESOURCES.includes(resource)) return refuse(400, `Unknown resource '${resource}'.`);
  return undefined;
}

function isSame(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

function keepIdentity(stateDir: string | undefined): Kept {
  const file = stateDir === undefined ? undefined : join(stateDir, 'identity.json');
  const kept = file === undefined ? undefined : readJson<Kept>(file);
  if (kept !== undefined) return kept;
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const made: Kept = {
    privatePem: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicPem: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    header: randomBytes(16).toString('hex'),
    clientId: randomUUID(),
    principalId: randomUUID(),
  };
  if (file !== undefined) writeAtomically(file, JSON.stringify(made, undefined, 2));
  return made;
}

/** Verifies a token of this identity for one audience. Throws jose's error if it is invalid. */
export async function checkIdentityToken(
  token: string,
  trust: { jwks: { keys: JWK[] }; audience: string },
): Promise<void> {
  await jwtVerify(token, createLocalJWKSet(trust.jwks), { audience: trust.audience });
}
