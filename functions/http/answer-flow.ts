import { subscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { log } from '../../shared/platform/log.ts';

// With `enableHttpStream` the library responds over its own server. It writes a body as fast as it is
// produced, whether or not the client reads it, and leaves the client waiting forever when a body fails.
// The library does not expose the server's response, so it is captured here.

const INVOCATION = 'x-ms-invocation-id';
const answers = new Map<string, ServerResponse>();

/**
 * Call once, before the library's server gets its first request.
 * https://nodejs.org/api/diagnostics_channel.html#http
 */
export function watchAnswers(): void {
  subscribe('http.server.request.start', (message) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    const id = request.headers[INVOCATION];
    if (typeof id !== 'string' || answers.has(id)) return;
    answers.set(id, response);
    response.once('close', () => answers.delete(id));
  });
}

/**
 * Streams a body at the client's pace: the next chunk is read when the previous one has been sent. A client
 * that disconnects ends the body, and a body that fails breaks the connection, so that a partial file is
 * never taken for a whole one.
 * @throws what the body throws at its first chunk, while another response is still possible
 */
export async function atReadersPace(
  body: ReadableStream<Uint8Array>,
  invocationId: string,
): Promise<ReadableStream<Uint8Array>> {
  const answer = answers.get(invocationId);
  const reader = body.getReader();
  let next: ReadableStreamReadResult<Uint8Array> | undefined = await reader.read();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          if (answer?.writableNeedDrain === true) await drainedOrClosed(answer);
          if (answer?.destroyed === true) {
            controller.close();
            await reader.cancel();
            return;
          }
          const { done, value } = next ?? (await reader.read());
          next = undefined;
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          log.error('response interrupted', error, {});
          if (answer === undefined) controller.error(error);
          else {
            answer.destroy();
            controller.close();
          }
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

async function drainedOrClosed(answer: ServerResponse): Promise<void> {
  const removal = new AbortController();
  const { signal } = removal;
  try {
    await Promise.race([once(answer, 'drain', { signal }), once(answer, 'close', { signal })]);
  } finally {
    // Removes the other listener.
    removal.abort();
  }
}
