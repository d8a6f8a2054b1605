import { downloadHeaders } from '../../shared/tickets/download-headers.ts';
import type { MailContext } from './mail-services.ts';

/** Hands stored bytes over as a file, piece by piece as the reader takes them. */
export function fileResponse(
  c: MailContext,
  bytes: AsyncIterable<Uint8Array>,
  file: { filename: string | undefined; contentType: string },
): Response {
  return c.body(streamOf(bytes), 200, downloadHeaders(file));
}

function streamOf(bytes: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = bytes[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await iterator.return?.();
    },
  });
}
