import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { CookieData, HttpResponseData } from './core-types.ts';

/** A response of the host itself or of a function, before it is written. */
export interface Answer {
  status: number;
  headers: Readonly<Record<string, string | string[]>>;
  /** A stream: the app's own response, as it arrives. */
  body?: Uint8Array | string | Readable | undefined;
}

/** The body was larger than the host accepts. */
export class BodyTooLarge extends Error {}

/**
 * Reads a request's body.
 * @throws BodyTooLarge before anything is read if the request says that it is longer than `limit` bytes,
 * otherwise as soon as more have arrived; Node discards the rest
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<Uint8Array> {
  if (Number(request.headers['content-length'] ?? 0) > limit)
    throw new BodyTooLarge(`more than ${limit} bytes`);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > limit) throw new BodyTooLarge(`more than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Writes a function's response as the Functions host does; no response is an empty 200. */
export function answerOf(http: HttpResponseData | undefined): Answer {
  if (http === undefined) return { status: 200, headers: {} };
  const headers: Record<string, string | string[]> = { ...http.headers };
  if (http.cookies !== undefined && http.cookies.length > 0)
    headers['set-cookie'] = http.cookies.map(setCookieLine);
  return {
    status: Number(http.statusCode ?? 200),
    headers,
    body: http.body?.bytes ?? http.body?.string,
  };
}

/** In the order and case in which ASP.NET writes it. */
function setCookieLine(cookie: CookieData): string {
  const { name, value, domain, path, expires, secure, httpOnly, sameSite, maxAge } = cookie;
  const parts = [`${name}=${encodeURIComponent(value)}`];
  if (expires !== undefined)
    parts.push(`expires=${new Date(Number(expires.value.seconds) * 1000).toUTCString()}`);
  if (maxAge !== undefined) parts.push(`max-age=${maxAge.value}`);
  if (domain !== undefined) parts.push(`domain=${domain.value}`);
  parts.push(`path=${path?.value ?? '/'}`);
  if (secure?.value === true) parts.push('secure');
  if (sameSite !== undefined && sameSite !== 'none')
    parts.push(`samesite=${sameSite === 'explicitNone' ? 'none' : sameSite}`);
  if (httpOnly?.value === true) parts.push('httponly');
  return parts.join('; ');
}
