import { subscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { log } from '../../shared/platform/log.ts';

// With `enableHttpStream` the library answers over a server of its own, but writes a body as fast as it comes, whether the
// reader takes it or not, and leaves the reader waiting for ever where a body breaks off. What it does not hand out, the
// server's answer, is heard of here.

const INVOCATION = 'x-ms-invocation-id';
const answers = new Map<string, ServerResponse>();

/** Once, before the library's server takes its first request. https://nodejs.org/api/diagnostics_channel.html#http */
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
 * A body at the pace of its reader: the next piece is asked for when the last one has left. Who goes away ends it, and a
 * body that breaks off breaks the connection, so that nobody takes half a file for a whole one.
 * @throws what the body throws at its first piece, while there is still time for another answer
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
          log.error('an answer broke off', error, {});
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
  const settled = new AbortController();
  const { signal } = settled;
  try {
    await Promise.race([once(answer, 'drain', { signal }), once(answer, 'close', { signal })]);
  } finally {
    // Takes the other listener away.
    settled.abort();
  }
}
