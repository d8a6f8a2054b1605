/** An app for the host's tests that streams its responses, with the product's own adapter and handlers that misbehave. */
import { app } from '@azure/functions';
import { watchAnswers } from '../../../functions/http/answer-flow.ts';
import { httpHandler } from '../../../functions/http/http-adapter.ts';

app.setup({ enableHttpStream: true });
watchAnswers();

const anonymous = {
  methods: ['GET', 'POST', 'HEAD'] as ('GET' | 'POST' | 'HEAD')[],
  authLevel: 'anonymous' as const,
};
let handedOut = 0;
let ended = 0;

/** A megabyte at a time, as often as it is read. */
function megabytes(count: number, failsAfter = Number.POSITIVE_INFINITY): ReadableStream<Uint8Array> {
  let given = 0;
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (given >= failsAfter) throw new Error('the storage went away');
        if (given >= count) return controller.close();
        given += 1;
        handedOut += 1;
        controller.enqueue(new Uint8Array(1024 * 1024));
      },
      cancel() {
        ended += 1;
      },
    },
    { highWaterMark: 0 },
  );
}

const pages = httpHandler(async () => async (request) => {
  const { pathname, searchParams } = new URL(request.url);
  if (pathname === '/throws') throw new Error('the reason');
  if (pathname === '/fails-at-once') return new Response(megabytes(5, 0));
  if (pathname === '/fails-later') return new Response(megabytes(5, 2));
  if (pathname === '/large') return new Response(megabytes(200));
  if (pathname === '/count') return Response.json({ handedOut, ended });
  const headers = new Headers({
    'x-query': searchParams.get('q') ?? '',
    'x-sent': request.headers.get('x-sent') ?? '',
  });
  headers.append('set-cookie', '__Host-sid=a%20b; Path=/; Secure; HttpOnly');
  headers.append('set-cookie', 'theme=dark');
  return new Response(`${request.method} ${request.url} ${await request.text()}`, { status: 201, headers });
});

app.http('raw', {
  ...anonymous,
  route: 'raw',
  handler: () => {
    throw new Error('nobody catches this');
  },
});
app.http('web', { ...anonymous, route: '{*path}', handler: pages });
