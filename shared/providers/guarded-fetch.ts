import { type LookupAddress, lookup } from 'node:dns';
import { type Agent, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { PostroomError } from '../platform/errors.ts';
import { type EndpointRules, endpointProblem, isPublicAddress } from './endpoint-safety.ts';

const MAX_ANSWER_BYTES = 1024 * 1024;
const DEADLINE_MS = 15_000;

export interface OutgoingRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  headers: Readonly<Record<string, string>>;
  body?: string | Uint8Array | undefined;
}

export interface Answer {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  text: string;
}

/**
 * Sends one request to a provider's endpoint and follows no redirects. The address is checked at connect
 * time, on the very address the socket uses, so that DNS rebinding has no effect.
 * @throws PostroomError `endpoint-refused` when the address is not allowed, `endpoint-private` when its
 * name currently resolves to a private address, `endpoint-silent` when there was no usable response; none
 * contains anything sent or received
 */
export async function guardedFetch(
  address: string,
  outgoing: OutgoingRequest,
  rules: EndpointRules,
): Promise<Answer> {
  const { host } = urlOf(address, rules);
  try {
    const response = await guardedRequest(address, outgoing, rules, {
      agent: false,
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.byteLength;
      if (size > MAX_ANSWER_BYTES)
        throw new PostroomError('endpoint-silent', `The answer of ${host} is too large.`);
      chunks.push(chunk);
    }
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      text: Buffer.concat(chunks).toString('utf8'),
    };
  } catch (error) {
    if (error instanceof PostroomError) throw error;
    throw new PostroomError('endpoint-silent', `No response from ${host}.`, { cause: error });
  }
}

/**
 * Sends one request as `guardedFetch` does, and returns the response as a stream. The caller reads it to its
 * end, or destroys it; a transfer that breaks off is an error of the stream.
 * @param options `agent`: keeps connections for the next request; `silenceMs`: how long the connection may be
 * silent; `onSent`: called once the whole request has left, so that the server may have acted on it
 * @throws PostroomError `endpoint-refused`, `endpoint-private`; otherwise the error of the socket
 */
export async function guardedRequest(
  address: string,
  outgoing: OutgoingRequest,
  rules: EndpointRules,
  options: {
    agent: Agent | false;
    signal: AbortSignal;
    silenceMs?: number;
    onSent?: (() => void) | undefined;
  },
): Promise<IncomingMessage> {
  const url = urlOf(address, rules);
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const request = send(
      url,
      {
        method: outgoing.method,
        headers: {
          ...outgoing.headers,
          ...(outgoing.body !== undefined && { 'content-length': Buffer.byteLength(outgoing.body) }),
        },
        signal: options.signal,
        agent: options.agent,
        ...(!rules.local && { lookup: publicLookup }),
      },
      resolve,
    );
    if (options.silenceMs !== undefined)
      request.setTimeout(options.silenceMs, () =>
        request.destroy(Object.assign(new Error('No answer in time'), { code: 'ETIMEDOUT' })),
      );
    if (options.onSent !== undefined) request.on('finish', options.onSent);
    request.on('error', reject);
    request.end(outgoing.body);
  });
}

function urlOf(address: string, rules: EndpointRules): URL {
  const problem = endpointProblem(address, rules);
  if (problem !== undefined) throw new PostroomError('endpoint-refused', problem);
  return new URL(address);
}

/** Resolves a name and accepts only public addresses; a single other address rejects the name. */
export function guardedLookup(resolve: typeof lookup): LookupFunction {
  return (hostname, options, callback) => {
    if (isIP(hostname) !== 0) {
      callback(refusal(hostname), '');
      return;
    }
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        callback(error, '');
        return;
      }
      const refused = addresses.find(({ address }) => !isPublicAddress(address));
      const [first] = addresses;
      if (refused !== undefined || first === undefined) callback(refusal(hostname), '');
      else if (options.all === true) callback(null, addresses satisfies LookupAddress[]);
      else callback(null, first.address, first.family);
    });
  };
}

/** For every socket to a host that a person entered. */
export const publicLookup: LookupFunction = guardedLookup(lookup);

const refusal = (hostname: string): PostroomError =>
  new PostroomError(
    'endpoint-private',
    `${hostname} resolves to a private address; Postroom connects only to public servers.`,
  );
