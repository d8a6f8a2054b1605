/** Foreign servers that behave as the real ones do, and record everything they receive. */
import { createServer } from 'node:http';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Certificates } from '../../../dev/emulators/certificates.ts';

export interface TokenServer {
  origin: string;
  /** Bodies of the token requests, each with its Authorization header. */
  heard: string[];
  /** The response to a token request; undefined: as an OAuth server would respond. */
  answer: ((body: URLSearchParams) => { status: number; body: unknown }) | undefined;
  /** Runs before a response is sent. */
  onHeard: (() => Promise<void>) | undefined;
  stop(): Promise<void>;
}

/**
 * An OAuth 2.0 server without id_tokens: tokens for every code and every refresh token that it issued. It supports
 * discovery.
 */
export async function startTokenServer(): Promise<TokenServer> {
  let given = 0;
  const usual = (body: URLSearchParams): { status: number; body: unknown } => {
    if (body.get('refresh_token') === 'postroom-preflight')
      return { status: 400, body: { error: 'invalid_grant' } };
    given += 1;
    return {
      status: 200,
      body: {
        access_token: `access-token-${given}-of-${origin}`,
        refresh_token: `refresh-token-${given}-of-${origin}`,
        token_type: 'Bearer',
        expires_in: 3600,
      },
    };
  };
  const http = createServer((request, response) => {
    void (async () => {
      let text = '';
      for await (const chunk of request) text += String(chunk);
      response.setHeader('content-type', 'application/json');
      if (request.method === 'GET') {
        response.end(
          JSON.stringify({
            issuer: origin,
            authorization_endpoint: `${origin}/authorize`,
            token_endpoint: `${origin}/token`,
          }),
        );
        return;
      }
      server.heard.push(`${text}\n${request.headers.authorization ?? ''}`);
      await server.onHeard?.();
      const { status, body } = (server.answer ?? usual)(new URLSearchParams(text));
      response.writeHead(status).end(JSON.stringify(body));
    })();
  });
  await listening(http);
  const origin = `http://localhost:${portOf(http)}`;
  const server: TokenServer = {
    origin,
    heard: [],
    answer: undefined,
    onHeard: undefined,
    async stop() {
      http.closeAllConnections();
      await closed(http);
    },
  };
  return server;
}

export interface MailListener {
  port: number;
  /** Every line, with the base64 of SASL responses decoded. */
  heard: string[];
  /** Runs when a sign-in is received, before the response. */
  onSignIn: (() => Promise<void>) | undefined;
  stop(): Promise<void>;
}

/** Speaks enough of IMAP for a sign-in over TLS, on all addresses of this machine, and rejects every token. */
export async function startImapListener({ cert, key }: Certificates): Promise<MailListener> {
  const sockets = new Set<Socket>();
  const tls = createTlsServer({ cert, key }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.write('* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR] ready\r\n');
    let rest = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = `${rest}${chunk}`.split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) void answer(socket, line);
    });
  });
  async function answer(socket: Socket, line: string): Promise<void> {
    const [tag = '', command = '', ...more] = line.split(' ');
    const decoded = Buffer.from(more.at(-1) ?? '', 'base64').toString('utf8');
    listener.heard.push(`${line}\n${decoded}`);
    switch (command.toUpperCase()) {
      case 'CAPABILITY':
        socket.write(`* CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR\r\n${tag} OK done\r\n`);
        return;
      case 'AUTHENTICATE':
        await listener.onSignIn?.();
        socket.write(`${tag} NO [AUTHENTICATIONFAILED] no\r\n`);
        return;
      case 'LOGOUT':
        socket.end(`* BYE bye\r\n${tag} OK done\r\n`);
        return;
      default:
        if (command !== '') socket.write(`${tag} OK done\r\n`);
    }
  }
  await listening(tls);
  const listener: MailListener = {
    port: portOf(tls),
    heard: [],
    onSignIn: undefined,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await closed(tls);
    },
  };
  return listener;
}

const listening = (server: NetServer): Promise<void> =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const closed = (server: NetServer): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
const portOf = (server: NetServer): number => (server.address() as AddressInfo).port;
