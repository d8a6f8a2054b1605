import * as oauth from 'oauth4webapi';
import type { DemoWorld } from '../platform/config.ts';
import { PostroomError } from '../platform/errors.ts';
import type { Seam } from '../platform/seam.ts';
import { endpointProblem } from '../providers/endpoint-safety.ts';
import { type Answer, guardedFetch } from '../providers/guarded-fetch.ts';
import { endpointsOf, type Provider, presetOf } from '../providers/provider.ts';
import { tidyTokenBody } from './grant.ts';
import { isIssuerOf } from './issuer-rules.ts';
import { secretsIn } from './sent-secrets.ts';
import { TokenEndpointError } from './token-endpoint-error.ts';
import { objectOf } from './token-failure.ts';

/** One request in progress. Its last response is kept for status and Retry-After. */
export interface Exchange {
  answer?: Answer;
  /** Secrets of the request; they are masked in a response that repeats them. */
  sent?: readonly string[];
  /** Corrects an `expires_in` for which the library would reject the whole response. */
  tidy?: boolean;
}

interface FetchOptions {
  method: 'GET' | 'POST';
  headers: Record<string, string>;
  body?: URLSearchParams | undefined;
}

/** The options that make the library send requests through our fetch. */
export interface Wire {
  [oauth.allowInsecureRequests]: boolean;
  [oauth.customFetch]: (url: string, options: FetchOptions) => Promise<Response>;
}

export interface OAuthServers {
  /**
   * The endpoints of a provider, from discovery (cached for an hour) or as entered.
   * @throws PostroomError `endpoint-refused` when an endpoint is not allowed; TokenEndpointError
   */
  of(provider: Provider): Promise<oauth.AuthorizationServer>;
  /** Our guarded fetch, for the library. */
  wire(exchange: Exchange): Wire;
}

interface Known {
  server: oauth.AuthorizationServer;
  until: number;
}
const METADATA_MS = 60 * 60_000;

export const hostOf = (server: oauth.AuthorizationServer): string =>
  new URL(server.token_endpoint ?? server.issuer).host;

/**
 * The endpoints and keys of providers, cached per process. Every request goes through the seam and to
 * vetted hosts only.
 */
export function createOAuthServers(deps: {
  config: { local: boolean; demo: DemoWorld | undefined };
  seam: Seam;
}): OAuthServers {
  const { config, seam } = deps;
  const known = new Map<string, Known>();
  const rules = { local: config.local };

  function wire(exchange: Exchange): Wire {
    return {
      [oauth.allowInsecureRequests]: config.local,
      [oauth.customFetch]: async (url, { method, headers, body }) => {
        exchange.sent = secretsIn(headers, body);
        const answer = await guardedFetch(url, { method, headers, body: body?.toString() }, rules);
        exchange.answer = answer;
        const text = exchange.tidy === true ? tidyTokenBody(answer.text) : answer.text;
        const empty = answer.status === 204 || answer.status === 304;
        return new Response(empty ? null : text, {
          status: answer.status,
          headers: { 'content-type': 'application/json' },
        });
      },
    };
  }

  async function discovered(provider: Provider, issuer: string): Promise<oauth.AuthorizationServer> {
    const before = known.get(issuer);
    if (before !== undefined && before.until > seam.now()) return before.server;
    const problem = endpointProblem(issuer, rules);
    if (problem !== undefined) throw new PostroomError('endpoint-refused', problem);
    const exchange: Exchange = {};
    const response = await seam.call('token.discovery', () =>
      oauth.discoveryRequest(new URL(issuer), wire(exchange)),
    );
    if (exchange.answer?.status !== 200) throw new TokenEndpointError(exchange, new URL(issuer).host);
    const announced = String(objectOf(exchange.answer.text)['issuer'] ?? '');
    if (!isIssuerOf(provider, issuer, announced))
      throw new PostroomError('endpoint-refused', `Discovery at ${issuer} names another issuer.`);
    const server = checked(provider, await oauth.processDiscoveryResponse(new URL(announced), response));
    known.set(issuer, { server, until: seam.now() + METADATA_MS });
    return server;
  }

  /**
   * Codes, secrets and tokens are sent only to allowed hosts: a preset's own, or public ones over https.
   */
  function checked(provider: Provider, server: oauth.AuthorizationServer): oauth.AuthorizationServer {
    const hosts = presetOf(provider, config).endpointHosts;
    for (const address of [server.authorization_endpoint, server.token_endpoint, server.jwks_uri]) {
      if (address === undefined) continue;
      const problem = endpointProblem(address, rules);
      if (problem !== undefined || (hosts !== undefined && !hosts.includes(new URL(address).hostname)))
        throw new PostroomError(
          'endpoint-refused',
          `${provider.name} has a URL that cannot be used. ${problem ?? ''}`.trim(),
        );
    }
    if (server.authorization_endpoint === undefined || server.token_endpoint === undefined)
      throw new PostroomError('endpoint-refused', `${provider.name} has no authorization endpoint.`);
    return server;
  }

  return {
    wire,
    async of(provider) {
      const endpoints = endpointsOf(provider, config);
      if (endpoints.kind === 'discovery') return discovered(provider, endpoints.issuer);
      const { authorization, token } = endpoints;
      return checked(provider, {
        issuer: new URL(token).origin,
        authorization_endpoint: authorization,
        token_endpoint: token,
      });
    },
  };
}
