import type { Context } from 'hono';
import { downloadHeaders } from '../../shared/tickets/download-headers.ts';
import type { WebEnvironment } from './web-environment.ts';

/** Sends stored bytes as a file download, in chunks, at the client's pace. */
export function fileResponse(
  c: Context<WebEnvironment>,
  bytes: AsyncIterable<Uint8Array>,
  file: { filename: string | undefined; contentType: string },
): Response {
  return c.body(streamOf(bytes), 200, downloadHeaders(file));
}

/** Sends stored bytes strictly as plain text, in chunks. */
export function plainTextResponse(c: Context<WebEnvironment>, bytes: AsyncIterable<Uint8Array>): Response {
  return c.body(streamOf(bytes), 200, {
    'content-type': 'text/plain; charset=utf-8',
    'content-security-policy': "default-src 'none'; sandbox",
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
}

/** Reads on demand: only one chunk is in memory. */
function streamOf(bytes: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = bytes[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
