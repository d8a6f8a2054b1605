import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request as sendRequest } from 'node:http';
import type { Core, RegisteredFunction } from './core.ts';
import type { HttpRequestData } from './core-types.ts';
import { type Answer, answerOf, readBody } from './http-answer.ts';
import { inRouteOrder, routePattern } from './route-template.ts';

/** The host's limit if no setting names one. */
const USUAL_BODY_LIMIT = 104_857_600;

export interface FunctionRoutes {
  /** Calls the first function whose route and method match; undefined if none does. */
  answer(request: IncomingMessage, url: URL, headers: Headers): Promise<Answer | undefined>;
}

/** The HTTP functions of an app with the routes that they registered. */
export function functionRoutes(core: Core, routePrefix: string): FunctionRoutes {
  const http = [...core.functions.values()].filter(({ trigger }) => trigger.type === 'httpTrigger');
  const routes = inRouteOrder(http).map((target) => ({
    target,
    methods: target.trigger.methods?.map((method) => method.toUpperCase()),
    pattern: routePattern(routePrefix, target.trigger.route ?? target.name),
  }));

  return {
    async answer(request, url, headers) {
      const method = request.method ?? 'GET';
      for (const { target, methods, pattern } of routes) {
        if (methods !== undefined && !methods.includes(method)) continue;
        const match = pattern.exec({ pathname: url.pathname });
        if (match === null) continue;
        const params = namedParameters(match.pathname.groups);
        if (core.httpUri !== undefined)
          return forward(core, target, { request, url, headers, params, httpUri: core.httpUri });
        const data = { http: await requestData(request, url, headers, params) };
        return answerOf(await httpResultOf(core, target, data));
      }
      return undefined;
    },
  };
}

async function httpResultOf(core: Core, target: RegisteredFunction, data: { http: HttpRequestData }) {
  const { returnValue } = await core.invoke(target, { data });
  return returnValue?.http;
}

/**
 * An app that streams responses has its own server: the host announces the call, forwards the request to
 * that server and streams its response back. A call that fails before it responds leaves the caller
 * waiting, as on Azure.
 * https://github.com/Azure/azure-functions-nodejs-library/issues/324
 */
async function forward(
  core: Core,
  target: RegisteredFunction,
  call: {
    request: IncomingMessage;
    url: URL;
    headers: Headers;
    params: HttpRequestData['nullableParams'];
    httpUri: string;
  },
): Promise<Answer> {
  const { request, url, headers, params, httpUri } = call;
  const invocationId = randomUUID();
  const body = await readBody(request, bodyLimit());
  const passedOn = sendRequest(new URL(url.pathname + url.search, httpUri), {
    method: request.method ?? 'GET',
    headers: {
      ...Object.fromEntries([...headers].filter(([name]) => !OF_THE_HOP.has(name))),
      'content-length': String(body.byteLength),
      'x-ms-invocation-id': invocationId,
      'x-forwarded-host': url.host,
      'x-forwarded-proto': url.protocol.slice(0, -1),
    },
  });
  const answered = once(passedOn, 'response') as Promise<[IncomingMessage]>;
  passedOn.end(body);
  const triggerMetadata = {
    Headers: { json: JSON.stringify(Object.fromEntries(headers)) },
    ...Object.fromEntries(Object.entries(params).map(([name, { value }]) => [name, { string: value }])),
  };
  core
    .invoke(target, { invocationId, data: { http: emptyRequest(url, request) }, triggerMetadata })
    .catch((error: unknown) => core.log('error', `${request.method} failed: ${String(error)}`));
  const [answer] = await answered;
  const kept = Object.entries(answer.headersDistinct).filter(([name]) => !OF_THE_HOP.has(name));
  return {
    status: answer.statusCode ?? 200,
    headers: Object.fromEntries(
      kept.map(([name, value = []]) => [name, value.length === 1 ? (value[0] ?? '') : value]),
    ),
    body: answer,
  };
}

const emptyRequest = (url: URL, { method = 'GET' }: IncomingMessage): HttpRequestData => ({
  url: url.href,
  method,
  nullableHeaders: {},
  nullableParams: {},
});

/** Headers of one connection, not of the message (RFC 9110 §7.6.1). */
const OF_THE_HOP = new Set([
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

async function requestData(
  request: IncomingMessage,
  url: URL,
  headers: Headers,
  nullableParams: HttpRequestData['nullableParams'],
): Promise<HttpRequestData> {
  const nullableHeaders = Object.fromEntries([...headers].map(([name, value]) => [name, { value }]));
  const data = { url: url.href, method: request.method ?? 'GET', nullableHeaders, nullableParams };
  // The host forwards a body only if the request states its length: a chunked upload arrives empty on Azure
  // too.
  if (Number(request.headers['content-length'] ?? 0) === 0) return data;
  return { ...data, body: { bytes: await readBody(request, bodyLimit()) } };
}

/**
 * Maximum bytes of a request body. The host refuses a longer one before the app sees it.
 * https://learn.microsoft.com/azure/azure-functions/functions-app-settings#functions_request_body_size_limit
 */
const bodyLimit = (): number => Number(process.env['FUNCTIONS_REQUEST_BODY_SIZE_LIMIT'] || USUAL_BODY_LIMIT);

function namedParameters(groups: Record<string, string | undefined>): Record<string, { value: string }> {
  const named = Object.entries(groups).flatMap(([name, value]): [string, { value: string }][] =>
    value === undefined || /^\d+$/.test(name) ? [] : [[name, { value: decodeURIComponent(value) }]],
  );
  return Object.fromEntries(named);
}
