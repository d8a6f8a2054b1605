import type { HttpHandler, HttpRequest, HttpResponseInit } from '@azure/functions';
import { paths } from '../../shared/paths/paths.ts';
import { withTimeout } from '../../shared/platform/concurrency.ts';
import { log } from '../../shared/platform/log.ts';

/** As strict as the headers of the pages, which do not apply to this function. */
const headers = {
  'content-type': 'text/plain; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'strict-transport-security': 'max-age=31536000',
};

/** Graph's tokens have some hundred characters; the request line of the platform allows more. */
const LONGEST_TOKEN = 4096;
/** An event has about 600 bytes; Graph joins some of them in one request. */
const MOST_BYTES = 64 * 1024;
/**
 * Graph expects a response within three seconds, and drops the events of slow endpoints. Usually it takes some
 * hundredths of a second, whatever the request contains; the first request of a process also loads the code.
 */
const LIMIT_MS = 2_500;

/**
 * `POST /graph/notifications`, open to everyone: Microsoft Graph says that email arrived. It can only cause a
 * mailbox to be looked at, which happens anyway, and only with the clientState that Postroom gave to Graph.
 * Whatever a request contains, the response is the same: it does not tell whether an event was ours.
 *
 * 503 means that storage is unavailable or slow: Graph then sends the events again, for up to four hours.
 * https://learn.microsoft.com/graph/change-notifications-delivery-webhooks
 */
export const takeGraphNotifications: HttpHandler = async (request) => {
  const token = request.query.get('validationToken');
  if (token !== null) return validation(token);
  try {
    await withTimeout(receive(request), LIMIT_MS, 'too-slow');
    return { status: 202, headers };
  } catch (error) {
    log.error('graph events not taken', error);
    return { status: 503, headers };
  }
};

/**
 * When a subscription is made, Graph asks whether the endpoint wants its events, and expects its token as plain
 * text. Anyone can have a text of their choice echoed: hence plain text, nosniff, and no page that could run it.
 */
function validation(token: string): HttpResponseInit {
  if (token.length > LONGEST_TOKEN) return { status: 400, headers };
  return { status: 200, headers, body: token };
}

async function receive(request: HttpRequest): Promise<void> {
  const [body, { graphEvents, config, seam }, { noteRefusal }] = await Promise.all([
    readBody(request),
    import('../services.ts').then(({ services }) => services()),
    import('../http/record-refusal.ts'),
  ]);
  const refuse = (reason: 'too-large' | 'forged-event', times: number): void =>
    noteRefusal(
      { reason, times, method: request.method, route: paths.graphNotifications.pattern },
      { isMeasured: config.telemetry !== undefined, now: seam.now() },
    );
  if (body === undefined) return refuse('too-large', 1);
  const { refused } = await graphEvents.receive(body);
  if (refused > 0) refuse('forged-event', refused);
}

/** Undefined if it is larger than any request of Graph; the rest is not read. */
async function readBody({ body }: HttpRequest): Promise<string | undefined> {
  if (body === null) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > MOST_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
