import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

const LARGEST_BODY = 1024 * 1024;

/** Reads a whole request body of up to 1 MiB. */
export const readBody = async (request: IncomingMessage): Promise<string> =>
  (await readBytes(request, LARGEST_BODY)).toString('utf8');

/** Reads a whole request body of up to so many bytes. */
export async function readBytes(request: IncomingMessage, largest: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const part = Buffer.from(chunk as Uint8Array);
    size += part.length;
    if (size > largest) throw new Error(`The body is larger than ${largest} bytes.`);
    chunks.push(part);
  }
  return Buffer.concat(chunks);
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store, no-cache',
    pragma: 'no-cache',
    ...headers,
  });
  response.end(body === undefined ? '' : JSON.stringify(body));
}

/**
 * Listens on loopback and returns the port.
 * @throws Error with a message that names the emulator when the port is taken
 */
export async function listen(server: Server | TlsServer, emulator: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void =>
      reject(error.code === 'EADDRINUSE' ? new Error(portTaken(emulator, port), { cause: error }) : error);
    server.once('error', failed);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', failed);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}

/** The message for a port that another program uses. */
export function portTaken(emulator: string, port: number): string {
  return `The ${emulator} needs port ${port}, but another program is using it. Is Postroom running already? End that program, or choose another port.`;
}

/** Stops listening, closes idle connections at once and the others after a moment. */
export async function closeServer(server: Server | TlsServer): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), 300).unref();
  });
}

/**
 * True when a control request may be processed: a page of another origin, which can reach loopback from a
 * browser, cannot send JSON without a preflight request and always names its origin.
 */
export function isOwnControlRequest(request: IncomingMessage): boolean {
  if (request.headers.origin !== undefined) return false;
  return request.method === 'GET' || (request.headers['content-type'] ?? '').startsWith('application/json');
}
