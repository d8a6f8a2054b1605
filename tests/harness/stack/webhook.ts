import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Webhook {
  readonly url: string;
  /** What arrived, in order; validation requests are not among it. */
  readonly events: Record<string, unknown>[];
  /** Statuses for the next notifications; then 202. */
  readonly statuses: number[];
  /** Waits until so many events arrived. */
  received(count: number): Promise<Record<string, unknown>[]>;
}

/** An endpoint for change notifications that lives as long as its test. */
export async function openWebhook(options: { isValid?: boolean } = {}): Promise<Webhook> {
  const events: Record<string, unknown>[] = [];
  const statuses: number[] = [];
  const server = createServer((request, response) => {
    const token = new URL(request.url ?? '/', 'http://localhost').searchParams.get('validationToken');
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (token !== null) {
        response.writeHead(200, { 'content-type': 'text/plain' });
        response.end(options.isValid === false ? 'something else' : token);
        return;
      }
      const status = statuses.shift() ?? 202;
      if (status === 202) {
        const { value } = JSON.parse(Buffer.concat(chunks).toString()) as {
          value: Record<string, unknown>[];
        };
        events.push(...value);
      }
      response.writeHead(status);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/push`,
    events,
    statuses,
    async received(count) {
      for (const deadline = Date.now() + 60_000; Date.now() < deadline; ) {
        if (events.length >= count) return events;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      throw new Error(`${events.length} events arrived, not ${count}`);
    },
  };
}
