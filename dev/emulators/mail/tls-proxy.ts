import { connect, createServer, type TLSSocket } from 'node:tls';
import type { Endpoint } from './mail-world.ts';

export interface TlsProxyOptions {
  /** A port with implicit TLS. */
  readonly target: Endpoint;
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
  /** 0 or absent: a free one. */
  readonly port?: number;
}

/** A connection of a client and the one that was opened to the target for it. */
export interface SocketPair {
  readonly client: TLSSocket;
  readonly upstream: TLSSocket;
  /** Ends both at once. */
  end(): void;
}

export interface TlsProxy extends Endpoint {
  stop(): Promise<void>;
}

/**
 * Listens on loopback with TLS and opens a connection to the target for each client. When one end closes,
 * so does the other. `join` decides what passes between them.
 */
export async function startTlsProxy(
  { target, tls, port = 0 }: TlsProxyOptions,
  join: (pair: SocketPair) => void,
): Promise<TlsProxy> {
  const sockets = new Set<TLSSocket>();
  const server = createServer({ cert: tls.cert, key: tls.key }, (client) => {
    const upstream = connect({ host: target.host, port: target.port, ca: tls.ca });
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', end).on('close', () => {
        sockets.delete(socket);
        end();
      });
    }
    join({ client, upstream, end });
  });
  // A client that gives up during the handshake is not an error.
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port');
  return {
    host: '127.0.0.1',
    port: address.port,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
