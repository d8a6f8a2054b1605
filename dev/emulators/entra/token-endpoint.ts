import { createHash, randomUUID, X509Certificate } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import type { Provider } from 'oidc-provider';
import { sendJson } from '../http-answers.ts';
import type { Client, KnownTenant } from './directory.ts';
import { type Asked, engineRequest, engineScope } from './engine-request.ts';
import { aadstsBody, entraFailure, TWO_RESOURCES } from './error-bodies.ts';
import { isKnownScope, resourcesOf, words } from './scopes.ts';
import { type RequestFacts, requestFacts } from './tenant-provider.ts';
import { tokenAnswer, undressRefreshToken } from './token-shapes.ts';
import type { TokenStore } from './token-store.ts';
import { NOT_CONSENTED } from './troubles.ts';

/** Handles the token endpoint: the engine runs the protocol, and the response has Entra's shape. */
export async function answerToken(
  asked: Asked,
  response: ServerResponse,
  provider: Provider,
  tenant: KnownTenant,
  store: TokenStore,
): Promise<void> {
  const { params, correlation } = asked;
  const context = {
    client: params.get('client_id') ?? '',
    domain: tenant.domain,
    scope: params.get('scope') ?? '',
    grantType: params.get('grant_type') ?? '',
  };
  const headers = {
    'x-ms-request-id': randomUUID(),
    'x-ms-ests-server': '2.1.demo',
    'client-request-id': correlation,
  };
  const fail = (detail: string): void => {
    const { status, code, error, text } = entraFailure(detail, context);
    sendJson(response, status, aadstsBody(code, error, text, { correlation }), headers);
  };
  if (resourcesOf(engineScope(context.scope)).length > 1)
    return sendJson(
      response,
      400,
      aadstsBody(28000, 'invalid_request', TWO_RESOURCES, { correlation }),
      headers,
    );

  if (mixesDefault(engineScope(context.scope))) return fail('invalid_scope');

  const facts = await prepare(
    params,
    tenant,
    `${new URL(provider.issuer).origin}/${asked.segment}/oauth2/v2.0/token`,
  );
  if (facts === 'federated' || facts === 'certificate') return fail(`invalid_client ${facts}`);
  const answer = await runEngine(asked, response, provider, facts);
  if (answer['error'] === undefined && isConsented(answer, facts))
    return sendJson(response, 200, tokenAnswer(answer, tenant.id), headers);
  if (answer['error'] === undefined) {
    const extras = { correlation, suberror: 'consent_required' };
    return sendJson(response, 400, aadstsBody(65001, 'invalid_grant', NOT_CONSENTED, extras), headers);
  }
  if (answer['error'] === 'server_error')
    return sendJson(
      response,
      500,
      aadstsBody(90033, 'temporarily_unavailable', 'A transient error has occurred. Please try again.', {
        correlation,
      }),
      headers,
    );
  if (store.isRevoked(tenant.id, params.get('refresh_token') ?? '')) return fail('invalid_grant revoked');
  const { error } = facts;
  return fail(
    `${String(answer['error'])} ${error?.error_detail ?? ''} ${String(answer['error_description'] ?? '')}`,
  );
}

/**
 * Rewrites parameters that Entra and the standard read differently. Returns a string when the client's
 * proof is invalid.
 */
async function prepare(
  params: URLSearchParams,
  tenant: KnownTenant,
  audience: string,
): Promise<RequestFacts | 'federated' | 'certificate'> {
  // Entra's clients repeat the scope when they redeem a code; the standard has no such parameter there.
  if (params.get('grant_type') === 'authorization_code') params.delete('scope');
  const scope = params.get('scope');
  if (scope !== null) params.set('scope', engineScope(scope));
  const refreshToken = params.get('refresh_token');
  if (refreshToken !== null) params.set('refresh_token', undressRefreshToken(refreshToken));

  const wanted = refreshToken === null ? [] : words(params.get('scope') ?? undefined).filter(isKnownScope);
  const [resource] = resourcesOf(wanted.join(' '));
  if (resource !== undefined) params.set('resource', resource);

  const assertion = params.get('client_assertion');
  const secret = params.get('client_secret') ?? undefined;
  const client = tenant.clients.find(({ id }) => id === params.get('client_id'));
  const asAnswered = { hasAssertion: assertion !== null, secret, proven: false, wanted };
  if (assertion === null || client === undefined) return asAnswered;
  if (isFederated(assertion, client.id)) {
    if (!(await isRegistered(assertion, client))) return 'federated';
  } else {
    // If the engine knows the app's keys, it verifies them.
    if (client.jwks !== undefined) return asAnswered;
    if (!(await isSignedByCertificate(assertion, client, audience))) return 'certificate';
  }
  params.delete('client_assertion');
  params.delete('client_assertion_type');
  params.set('client_secret', 'federated');
  return { hasAssertion: false, secret: undefined, proven: true, wanted };
}

/** `.default` stands for all permissions of the registration and not beside one of them (Microsoft: "Scopes and permissions"). */
function mixesDefault(scope: string): boolean {
  const names = words(scope).filter((name) => resourcesOf(name).length > 0);
  return names.length > 1 && names.some((name) => name.endsWith('/.default'));
}

/** oidc-provider grants only the scopes with consent; Entra refuses the whole request if one of them has none. */
function isConsented(answer: Record<string, unknown>, { wanted = [] }: RequestFacts): boolean {
  const granted = words(typeof answer['scope'] === 'string' ? answer['scope'] : undefined);
  return wanted
    .filter((name) => resourcesOf(name).length > 0 && !name.endsWith('/.default'))
    .every((name) => granted.includes(name));
}

/** An assertion that the app did not sign (its own have its client ID as issuer, RFC 7523 section 3). */
function isFederated(assertion: string, clientId: string): boolean {
  try {
    return decodeJwt(assertion).iss !== clientId;
  } catch {
    return false;
  }
}

/** Entra's rules for certificates: named by `x5t#S256`, PS256 or RS256, addressed to the token endpoint. */
async function isSignedByCertificate(assertion: string, client: Client, audience: string): Promise<boolean> {
  const thumbprint = decodeProtectedHeader(assertion)['x5t#S256'];
  const certificate = (client.certificates ?? [])
    .map((pem) => new X509Certificate(pem))
    .find(({ raw }) => createHash('sha256').update(raw).digest('base64url') === thumbprint);
  if (certificate === undefined || certificate.validToDate.getTime() < Date.now()) return false;
  try {
    const rules = { algorithms: ['PS256', 'RS256'], issuer: client.id, subject: client.id, audience };
    await jwtVerify(assertion, certificate.publicKey, rules);
    return true;
  } catch {
    return false;
  }
}

async function isRegistered(assertion: string, client: Client): Promise<boolean> {
  for (const { issuer, subject, audience, jwks } of client.federated ?? []) {
    try {
      await jwtVerify(assertion, createLocalJWKSet(jwks), { issuer, subject, audience });
      return true;
    } catch {
      // The next registration may match.
    }
  }
  return false;
}

/** Runs the engine and captures its response, whose fields and errors are then translated. */
async function runEngine(
  asked: Asked,
  response: ServerResponse,
  provider: Provider,
  facts: RequestFacts,
): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  const { write, end, writeHead, setHeader } = response;
  const keep = (chunk: unknown): void => {
    if (typeof chunk === 'string' || chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
  };
  await requestFacts.run(
    facts,
    () =>
      new Promise<void>((resolve, reject) => {
        response.setHeader = () => response;
        response.writeHead = () => response;
        response.write = (chunk: unknown) => {
          keep(chunk);
          return true;
        };
        response.end = (chunk?: unknown) => {
          keep(chunk);
          Object.assign(response, { write, end, writeHead, setHeader });
          response.statusCode = 200;
          resolve();
          return response;
        };
        provider.callback()(engineRequest(asked), response).catch(reject);
      }),
  );
  const text = Buffer.concat(chunks).toString();
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}
