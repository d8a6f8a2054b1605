import { randomUUID } from 'node:crypto';

/** A refusal of Microsoft Graph, in its own words. */
export class GraphError extends Error {
  readonly status: number;
  readonly code: string;
  readonly detail: { code: string; target: string } | undefined;

  constructor(status: number, code: string, message: string, detail?: { code: string; target: string }) {
    super(message);
    this.status = status;
    this.code = code;
    this.detail = detail;
  }
}

/** The body of a refusal (Microsoft: "Microsoft Graph error responses and resource types"). */
export function graphErrorBody(
  code: string,
  message: string,
  detail?: { code: string; target: string },
): Record<string, unknown> {
  const id = randomUUID();
  return {
    error: {
      code,
      message,
      ...(detail !== undefined && { details: [{ code: detail.code, message, target: detail.target }] }),
      innerError: {
        date: new Date().toISOString().slice(0, 19),
        'request-id': id,
        'client-request-id': id,
      },
    },
  };
}

export const notFound = (name: string): GraphError =>
  new GraphError(
    404,
    'Request_ResourceNotFound',
    `Resource '${name}' does not exist or one of its queried reference-property objects are not present.`,
  );

export const denied = (message = 'Insufficient privileges to complete the operation.'): GraphError =>
  new GraphError(403, 'Authorization_RequestDenied', message);

export const badRequest = (message: string, detail?: { code: string; target: string }): GraphError =>
  new GraphError(400, 'Request_BadRequest', message, detail);

export const wrongMethod = (): GraphError =>
  badRequest('Specified HTTP method is not allowed for the request target.');

export const alreadyThere = (message: string): GraphError =>
  new GraphError(409, 'Request_MultipleObjectsWithSameKeyValue', message);

export const invalidToken = (message: string): GraphError =>
  new GraphError(401, 'InvalidAuthenticationToken', message);

/** What Graph says for a status when a fault names no body of its own. */
export function usualGraphBody(status: number): Record<string, unknown> {
  if (status === 400)
    return graphErrorBody('Request_BadRequest', 'Invalid value specified for property of resource.');
  if (status === 401)
    return graphErrorBody('InvalidAuthenticationToken', 'Lifetime validation failed, the token is expired.');
  if (status === 403)
    return graphErrorBody(
      'Authorization_RequestDenied',
      'Insufficient privileges to complete the operation.',
    );
  if (status === 404) {
    const { message } = notFound('demo');
    return graphErrorBody('Request_ResourceNotFound', message);
  }
  // Microsoft: "Microsoft Graph throttling guidance", sample response.
  if (status === 429) return graphErrorBody('TooManyRequests', 'Please retry again later.');
  return graphErrorBody('ServiceNotAvailable', 'The service is temporarily unavailable.');
}
