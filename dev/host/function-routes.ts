import type { IncomingMessage } from 'node:http';
import type { Core, RegisteredFunction } from './core.ts';
import type { HttpRequestData } from './core-types.ts';
import { type Answer, answerOf, readBody } from './http-answer.ts';
import { inRouteOrder, routePattern } from './route-template.ts';

/** The host's own limit where the setting names none. */
const USUAL_BODY_LIMIT = 104_857_600;

export interface FunctionRoutes {
  /** Calls the first function whose route and method fit; undefined when none does. */
  answer(request: IncomingMessage, url: URL, headers: Headers): Promise<Answer | undefined>;
}

/** The HTTP functions of an app behind the routes they registered. */
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

async function requestData(
  request: IncomingMessage,
  url: URL,
  headers: Headers,
  nullableParams: HttpRequestData['nullableParams'],
): Promise<HttpRequestData> {
  const nullableHeaders = Object.fromEntries([...headers].map(([name, value]) => [name, { value }]));
  const data = { url: url.href, method: request.method ?? 'GET', nullableHeaders, nullableParams };
  // The host hands a body on only when the request says how long it is: a chunked upload arrives empty on Azure too.
  if (Number(request.headers['content-length'] ?? 0) === 0) return data;
  return { ...data, body: { bytes: await readBody(request, bodyLimit()) } };
}

/**
 * Bytes that a request may bring. The host refuses a longer one before the app sees it.
 * https://learn.microsoft.com/azure/azure-functions/functions-app-settings#functions_request_body_size_limit
 */
const bodyLimit = (): number => Number(process.env['FUNCTIONS_REQUEST_BODY_SIZE_LIMIT'] || USUAL_BODY_LIMIT);

function namedParameters(groups: Record<string, string | undefined>): Record<string, { value: string }> {
  const named = Object.entries(groups).flatMap(([name, value]): [string, { value: string }][] =>
    value === undefined || /^\d+$/.test(name) ? [] : [[name, { value: decodeURIComponent(value) }]],
  );
  return Object.fromEntries(named);
}
