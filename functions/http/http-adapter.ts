import { randomBytes } from 'node:crypto';
import type { Cookie, HttpHandler, HttpRequest, HttpResponseInit } from '@azure/functions';
import { log } from '../../shared/platform/log.ts';
import { atReadersPace } from './answer-flow.ts';

/** A web application as the Fetch standard defines it. */
export type FetchApp = (request: Request) => Response | Promise<Response>;

/** The reference of an error: shown to the person and written to the log. Eight characters. */
export function newReference(): string {
  return randomBytes(4).toString('hex');
}

/**
 * Serves a fetch-style app from an HTTP function. The app is loaded at the first request, so that the first
 * health check does not wait for it. Never throws: a failure becomes a page with a reference. A handler
 * that throws would leave the client without a response, because responses are streamed:
 * https://github.com/Azure/azure-functions-nodejs-library/issues/324
 */
export function httpHandler(load: () => Promise<FetchApp>): HttpHandler {
  return async (request, { invocationId }) => {
    try {
      const app = await load();
      return await toHttpResponse(await app(toRequest(request)), invocationId);
    } catch (error) {
      const reference = newReference();
      log.error('request failed', error, { reference, method: request.method });
      return failurePage(reference);
    }
  };
}

/** Azure's request as a standard one. GET and HEAD have no body. */
export function toRequest(request: HttpRequest): Request {
  const { method, headers } = request;
  if (method === 'GET' || method === 'HEAD' || request.body === null)
    return new Request(request.url, { method, headers });
  // Node requires `duplex` for a streamed body; the DOM's type does not have the field yet.
  const init: RequestInit & { duplex: 'half' } = {
    method,
    headers,
    body: request.body as ReadableStream<Uint8Array<ArrayBuffer>>,
    duplex: 'half',
  };
  return new Request(request.url, init);
}

/**
 * A standard response as Azure's. Cookies use the field `cookies`: the worker stores headers in a map,
 * which would keep only the last `Set-Cookie`. The body is streamed.
 * @throws what the body throws at its first chunk
 */
async function toHttpResponse(response: Response, invocationId: string): Promise<HttpResponseInit> {
  const headers = new Headers(response.headers);
  headers.delete('set-cookie');
  const cookies = response.headers.getSetCookie().map(parseSetCookie);
  const init: HttpResponseInit = { status: response.status, headers, cookies };
  if (response.body === null) return init;
  return { ...init, body: await atReadersPace(response.body, invocationId) };
}

const SAME_SITE: Readonly<Record<string, 'Strict' | 'Lax' | 'None'>> = {
  strict: 'Strict',
  lax: 'Lax',
  none: 'None',
};

/**
 * Parses a `Set-Cookie` line (RFC 6265 §4.1). The name keeps its case, which `__Host-` needs; only the
 * first `=` separates. The value is decoded because the Functions host encodes it again.
 */
export function parseSetCookie(line: string): Cookie {
  const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
  const [name, value] = splitOnce(pair);
  const cookie: Cookie = { name, value: decoded(value) };
  for (const attribute of attributes) {
    const [key, text] = splitOnce(attribute);
    switch (key.toLowerCase()) {
      case 'path':
        cookie.path = text;
        break;
      case 'domain':
        cookie.domain = text;
        break;
      case 'max-age':
        cookie.maxAge = Number(text);
        break;
      case 'expires':
        cookie.expires = new Date(text);
        break;
      case 'secure':
        cookie.secure = true;
        break;
      case 'httponly':
        cookie.httpOnly = true;
        break;
      case 'samesite':
        cookie.sameSite = SAME_SITE[text.toLowerCase()];
        break;
    }
  }
  return cookie;
}

function splitOnce(text: string): [string, string] {
  const at = text.indexOf('=');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Has no dependencies, because it is shown when the pages themselves can't be loaded. */
function failurePage(reference: string): HttpResponseInit {
  return {
    status: 500,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
      'x-content-type-options': 'nosniff',
      'strict-transport-security': 'max-age=31536000',
    },
    body: `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Something went wrong · Postroom</title></head><body><main><h1>Something went wrong</h1><p>Postroom could not show this page. No mail is lost: it stays in the mailbox until it is stored.</p><p>Try again in a minute. If it happens again, give your administrator this reference: <strong>${reference}</strong></p></main></body></html>`,
  };
}
