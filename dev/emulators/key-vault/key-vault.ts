import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { decodeJwt, type JWK } from 'jose';
import { describeFaults, type Fault, takeFault } from '../faults.ts';
import { closeServer, isOwnControlRequest, listen, readBody, sendJson } from '../http-answers.ts';
import { checkIdentityToken } from '../identity/managed-identity.ts';
import { parseInput, performOperation } from './operations.ts';
import { openSecrets, type Secrets, VaultError } from './secrets.ts';

export interface KeyVaultOptions {
  /** Key Vault's client requires HTTPS. */
  tls: { cert: string; key: string };
  /** Keys whose tokens are accepted; every other token is refused with 401. */
  jwks: { keys: JWK[] };
  port?: number;
  /** Folder of `vault.json`; absent: memory. */
  stateDir?: string;
  tenantId?: string;
  /** Object ids that may use the vault; absent: every valid token. Others get 403 ForbiddenByRbac. */
  allowed?: readonly string[];
  settleMs?: number;
  pageSize?: number;
}

export interface RunningKeyVault {
  /** For `KEY_VAULT_URI`. */
  url: string;
  port: number;
  /** `status`, `body` (default: Key Vault's own for that status), `delay`, `destroy`; see faults.ts. */
  faults: Fault[];
  requests: { method: string; path: string }[];
  stop(): Promise<void>;
}

const AUDIENCE = 'https://vault.azure.net';
interface Vault {
  options: KeyVaultOptions;
  secrets: Secrets;
  faults: Fault[];
  requests: RunningKeyVault['requests'];
  base: string;
}

/** Starts an emulator of the secrets in Azure Key Vault, as the real SecretClient sees it. */
export async function startKeyVault(options: KeyVaultOptions): Promise<RunningKeyVault> {
  const file = options.stateDir === undefined ? undefined : join(options.stateDir, 'vault.json');
  const vault: Vault = {
    options,
    secrets: openSecrets(file, options.settleMs ?? 0),
    faults: [],
    requests: [],
    base: '',
  };
  const server = createServer(options.tls, (request, response) => {
    answer(vault, request, response).catch((error: unknown) => {
      console.error('key vault:', error);
      response.destroy();
    });
  });
  const port = await listen(server, 'Key Vault emulator', options.port ?? 0);
  vault.base = `https://localhost:${port}`;
  return {
    url: vault.base,
    port,
    faults: vault.faults,
    requests: vault.requests,
    stop: () => closeServer(server),
  };
}

async function answer(vault: Vault, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', vault.base);
  if (url.pathname === '/.control/faults') return controlFaults(vault, request, response);
  if (url.pathname === '/.control/secrets') return controlSecrets(vault, request, response);
  if (url.pathname === '/.control/requests') return sendJson(response, 200, vault.requests);
  const method = request.method ?? 'GET';
  const body = await readBody(request);
  vault.requests.push({ method, path: url.pathname });
  const headers = {
    'x-ms-keyvault-region': 'demo',
    'x-ms-client-request-id': String(request.headers['x-ms-client-request-id'] ?? ''),
    'x-ms-request-id': randomUUID(),
    'x-ms-keyvault-service-version': '1.9.2784.1',
    'x-content-type-options': 'nosniff',
  };
  try {
    await authenticate(vault, request);
    if (await failOnPurpose(vault, method, url, response, headers)) return;
    const reply = performOperation(
      { ...vault, pageSize: vault.options.pageSize },
      method,
      url,
      parseInput(body),
    );
    sendJson(response, reply.status ?? 200, reply.body, headers);
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    const challenge = error.status === 401 ? { 'www-authenticate': challengeOf(vault) } : {};
    sendJson(response, error.status, errorBody(error.code, error.message, error.inner), {
      ...headers,
      ...challenge,
    });
  }
}

const errorBody = (code: string, message: string, inner?: string): unknown => ({
  error: { code, message, ...(inner !== undefined && { innererror: { code: inner } }) },
});

/** The client's first request intentionally has no token and no body, to learn this. */
const challengeOf = ({ options }: Vault): string =>
  `Bearer authorization="https://login.microsoftonline.com/${options.tenantId ?? '11111111-2222-4333-8444-555555555555'}", resource="${AUDIENCE}"`;

async function authenticate({ options }: Vault, request: IncomingMessage): Promise<void> {
  const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined)
    throw new VaultError(401, 'Unauthorized', 'AKV10000: Request is missing a Bearer or PoP token.');
  try {
    await checkIdentityToken(token, { jwks: options.jwks, audience: AUDIENCE });
  } catch {
    throw new VaultError(
      401,
      'Unauthorized',
      `AKV10022: Invalid audience or signature. Expected ${AUDIENCE} from the managed identity emulator.`,
    );
  }
  const { oid } = decodeJwt<{ oid?: string }>(token);
  if (options.allowed !== undefined && !options.allowed.includes(oid ?? ''))
    throw new VaultError(
      403,
      'Forbidden',
      'Caller is not authorized to perform action on resource.',
      'ForbiddenByRbac',
    );
}

async function failOnPurpose(
  vault: Vault,
  method: string,
  url: URL,
  response: ServerResponse,
  headers: Record<string, string>,
): Promise<boolean> {
  const fault = takeFault(vault.faults, { method, path: url.pathname, params: url.searchParams });
  if (fault === undefined) return false;
  if (fault.delay !== undefined) await new Promise((resolve) => setTimeout(resolve, fault.delay));
  if (fault.destroy === true) response.destroy();
  else if (fault.status === undefined) return false;
  else
    sendJson(response, fault.status, fault.body ?? usualBody(fault.status), {
      ...headers,
      ...(fault.status === 429 && { 'retry-after': '1' }),
      ...fault.headers,
    });
  return true;
}

function usualBody(status: number): unknown {
  if (status === 429)
    return errorBody(
      'Throttled',
      'Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached',
    );
  if (status === 403)
    return errorBody(
      'Forbidden',
      'Caller is not authorized to perform action on resource.',
      'ForbiddenByRbac',
    );
  return errorBody('ServiceUnavailable', 'The service is unavailable.');
}

/** GET lists the faults, POST adds one, DELETE clears them. */
async function controlFaults(
  vault: Vault,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!isOwnControlRequest(request)) {
    sendJson(response, 403, errorBody('Forbidden', 'JSON from this machine only, never from a page.'));
    return;
  }
  if (request.method === 'POST') vault.faults.push(JSON.parse(await readBody(request)) as Fault);
  if (request.method === 'DELETE') vault.faults.length = 0;
  sendJson(response, 200, describeFaults(vault.faults));
}

/** PUT writes a new version of a secret, as an operator does beside the app. */
async function controlSecrets(
  { secrets }: Vault,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!isOwnControlRequest(request) || request.method !== 'PUT') {
    sendJson(response, 403, errorBody('Forbidden', 'JSON from this machine only, never from a page.'));
    return;
  }
  const { name, value } = JSON.parse(await readBody(request)) as { name: string; value: string };
  secrets.set(name, { value });
  sendJson(response, 200, {});
}
