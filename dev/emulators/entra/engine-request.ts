import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { isKnownScope, SOFT_OFFLINE, words } from './scopes.ts';

/** One request after the tenant is found and the body is read. */
export interface Asked {
  request: IncomingMessage;
  /** First part of the path: ID or domain of the tenant, or an alias. */
  segment: string;
  /** The path after it, e.g. `/oauth2/v2.0/token`. */
  path: string;
  /** Query of a GET, form of a POST. */
  params: URLSearchParams;
  correlation: string;
}

const GRAPH = 'https://graph.microsoft.com';

/** A bare permission name means Graph's (Microsoft: "Scopes and permissions in the Microsoft identity platform"). */
const fullName = (name: string): string =>
  !name.includes('/') && isKnownScope(`${GRAPH}/${name}`) ? `${GRAPH}/${name}` : name;

/** The scope string as passed to the engine. */
export const engineScope = (scope: string): string =>
  words(scope)
    .map((name) => (name === 'offline_access' ? SOFT_OFFLINE : fullName(name)))
    .join(' ');

/**
 * The request as oidc-provider must see it. It takes the difference of `originalUrl` and `url` as its mount
 * path, so that its links contain the tenant.
 */
export function engineRequest(asked: Asked): IncomingMessage {
  const { request, segment, path, params } = asked;
  const isForm = request.method === 'POST';
  const search = isForm || params.size === 0 ? '' : `?${params.toString()}`;
  const address = { url: `${path}${search}`, originalUrl: `/${segment}${path}${search}` };
  if (!isForm) return Object.assign(request, address);
  const body = Buffer.from(params.toString());
  const copy = Object.assign(Readable.from([body]), {
    ...address,
    method: request.method,
    headers: { ...request.headers, 'content-length': String(body.length) },
    rawHeaders: request.rawHeaders,
    socket: request.socket,
    connection: request.socket,
    httpVersion: request.httpVersion,
    httpVersionMajor: 1,
    httpVersionMinor: 1,
  });
  // The body is already read and changed: this object replaces the request, with everything that Koa reads
  // from one.
  return copy as unknown as IncomingMessage;
}
