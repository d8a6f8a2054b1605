import { mapLimited } from '../../../../shared/platform/concurrency.ts';
import { badMailRequest, jsonOf, type MailCall, type MailReply } from './mail-call.ts';

/** https://learn.microsoft.com/graph/json-batching#batch-size-limitations */
const MOST = 20;
/** Graph sends up to four requests of a batch to Outlook at a time (Microsoft Q&A 1660054). */
const AT_A_TIME = 4;

interface Part {
  id: string;
  method: string;
  url: string;
  headers?: Record<string, string>;
  body?: unknown;
}

/** `POST /$batch`: each request succeeds or fails for itself; `dependsOn` is not supported. */
export async function answerBatch(
  call: MailCall,
  answer: (part: { method: string; url: URL; headers: Record<string, string>; body: Buffer }) => Promise<MailReply>,
): Promise<MailReply> {
  const { requests } = jsonOf(call);
  if (!Array.isArray(requests) || requests.length === 0 || !requests.every(isPart))
    throw badMailRequest('Invalid batch payload format.');
  if (requests.length > MOST)
    throw badMailRequest(`Number of batch request steps exceeds the maximum value of ${MOST}.`);
  if (new Set(requests.map(({ id }) => id)).size < requests.length)
    throw badMailRequest('Request Id is duplicated.');
  const responses = await mapLimited(requests, AT_A_TIME, async ({ id, method, url, headers = {}, body }) => {
    const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    const reply = await answer({
      method,
      url: new URL(`http://localhost/v1.0${url}`),
      headers: { ...lower, authorization: call.headers['authorization'] ?? '' },
      body: Buffer.from(body === undefined ? '' : JSON.stringify(body)),
    });
    const isBytes = Buffer.isBuffer(reply.body);
    return {
      id,
      status: reply.status,
      headers: { ...reply.headers, ...(!isBytes && { 'content-type': 'application/json' }) },
      ...(reply.body !== undefined && { body: isBytes ? (reply.body as Buffer).toString('base64') : reply.body }),
    };
  });
  return { status: 200, body: { responses } };
}

const isPart = (value: unknown): value is Part => {
  const { id, method, url } = (value ?? {}) as Partial<Part>;
  return typeof id === 'string' && typeof method === 'string' && typeof url === 'string' && url.startsWith('/');
};
