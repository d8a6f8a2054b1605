import { once } from 'node:events';
import {
  Agent,
  createServer,
  type IncomingMessage,
  type RequestOptions,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** A kind of request with its own price. */
export type StorageOperation =
  | 'table'
  | 'queue'
  /** A read of an empty queue. */
  | 'queue-empty'
  | 'blob-write'
  | 'blob-read'
  | 'blob-delete';

export interface StorageProxy extends AsyncDisposable {
  /** The connection string through the proxy. */
  connectionString: string;
  /** Requests answered so far, by kind. */
  counts(): Readonly<Record<StorageOperation, number>>;
  /** Bytes of mail and other blobs written so far. */
  blobBytes(): number;
  /** While it is down, connections are refused as if nothing listened. */
  setDown(down: boolean): void;
  /**
   * While it is silent, connections and requests are accepted and never answered, as behind a firewall that
   * drops packets.
   */
  setSilent(silent: boolean): void;
}

type Service = 'blob' | 'queue' | 'table';

/** A storage proxy that counts requests and can be cut off. */
export async function startStorageProxy(connectionString: string): Promise<StorageProxy> {
  const counts: Record<StorageOperation, number> = {
    table: 0,
    queue: 0,
    'queue-empty': 0,
    'blob-write': 0,
    'blob-read': 0,
    'blob-delete': 0,
  };
  const state = { down: false, silent: false, blobBytes: 0 };
  const agent = new Agent({ keepAlive: true });
  const servers: Server[] = [];

  async function open(service: Service, target: URL): Promise<number> {
    const server = createServer((incoming, outgoing) => {
      incoming.on('error', () => undefined);
      outgoing.on('error', () => undefined);
      if (state.down) {
        incoming.socket.destroy();
        return;
      }
      if (state.silent) return;
      if (service === 'blob' && incoming.method === 'PUT')
        state.blobBytes += Number(incoming.headers['content-length'] ?? 0);
      forward(agent, target, incoming, outgoing, (answered) => {
        counts[operationOf(service, incoming, answered)] += 1;
      });
    });
    server.on('connection', (socket) => {
      if (state.down) socket.destroy();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  const parts = await Promise.all(
    connectionString.split(';').map(async (part) => {
      const [, name, address] = /^(Blob|Queue|Table)Endpoint=(.+)$/.exec(part) ?? [];
      if (name === undefined || address === undefined) return part;
      const target = new URL(address);
      const port = await open(name.toLowerCase() as Service, new URL(address));
      target.port = String(port);
      return `${name}Endpoint=${target.href}`;
    }),
  );
  return {
    connectionString: parts.join(';'),
    counts: () => ({ ...counts }),
    blobBytes: () => state.blobBytes,
    setDown: (down) => {
      state.down = down;
      if (down) for (const server of servers) server.closeAllConnections();
    },
    setSilent: (silent) => {
      state.silent = silent;
    },
    async [Symbol.asyncDispose]() {
      agent.destroy();
      await Promise.all(
        servers.map(async (server) => {
          server.close();
          server.closeAllConnections();
          await once(server, 'close');
        }),
      );
    },
  };
}

function forward(
  agent: Agent,
  target: URL,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  answered: (answer: { status: number; body: Buffer }) => void,
): void {
  const options: RequestOptions = {
    agent,
    host: target.hostname,
    port: target.port,
    method: incoming.method ?? 'GET',
    path: incoming.url ?? '/',
    headers: incoming.headers,
  };
  const onward = request(options, (response) => {
    const parts: Buffer[] = [];
    response.on('data', (part: Buffer) => {
      // Enough to see whether a queue was empty.
      if (parts.length === 0) parts.push(part.subarray(0, 500));
    });
    response.on('end', () => answered({ status: response.statusCode ?? 0, body: Buffer.concat(parts) }));
    response.on('error', () => outgoing.destroy());
    outgoing.writeHead(response.statusCode ?? 500, response.headers);
    response.pipe(outgoing);
  });
  onward.on('error', () => outgoing.destroy());
  // A client that has given up leaves nothing running behind the proxy.
  outgoing.on('close', () => {
    if (!outgoing.writableEnded) onward.destroy();
  });
  incoming.pipe(onward);
}

/**
 * Azure's price list: for blobs, writes (including lists) are expensive, reads (including leases) are cheap
 * and deletes are free.
 */
function operationOf(
  service: Service,
  { method = 'GET', url = '' }: IncomingMessage,
  { body }: { status: number; body: Buffer },
): StorageOperation {
  if (service === 'table') return 'table';
  if (service === 'queue')
    return method === 'GET' && url.includes('/messages') && !body.includes('<MessageId>')
      ? 'queue-empty'
      : 'queue';
  if (method === 'DELETE') return 'blob-delete';
  if (url.includes('comp=list')) return 'blob-write';
  if (url.includes('comp=lease')) return 'blob-read';
  return method === 'PUT' || method === 'POST' ? 'blob-write' : 'blob-read';
}
