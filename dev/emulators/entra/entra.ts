import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { JWK } from 'jose';
import type { Provider } from 'oidc-provider';
import { takeFault } from '../faults.ts';
import { closeServer, listen, readBody, sendJson } from '../http-answers.ts';
import { handleAdminConsent } from './admin-consent.ts';
import { authorize } from './authorize.ts';
import { type Control, handleControl, type TokenRequestSeen } from './control.ts';
import { type Directory, type KnownTenant, openDirectory, type Tenant, userByName } from './directory.ts';
import { discoveryDocument, keySet } from './discovery.ts';
import type { Asked } from './engine-request.ts';
import { engineRequest } from './engine-request.ts';
import { aadstsBody } from './error-bodies.ts';
import { handleInteraction } from './interactions.ts';
import { MAIL_SCOPES, resourcesOf } from './scopes.ts';
import { createTenantProvider } from './tenant-provider.ts';
import { answerToken } from './token-endpoint.ts';
import { accessTokenClaims, accessTokenIssuer, signAccessToken } from './token-shapes.ts';
import { openTokenStore, type TokenStore } from './token-store.ts';
import { faultOf, type ProviderFault } from './troubles.ts';
import { sendBack } from './way-back.ts';

export interface EntraOptions {
  tenants: readonly Tenant[];
  /** 0 or absent: a free one. */
  port?: number;
  /** Folder for users, apps, the signing key, sessions and tokens; absent: nothing is stored. */
  stateDir?: string;
  /** Serves HTTPS instead; Azure's libraries require it. */
  tls?: { cert: string; key: string };
  accessTokenSeconds?: number;
  refreshTokenSeconds?: number;
  /** A used refresh token becomes invalid, as with providers other than Entra. */
  strictRotation?: boolean;
}

/** One directory of a running provider. */
export interface TenantAddress {
  id: string;
  domain: string;
  /** `{origin}/{id}/v2.0`, the issuer of id_tokens. */
  issuer: string;
  /** The issuer inside access tokens. */
  accessTokenIssuer: string;
  authorizeUrl: string;
  tokenUrl: string;
  users: { upn: string; oid: string }[];
}

export interface RunningEntra extends Control {
  /** `http://localhost:<port>`, Entra's login host. */
  origin: string;
  port: number;
  tenants: TenantAddress[];
  signingKey: { kid: string; publicPem: string; publicJwk: JWK };
  /** Faults waiting for matching requests. */
  faults: ProviderFault[];
  stop(): Promise<void>;
}

/** Starts an identity provider shaped like Microsoft Entra ID (v2.0 endpoints) on loopback. */
export async function startEntra(options: EntraOptions): Promise<RunningEntra> {
  const directory = await openDirectory(options.tenants, options.stateDir);
  const store = openTokenStore(options.stateDir);
  const world: World = {
    directory,
    store,
    faults: [],
    seen: [],
    origin: '',
    engines: new Map(),
    control: undefined,
  };
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    route(world, request, response).catch((error: unknown) => {
      console.error('identity provider:', error);
      if (!response.headersSent) sendJson(response, 500, { error: 'server_error' });
      else response.destroy();
    });
  };
  const server = options.tls === undefined ? createServer(answer) : createTlsServer(options.tls, answer);
  const port = await listen(server, 'Entra emulator', options.port ?? 0).catch((error: unknown) => {
    store.close();
    throw error;
  });
  world.origin = `${options.tls === undefined ? 'http' : 'https'}://localhost:${port}`;
  for (const tenant of directory.tenants)
    world.engines.set(
      tenant.id,
      await createTenantProvider({
        tenant,
        issuer: `${world.origin}/${tenant.id}/v2.0`,
        signingKey: directory.signingKey,
        cookieKey: directory.cookieKey,
        store,
        lives: {
          accessToken: options.accessTokenSeconds ?? 3599,
          refreshToken: options.refreshTokenSeconds ?? 90 * 86_400,
        },
        strictRotation: options.strictRotation ?? false,
      }),
    );
  const control = controlOf(world);
  world.control = control;
  const { kid, publicPem, publicJwk } = directory.signingKey;
  return {
    ...control,
    origin: world.origin,
    port,
    tenants: directory.tenants.map((tenant) => addressOf(world.origin, tenant)),
    signingKey: { kid, publicPem, publicJwk },
    faults: world.faults,
    async stop() {
      await closeServer(server);
      store.close();
    },
  };
}

interface World {
  directory: Directory;
  store: TokenStore;
  faults: ProviderFault[];
  seen: TokenRequestSeen[];
  origin: string;
  engines: Map<string, Provider>;
  control: Control | undefined;
}

const ALIASES = ['common', 'organizations'];
const KEPT_REQUESTS = 1000;

async function route(world: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', world.origin);
  if (url.pathname.startsWith('/.control/') && world.control !== undefined)
    return handleControl(request, response, world.control, world.faults);
  const [, segment = '', ...rest] = url.pathname.split('/');
  const path = `/${rest.join('/')}`;
  const correlation = String(request.headers['client-request-id'] ?? randomUUID());
  const tenant = tenantOf(world, segment);
  const provider = tenant === undefined ? undefined : world.engines.get(tenant.id);
  if (tenant === undefined || provider === undefined) {
    const text = `Tenant '${segment}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.`;
    return sendJson(response, 400, aadstsBody(90002, 'invalid_tenant', text, { correlation }));
  }
  if (path.startsWith('/interaction/')) return handleInteraction(request, response, provider, tenant);

  const isForm = request.method === 'POST';
  const params = isForm ? new URLSearchParams(await readBody(request)) : new URLSearchParams(url.search);
  if (await failOnPurpose(world, { method: request.method ?? 'GET', path, params }, response)) return;

  const asked: Asked = { request, segment, path, params, correlation };
  const issuer = `${world.origin}/${ALIASES.includes(segment) ? '{tenantid}' : tenant.id}/v2.0`;
  switch (path) {
    case '/v2.0/.well-known/openid-configuration':
    case '/.well-known/openid-configuration':
      return sendJson(response, 200, discoveryDocument(world.origin, segment, issuer));
    case '/discovery/v2.0/keys':
      return sendJson(response, 200, keySet(world.directory.signingKey.publicJwk, issuer));
    case '/adminconsent':
    case '/v2.0/adminconsent':
      return handleAdminConsent(asked, url.searchParams, response, tenant, world.directory);
    case '/oauth2/v2.0/token':
      remember(world, params);
      return answerToken(asked, response, provider, tenant, world.store);
    default:
      if (path.startsWith('/oauth2/v2.0/authorize')) return authorize(asked, response, provider, tenant);
      await provider.callback()(engineRequest(asked), response);
      return;
  }
}

function tenantOf({ directory }: World, segment: string): KnownTenant | undefined {
  if (ALIASES.includes(segment)) return directory.tenants[0];
  return directory.tenants.find(({ id, domain }) => id === segment || domain === segment.toLowerCase());
}

function remember(world: World, params: URLSearchParams): void {
  world.seen.push({
    at: Date.now(),
    grantType: params.get('grant_type') ?? '',
    clientId: params.get('client_id') ?? '',
  });
  if (world.seen.length > KEPT_REQUESTS) world.seen.shift();
}

async function failOnPurpose(
  world: World,
  asked: { method: string; path: string; params: URLSearchParams },
  response: ServerResponse,
): Promise<boolean> {
  const fault = takeFault(world.faults, asked);
  if (fault === undefined) return false;
  if (fault.delay !== undefined) await new Promise((resolve) => setTimeout(resolve, fault.delay));
  if (fault.destroy === true) response.destroy();
  else if (fault.wayBack !== undefined) sendBack(response, asked.params, fault.wayBack);
  else if (fault.status === undefined) return false;
  else sendJson(response, fault.status, fault.body, fault.headers);
  return true;
}

const addressOf = (origin: string, tenant: KnownTenant): TenantAddress => ({
  id: tenant.id,
  domain: tenant.domain,
  issuer: `${origin}/${tenant.id}/v2.0`,
  accessTokenIssuer: accessTokenIssuer(tenant.id),
  authorizeUrl: `${origin}/${tenant.id}/oauth2/v2.0/authorize`,
  tokenUrl: `${origin}/${tenant.id}/oauth2/v2.0/token`,
  users: tenant.users.map(({ upn, oid }) => ({ upn, oid })),
});

function controlOf(world: World): Control {
  const { directory, store } = world;
  const known = (upn: string): { tenant: KnownTenant; user: KnownTenant['users'][number] } => {
    for (const tenant of directory.tenants) {
      const user = userByName(tenant, upn);
      if (user !== undefined) return { tenant, user };
    }
    throw new Error(`No demo user is called ${upn}.`);
  };
  const client = (id: string): KnownTenant['clients'][number] => {
    const found = directory.tenants
      .flatMap(({ clients }) => clients)
      .find((candidate) => candidate.id === id);
    if (found === undefined) throw new Error(`No demo app has the client id ${id}.`);
    return found;
  };
  return {
    addFault: (fault) => {
      world.faults.push(fault);
    },
    addTrouble: (trouble, options) => {
      world.faults.push(faultOf(trouble, options));
    },
    clearFaults: () => {
      world.faults.length = 0;
    },
    revokeUser: (upn) => {
      const { tenant, user } = known(upn);
      store.revokeAccount(tenant.id, user.oid);
    },
    setUser: (upn, change) => {
      Object.assign(known(upn).user, change);
      directory.save();
    },
    setApp: (clientId, change) => {
      Object.assign(client(clientId), change);
      directory.save();
    },
    setTenant: (domain, change) => {
      const tenant = directory.tenants.find((candidate) => candidate.domain === domain);
      if (tenant === undefined) throw new Error(`No demo tenant is called ${domain}.`);
      Object.assign(tenant, change);
      directory.save();
    },
    addClientSecret: (clientId, secret) => {
      const app = client(clientId);
      app.secrets = [...(app.secrets ?? []), secret];
      directory.save();
    },
    expireClientSecrets: (clientId) => {
      const app = client(clientId);
      app.secrets = (app.secrets ?? []).map(({ value }) => ({ value, expires: Date.now() - 1000 }));
      directory.save();
    },
    mintAccessToken: async ({ upn, scope = MAIL_SCOPES.join(' '), ttlSeconds = 3599, audience }) => {
      const { tenant, user } = known(upn);
      const now = Math.floor(Date.now() / 1000);
      const expires = now + ttlSeconds;
      const claims = accessTokenClaims({
        tenant,
        user,
        clientId: tenant.clients[0]?.id ?? 'demo',
        audience: audience ?? resourcesOf(scope)[0] ?? 'https://outlook.office.com',
        scope,
        issuedAt: Math.min(now, expires - 1),
        expires,
      });
      return signAccessToken(claims, directory.signingKey);
    },
    tokenRequests: () => world.seen,
  };
}
