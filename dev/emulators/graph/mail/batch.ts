import { badMailRequest, jsonOf, type MailCall, type MailReply, wrongMailMethod } from './mail-call.ts';

/** Microsoft: "Combine multiple HTTP requests using JSON batching". */
const MOST_REQUESTS = 20;

interface BatchRequest {
  id: string;
  method: string;
  url: string;
  headers?: Record<string, string>;
  body?: unknown;
  dependsOn?: string[];
}

interface BatchResponse {
  id: string;
  status: number;
  headers: Record<string, string>;
  body?: unknown;
}

/**
 * `$batch`: all requests at once, except those that depend on others; so more than four for one mailbox
 * meet its limit.
 * @param perform answers one request; refusals are replies
 */
export async function answerBatch(
  call: MailCall,
  perform: (part: MailCall) => Promise<MailReply>,
): Promise<MailReply> {
  if (call.method !== 'POST') throw wrongMailMethod();
  const requests = jsonOf(call)['requests'];
  if (!Array.isArray(requests)) throw badMailRequest('The batch request has no requests.');
  if (requests.length > MOST_REQUESTS)
    throw badMailRequest(`Number of batch request steps exceeds the maximum value of ${MOST_REQUESTS}.`);
  const running = new Map<string, Promise<BatchResponse>>();
  for (const request of requests as BatchRequest[]) {
    const before = (request.dependsOn ?? []).map((id) => running.get(id));
    const answer = async (): Promise<BatchResponse> => {
      // A request without dependencies starts at once, before the next one is looked at.
      if (before.length > 0) {
        const done = await Promise.all(before);
        if (done.some((one) => one === undefined || one.status >= 400))
          return { id: request.id, status: 424, headers: {} };
      }
      return respond(request.id, await perform(partOf(call, request)));
    };
    running.set(request.id, answer());
  }
  return { status: 200, body: { responses: await Promise.all(running.values()) } };
}

function partOf(call: MailCall, { method, url, headers = {}, body }: BatchRequest): MailCall {
  const address = new URL(`/v1.0/${url.replace(/^\/+/, '')}`, 'http://batch');
  return {
    ...call,
    method: method.toUpperCase(),
    segments: [],
    path: address.pathname,
    query: address.searchParams,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    body: Buffer.from(body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)),
  };
}

function respond(id: string, { status, body, headers = {} }: MailReply): BatchResponse {
  // Bytes travel in base64.
  const shown = Buffer.isBuffer(body) ? body.toString('base64') : body;
  return { id, status, headers: { ...headers }, ...(shown !== undefined && { body: shown }) };
}
