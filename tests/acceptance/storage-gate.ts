import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface StorageGate extends AsyncDisposable {
  /** Connects through the proxy; tables, blobs and queues are the ones behind it. */
  connectionString: string;
  /** Number of requests so far. */
  count(): number;
  /**
   * Calls back once with the request's name at request number `at` (counted from one): when it arrives, which is then
   * not forwarded, or after its response was sent.
   */
  at(number: number, when: 'before' | 'after', callback: (name: string) => void): void;
  /** Cancels the pending callback. */
  forget(): void;
}

const LEASE = '6f2c1d9e-0000-4000-8000-000000000001';

/**
 * A storage proxy that counts its requests. A test can interrupt at a request instead of after some milliseconds, which
 * mean something different each time on a busy machine.
 * @param ignoreLeases every lease is granted to every caller.
 */
export async function openStorageGate(
  connectionString: string,
  { ignoreLeases = false } = {},
): Promise<StorageGate> {
  let requests = 0;
  const waiting = new Map<string, (name: string) => void>();
  const strike = (number: number, when: string, incoming: IncomingMessage): boolean => {
    const callback = waiting.get(`${number} ${when}`);
    waiting.delete(`${number} ${when}`);
    callback?.(`${when} ${nameOf(incoming)}`);
    return callback !== undefined;
  };

  async function open(target: URL): Promise<{ port: number; close(): Promise<void> }> {
    const server = createServer((incoming, outgoing) => {
      const number = ++requests;
      incoming.on('error', () => undefined);
      outgoing.on('error', () => undefined);
      if (strike(number, 'before', incoming)) return;
      if (ignoreLeases && incoming.url?.includes('comp=lease') === true) grantLease(incoming, outgoing);
      else forward(target, incoming, outgoing, () => strike(number, 'after', incoming));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return {
      port: (server.address() as AddressInfo).port,
      async close() {
        server.close();
        server.closeAllConnections();
        await once(server, 'close');
      },
    };
  }

  const gates: { close(): Promise<void> }[] = [];
  const parts: string[] = [];
  for (const part of connectionString.split(';')) {
    const [, name, address] = /^(\w+Endpoint)=(.+)$/.exec(part) ?? [];
    if (name === undefined || address === undefined) {
      parts.push(part);
      continue;
    }
    const target = new URL(address);
    const gate = await open(new URL(address));
    gates.push(gate);
    target.port = String(gate.port);
    parts.push(`${name}=${target.href}`);
  }
  return {
    connectionString: parts.join(';'),
    count: () => requests,
    at: (number, when, callback) => waiting.set(`${number} ${when}`, callback),
    forget: () => waiting.clear(),
    async [Symbol.asyncDispose]() {
      await Promise.all(gates.map((gate) => gate.close()));
    },
  };
}

/** Such as `POST $batch`, `GET Ledger`, `PUT raw`: the operation and its table or kind of blob. */
function nameOf({ method, url = '' }: IncomingMessage): string {
  const { pathname, searchParams } = new URL(url, 'http://storage');
  const [, , first = '', second = ''] = pathname.split('/');
  const what = searchParams.get('comp') === 'lease' ? 'lease' : first === 'postroom' ? second : first;
  return `${method} ${decodeURIComponent(what).replace(/\(.*/, '')}`;
}

/** Signatures cover the path and not the host, so a request is forwarded unchanged. */
function forward(target: URL, incoming: IncomingMessage, outgoing: ServerResponse, after: () => void): void {
  const { method, url, headers } = incoming;
  const passed = request(
    { host: target.hostname, port: target.port, method, path: url, headers },
    (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(outgoing);
      outgoing.on('finish', after);
    },
  );
  // The process on the other side was killed, or the storage is gone: both see a broken connection.
  passed.on('error', () => outgoing.destroy());
  incoming.on('close', () => {
    if (!incoming.complete) passed.destroy();
  });
  incoming.pipe(passed);
}

/** https://learn.microsoft.com/rest/api/storageservices/lease-blob */
function grantLease(incoming: IncomingMessage, outgoing: ServerResponse): void {
  const acquires = incoming.headers['x-ms-lease-action'] === 'acquire';
  incoming.resume();
  outgoing.writeHead(acquires ? 201 : 200, {
    'x-ms-lease-id': LEASE,
    'x-ms-version': '2021-12-02',
    etag: '"0x8D000000000000"',
    'last-modified': new Date().toUTCString(),
    'content-length': '0',
  });
  outgoing.end();
}
